#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
# tier: long
# Daemons die before and after they allow a copy, and before and after they detach a member
# that nobody declares any more: the copy is made, the member goes.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/cluster.sh"
. "$SWB_TOP/selftests/helpers/faults.sh"

lease_ms=3000 silence=4s mode=best_effort
cluster_up
find_others
b=${others[0]} c=${others[1]}
need load_write "$primary" -n 20
life=1 step=21
kill_daemon "$b"
need remove_member "$b" --force
head=$(st "$primary" .log.head_lsn)
# behind what swbload uses
history_gone()
{
	dd if=/dev/urandom of="$(bd "$primary")" bs=256k seek=64 count=128 oflag=direct \
		conv=fsync,notrunc status=none
	[ "$(st "$primary" .log.start_lsn)" -gt $((head + 1)) ]
}
check "its place in the history is gone" poll_until 60 history_gone
copied=$(st "$primary" .stats.rebuild_bytes)
old=$primary
points rebuild
writer_start
arm
start_daemon "$b"
deaths 60
check_points
recover
check_same "the primary stayed" "$old" "$primary"
check "the member was copied" test "$(st "$primary" .stats.rebuild_bytes)" -gt "$copied"

points detach
writer_start
arm
wish "$primary" "$c"
deaths 90
check_points
disarm
detached_and_settled()
{
	revive
	! attached "$b" && some_primary && all_in_sync 1
}
await 120 "the member has gone, the others go on" detached_and_settled
check_data
check_history
finish
