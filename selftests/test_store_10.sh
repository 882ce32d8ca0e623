#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 400
# etcd loses its majority for longer than the lease: I/O is held, nobody is promoted, though
# the primary's host falls silent; with the majority back it goes on in the same epoch.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/cluster.sh"
. "$SWB_TOP/selftests/helpers/etcd.sh"

lease_ms=10000 silence=12s
etcd_up
cluster_up
epoch=$(rec .epoch)
need load_write "$primary" -n 20
etcd_kill 1
etcd_kill 2
check "I/O is held" poll_until 60 has_condition "$primary" suspended_lease
check "a daemon says why" poll_until 30 grep -q 'store cannot be reached' "$swb_tmp/$primary.log"
background put_block "$(bd "$primary")" 4001 y
sleep 2
check "a write waits" kill -0 "$bg"
check_same "nobody else is primary" 1 "$(swblockctl status -j 2>/dev/null |
	jq '[.members[] | select(.role == "primary")] | length')"
etcd_start 1 existing
etcd_start 2 existing
check "etcd takes writes again" poll_until 90 etcd_writes
check_ended "the write goes on" "$bg" 60
check_same "without an error" 0 "$ended"
check_same "in the same epoch" "$epoch" "$(rec .epoch)" || show_logs
check "all data is there" load_verify "$primary"
check_history
finish
