#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 300
# All daemons are frozen for longer than the lease: I/O is held; on waking the
# grant still stands, and it goes on in the same epoch.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/cluster.sh"

cluster_up
epoch=$(rec .epoch)
need load_write "$primary" -n 20
kill -STOP "${daemon_pid[@]}"
check "I/O is held when the lease is over" poll_until 30 has_condition "$primary" suspended_lease
dev=$(bd "$primary")
background put_block "$dev" 5 y
sleep 1
check "a write waits" kill -0 "$bg"
kill -CONT "${daemon_pid[@]}"
check "I/O goes on" poll_until 60 lacks_condition "$primary" suspended_lease
check_ended "the write that waited has ended" "$bg" 30
check_same "without an error" 0 "$ended"
check_same "in the same epoch" "$epoch" "$(rec .epoch)"
check_history
finish
