#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
# While primaries fall, daemons die before and after every step that serves: attaching,
# assigning, links, leases, states, signs of life; all come back and nothing is lost.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/cluster.sh"
. "$SWB_TOP/selftests/helpers/faults.sh"

lease_ms=2000 silence=3s
cluster_up
points attach assign renew link accept state sign
for ((round = 0; round < 5 && ${#left[@]} > 0; round++)); do
	writer_start
	arm
	strike
	deaths 20
	recover || break
done
check_points
check_history
finish
