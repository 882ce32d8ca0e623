#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A disk is replaced by a blank one, which is a new replica: every block is copied, and what
# the primary never wrote costs no payload.
# timeout: 400
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/rebuild.sh"

wal_size=2M pair best_effort
write_more 30
beyond "$(st a .log.head_lsn)"
check "the bitmap forgot the first writes" test "$(st a .bitmap.base_lsn)" -gt 0
away
old=$(st b .replica)
need remove_member b
need swblockctl format "${lower[b]}" --like "${lower[a]}" --replica b --wal-size 2M --force
need add_member b
check "it is another replica" test "$(st b .replica)" != "$old"
assign best_effort
need promote a
link_members a b
check "a blank copy of an old volume needs a rebuild" poll_until 10 peer_is a b .state \
	needs_rebuild
check "ordered and linked" copy_to a b
check "in sync" poll_until 90 in_sync a b
check_same "every block" full "$(peer a b .rebuild.kind)"
check_same "of the volume" "$(st a .size_bytes)" "$(peer a b .rebuild.done_bytes)"
check "zeroes went without payload" test "$(st a .stats.rebuild_bytes)" -lt \
	"$(st a .size_bytes)"
check_equal a b "both disks are equal"
check "demote" swblockctl demote vol/a
check "promote the new one" promote b
check_holds b "it has everything"
check_clean a b
finish
