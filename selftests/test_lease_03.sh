#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 400
# The primary's daemon is killed: a run that starts within the lease renews it and no write
# waits; with nobody there until it is over, I/O is held, and the next run lets it go on.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/cluster.sh"

lease_ms=12000 silence=20s
cluster_up
epoch=$(rec .epoch)
dev=$(bd "$primary")
need load_write "$primary" -n 10
kill_daemon "$primary"
check "a lease is left" lease_above "$primary" 1000
start_daemon "$primary"
watch_lease 8 "$primary"
check_same "adopted in time: I/O was never held" 0 "$lease_held"
check_same "in the same epoch" "$epoch" "$(rec .epoch)" || show_logs

for n in "${nodes[@]}"; do
	kill_daemon "$n"
done
check "no daemon: I/O is held when the lease is over" \
	poll_until 30 has_condition "$primary" suspended_lease
background put_block "$dev" 7 z
sleep 1
check "a write waits" kill -0 "$bg"
for n in "${nodes[@]}"; do
	start_daemon "$n"
done
check_ended "it ends when daemons are back" "$bg" 60
check_same "without an error" 0 "$ended"
check_same "in the same epoch still" "$epoch" "$(rec .epoch)" || show_logs
check_same "what was written is there" z "$(get_block "$dev" 7)"
await 60 "everybody is in sync" all_in_sync
check_history
finish
