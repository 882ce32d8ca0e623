#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A replica that was away longer than the ring remembers is rebuilt while fio writes: the
# writer is not held up, the peer comes in sync, and both disks are equal.
# timeout: 400
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/rebuild.sh"

require_tool fio
wal_size=2M pair best_effort
write_more 30
away
link_members a b
check "without an order it is only said" poll_until 10 peer_is a b .state needs_rebuild
random_writes a
throttle a 512K
check "ordered and linked" copy_to a b
check "under way" poll_until 20 under_way a b
check "the writer goes on" poll_until 10 writes_above a "$(st a .stats.writes)"
throttle a 0
check "in sync under load" poll_until 120 in_sync a b
check "blocks were copied" test "$(peer a b .rebuild.done_bytes)" -gt 0
check_same "all that there were" "$(peer a b .rebuild.todo_bytes)" \
	"$(peer a b .rebuild.done_bytes)"
check "the copy is whole" lacks_condition b inconsistent
stop_writes
check "still in sync" poll_until 30 in_sync a b
check_equal a b "both disks are equal"
here=$(digest a)
check "demote" swblockctl demote vol/a
check "promote the other" promote b
check_same "it shows the same" "$here" "$(digest b)"
check_clean a b
finish
