#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
# tier: long
# While primaries fall, daemons die before and after every step that moves the record or
# fences: the others, or the next run, go on; nothing is granted twice, nothing is lost.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/cluster.sh"
. "$SWB_TOP/selftests/helpers/faults.sh"

lease_ms=2000 silence=3s
cluster_up
points win grant settle adopt report promote
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
