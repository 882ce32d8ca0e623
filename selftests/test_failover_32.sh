#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
# tier: long
# Daemons die at every step of what an operator declares: a new volume is formatted and made,
# its role is moved, it grows, an order is done; each of these ends as declared.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/cluster.sh"
. "$SWB_TOP/selftests/helpers/faults.sh"

lease_ms=2000 silence=3s
check_every_point
load_module
mkdir -p "$swb_tmp/run"
for n in "${nodes[@]}"; do
	place "$n"
	wipe_disk "${lower[$n]}"
done
points create format
arm
wish "${nodes[@]}"
for n in "${nodes[@]}"; do
	start_daemon "$n"
done
deaths 60
check_points
disarm
poll_until 120 whole || { show_logs; die "the volume does not come up"; }
pass "the volume comes up, primary $primary"
writer_start

# The role moves when the device is closed. While a daemon of the primary is down another
# host may find it silent and be faster: then it was no demotion, and the role moves again.
check_data
points demote
for ((round = 0; round < 5 && ${#left[@]} > 0; round++)); do
	find_others
	to=${others[0]}
	preferred="\"$(replica "$to")\""
	arm
	wish "${nodes[@]}"
	deaths 20
	recover || break
	await 60 "the role was moved" primary_is "$to"
	primary=$to
	await 60 "everybody is in sync" all_in_sync
done
check_points

writer_start
points grow
size_bytes=$((96 << 20))
arm
wish "${nodes[@]}"
deaths 60
check_points
recover
await 60 "the volume has grown" st_is "$primary" .size_bytes "$size_bytes"

writer_start
points order
arm
id=$(printf %020d 1)
printf '{"id":1,"verb":"resume","target":"%s","state":"new","by":"test","text":"",
	"args":{},"result":null}' "$(replica "$primary")" |
	swbdoc "$store" put "v/$VUUID/order/$id" || die "set-up: order"
deaths 60
check_points
recover
answered()
{
	[ "$(doc "order/$id" | jq -r .state)" = "done" ]
}
await 60 "the order was done" answered || quoted "$(doc "order/$id")"
check_history
finish
