#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 400
# The store is out of reach for less than the lease, again and again: no write waits,
# and nobody is fenced.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/cluster.sh"

lease_ms=9000 silence=5s
cluster_up
epoch=$(rec .epoch)
for round in 1 2 3; do
	store_fault_all unreachable
	need load_write "$primary" -l "$round" -f $((round * 10 - 9)) -n 10
	check "round $round: the lease is not renewed" poll_until 20 lease_below "$primary" 5000
	store_fault_all
	check "round $round: the store is back: it is renewed" \
		poll_until 30 lease_above "$primary" 6000
	check "round $round: I/O is not held" lacks_condition "$primary" suspended_lease
done
check "the daemon said so" grep -q 'store cannot be reached' "$swb_tmp/$primary.log"
check_same "nobody was fenced" "$epoch" "$(rec .epoch)" || show_logs
check "all data is there" load_verify "$primary"
check_history
finish
