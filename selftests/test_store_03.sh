#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 400
# The store is out of reach for longer than the lease: the primary holds its I/O by the
# end of it and keeps what waits; with the store back it goes on in the same epoch.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/cluster.sh"

lease_ms=3000
cluster_up
epoch=$(rec .epoch)
dev=$(bd "$primary")
store_fault_all unreachable
check "I/O is held" poll_until 30 has_condition "$primary" suspended_lease
background put_block "$dev" 5 y
sleep 2
check "a write waits" kill -0 "$bg"
check_same "nobody was promoted" "$epoch" "$(rec .epoch)"
store_fault_all
check_ended "it ends when the store is back" "$bg" 60
check_same "without an error" 0 "$ended"
check_same "in the same epoch" "$epoch" "$(rec .epoch)" || show_logs
check_same "what was written is there" y "$(get_block "$dev" 5)"
check "the primary is the same" primary_is "$primary"
check_history
finish
