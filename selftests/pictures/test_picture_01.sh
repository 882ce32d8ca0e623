#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Not a test but what scripts/pictures runs: a replicated volume under fio, whose peer's
# disk is slow for a while, as swblock-lat sees it.
# timeout: 240
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/trace.sh"
. "$SWB_TOP/selftests/helpers/bpf.sh"

require_bpf
load_module
behind_dm b
pair sync_all --policy written

lat_start picture -i 0.5 -V "$VOL/a" --svg "$SWB_STATE/swblock-lat.svg" \
	-s admit,append,persist,ship,peer-persist,ack,complete,barrier,read
lat_start heat --no-pin -i 1 -V "$VOL/a" --heat
fio --name=w --filename="$(bd a)" --rw=randrw --rwmixwrite=80 --bs=4k --size=64m --direct=1 \
	--ioengine=libaio --iodepth=4 --fsync=50 --time_based --runtime=36 >/dev/null 2>&1 &
load=$!
sleep 12
swblock-lat --no-pin -i 5 -c 1 -V "$VOL/a" >"$SWB_STATE/fast.txt"
slow b 20
swblock-lat --no-pin -i 5 -c 1 -V "$VOL/a" >"$SWB_STATE/slow.txt"
swblockctl latency "$VOL/a" --why >"$SWB_STATE/why.txt"
sleep 4
slow b 0
wait "$load"
check_ends "the picture is made" picture
check_ends "the heat map is made" heat
cp "$swb_tmp/heat" "$SWB_STATE/heat.txt"
finish
