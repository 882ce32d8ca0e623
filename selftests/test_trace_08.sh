#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Plain bpftool shows the pinned histograms with names of fields and stages, and can load
# and attach the object by itself.
# timeout: 300
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/trace.sh"
. "$SWB_TOP/selftests/helpers/bpf.sh"

require_bpf
load_module
pair sync_all
id=$(st a .volume_id)

lat_start json -j
writes a 100 20
check_same "the pinned map has each write" 20 \
	"$(dumped $bpffs/swblock/lat SWBLOCK_STAGE_ADMIT "$id")"
bpftool map dump pinned $bpffs/swblock/lat >"$swb_tmp/dump"
for word in '"volume":' '"stage": "SWBLOCK_STAGE_PEER_PERSIST"' '"peer":' '"sum_ns":' '"slot":'; do
	check "it says $word" grep -q "$word" "$swb_tmp/dump"
done
sum=$(bpftool -j map dump pinned $bpffs/swblock/lat | jq "[.[].formatted |
	select(.key.volume == $id and .key.stage == \"SWBLOCK_STAGE_ADMIT\") | .value.sum_ns] | add")
check_ends "swblock-lat ends" json
check_same "it has read the same times" "$(jq -s "[.[].rows[] | select(.member == \"$VOL/a\" and
	.stage == \"admit\") | .sum_ns] | add" "$swb_tmp/json")" "$sum"
check "then they are gone" test ! -e $bpffs/swblock

check "bpftool loads and attaches the object" bpftool prog loadall "$object" $bpffs/lat \
	pinmaps $bpffs/lat autoattach
defer rm -rf $bpffs/lat
check_same "one program is there" 1 "$(programs)"
writes a 200 32
check_same "it counts" 32 "$(dumped $bpffs/lat/swblock_lat SWBLOCK_STAGE_ADMIT "$id")"
check_same "for peers, too" 32 "$(dumped $bpffs/lat/swblock_lat SWBLOCK_STAGE_PEER_PERSIST "$id")"
check_same "and lost nothing" 0 \
	"$(bpftool -j map dump pinned $bpffs/lat/swblock_lost | jq '.[0].formatted.value')"
check "it goes with its pins" rm -r $bpffs/lat
check "and counts no more" poll_until 20 programs_are 0
finish
