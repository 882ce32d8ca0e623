#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 400
# Every answer of the store takes a second: leases are renewed all the same, nobody is
# fenced, and no write waits for it.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/cluster.sh"

lease_ms=12000 silence=16s
cluster_up
epoch=$(rec .epoch)
store_fault_all 'slow 1000'
# twice the lease: it must have been renewed by slow reads
watch_lease 24 "$primary"
check_same "I/O was never held" 0 "$lease_held"
check "the lease was renewed before a sixth of it was left ($lease_min_ms ms)" \
	test "$lease_min_ms" -gt 2000
check "writes go on" load_write "$primary" -n 20
check_same "nobody was fenced" "$epoch" "$(rec .epoch)" || show_logs
check_daemons
finish
