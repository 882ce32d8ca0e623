#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 400
# tier: long
# The primary's daemon is frozen for less than its lease, again and again: no write waits
# for it, nothing is held, nobody is fenced.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/cluster.sh"

lease_ms=15000 silence=25s
cluster_up
epoch=$(rec .epoch)
for round in 1 2 3; do
	check "round $round: most of the lease is left" poll_until 30 lease_above "$primary" 11000
	freeze "$primary"
	need load_write "$primary" -l "$round" -f $((round * 10 - 9)) -n 10
	poll_until 20 lease_below "$primary" 5000 || die "the lease goes on"
	check "round $round: I/O is not held" lacks_condition "$primary" suspended_lease
	kill -CONT "${daemon_pid[$primary]}"
done
check "the lease is renewed" poll_until 30 lease_above "$primary" 11000
check_same "nobody was fenced" "$epoch" "$(rec .epoch)" || show_logs
check "all data is there" load_verify "$primary"
finish
