#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A delta copies what has changed since the peer was level, and no more; a healthy volume
# has no bit set.
# timeout: 400
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/rebuild.sh"

load_opts=(-k 1024)
wal_size=2M pair best_effort
write_more 30
poll_until 20 written_back a || die "no write-back"
check "level: no bit is set" poll_until 10 st_is a .bitmap.blocks 0
away
check "bits are set for what changed" test "$(st a .bitmap.blocks)" -gt 0
check "on a quarter of the device only" test "$(st a .bitmap.blocks)" -le 1024
check "the base is where the peer was" test "$(st a .bitmap.base_lsn)" -le \
	"$(st b .log.head_lsn)"
blocks=$(st a .bitmap.blocks)
check "ordered and linked" copy_to a b
check "in sync" poll_until 60 in_sync a b
check_same "by the letter of a delta" L "$(peer a b .case)"
check_same "it was one" delta "$(peer a b .rebuild.kind)"
todo=$(peer a b .rebuild.todo_bytes)
check "at least the bits of then" test "$todo" -ge $((blocks * 4096))
check "not more than a quarter" test "$todo" -le $((1024 * 4096))
check_same "all of it" "$todo" "$(peer a b .rebuild.done_bytes)"
check "and no more went over the wire" test "$(st a .stats.rebuild_bytes)" -le "$todo"
check "level again: the bits go" poll_until 20 st_is a .bitmap.blocks 0
check_equal a b "both disks are equal"
check "demote" swblockctl demote vol/a
check "promote the other" promote b
check_holds b "it has everything"
check_clean a b
finish
