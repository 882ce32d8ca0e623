#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Under fio, whose writes wait for a slow peer, swblock-lat counts in each of its forms
# what the module's own histograms count, and its times are those that fio saw.
# timeout: 300
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/trace.sh"
. "$SWB_TOP/selftests/helpers/bpf.sh"

require_tool fio
require_bpf
load_module
behind_dm b
pair sync_all --policy written
slow b 30

lat_start json -j -i 2 --svg "$swb_tmp/lat.svg"
lat_start table --no-pin -i 1000 -V "$VOL/a"
lat_start bars --no-pin -i 1000 -b -s complete
lat_start heat --no-pin -i 2 --heat
# its own numbers are of the same writes, and of nothing else
need fio --name=w --filename="$(bd a)" --rw=randwrite --bs=4k --size=8m --direct=1 \
	--ioengine=libaio --iodepth=1 --number_ios=150 --clat_percentiles=1 \
	--lat_percentiles=1 --output-format=json --output="$swb_tmp/fio.json"
commits() { stage_is a commit "$(stage a admit)"; }
check "C has passed all" poll_until 20 commits
for f in json table bars heat; do
	check_ends "$f ends when it is interrupted" "$f"
	check_same "and had nothing to complain about" "" "$(complaints "$f")"
done

check_same "JSON is as its schema says" "" "$(PYTHONDONTWRITEBYTECODE=1 \
	PYTHONPATH=$SWB_TOP/tools python3 -c '
import json, schema, sys
form = json.load(open(sys.argv[1]))
for line in open(sys.argv[2]):
    print(*schema.faults(json.loads(line), form), sep="\n", end="")
' "$SWB_TOP/docs/schema/swblock-lat.json" "$swb_tmp/json" 2>&1)"
check "there was an interval for every two seconds" \
	test "$(wc -l <"$swb_tmp/json")" -ge 3
check_same "nothing was lost" 0 "$(jq -s '[.[].lost] | add' "$swb_tmp/json")"
check_same "fio's writes, each once" 150 "$(bpf_count json complete)"
for s in admit append persist commit complete; do
	check_same "$s, as the module counts" "$(stage a $s)" "$(bpf_count json $s)"
done
for s in ship peer-receive peer-persist ack complete; do
	check_same "$s of b, as the module counts" "$(stage a $s b)" "$(bpf_count json $s b)"
done
check_same "the replica has its share" "$(stage b persist)" \
	"$(jq -s "[.[].rows[] | select(.member == \"$VOL/b\" and .stage == \"persist\") | .count] |
		add" "$swb_tmp/json")"

# count, average, p50 ... of a line of the table
cell()
{
	awk -v s="$1" -v p="$2" -v n="$3" '$1 == s && $2 == p { print $n }' "$swb_tmp/table"
}
check_same "the table has one for the member" "$VOL/a  /dev/$(basename "$(bd a)")" \
	"$(sed -n 2p "$swb_tmp/table")"
check_same "with the same count" "$(bpf_count json persist)" "$(cell persist - 3)"
check_same "bars add up to it" 150 "$(awk '/ \.\. / { n += $4 } END { print n }' "$swb_tmp/bars")"
check_same "so does the heat map" 150 "$(awk '/\|$/ { n += $2 } END { print n }' "$swb_tmp/heat")"
check_same "the picture is XML, with a panel for each" "complete of b" "$(python3 -c '
import sys, xml.etree.ElementTree as ET
t = ["".join(e.itertext()) for e in ET.parse(sys.argv[1]).getroot().iter()]
print("complete of b" if "complete of b" in t and "persist" in t else t)' "$swb_tmp/lat.svg")"

# A bio comes after fio began to submit and before that call returned, so its time is
# between fio's latency and its completion latency, but for the way back to fio. The
# wait for the peer, 30 ms, is in all of them.
fio_us()
{
	jq ".jobs[0].write.$1 / 1000 | floor" "$swb_tmp/fio.json"
}
whole=$(fio_us lat_ns.mean)
after=$(fio_us clat_ns.mean)
whole50=$(fio_us 'lat_ns.percentile["50.000000"]')
after50=$(fio_us 'clat_ns.percentile["50.000000"]')
own=$(jq -s '[.[].rows[] | select(.stage == "complete")] |
	([.[].sum_ns] | add) / ([.[].count] | add) / 1000 | floor' "$swb_tmp/json")
edge=$(jq -s '[.[].rows[] | select(.stage == "complete") | .slots[]] | group_by(.from_ns) |
	map({from: .[0].from_ns, n: ([.[].count] | add)}) | sort_by(.from) |
	reduce .[] as $s ({n: 0, at: 0}; if .n < 75 then {n: (.n + $s.n), at: $s.from} else . end) |
	.at * 2 / 1000 | floor' "$swb_tmp/json")
note "average: fio $after to $whole us, complete $own us"
note "median: fio $after50 to $whole50 us, slot to $edge us"
check "the peer's disk is in it" test "$own" -ge 30000
check "ours is not above fio's latency" test "$own" -le "$whole"
check "fio's completion latency is at most a quarter above ours" \
	test "$after" -le $((own + own / 4))
check "the slot of our median begins below fio's median" test "$((edge / 2))" -le "$whole50"
check "and ends at most a quarter below that of completions" \
	test "$after50" -le $((edge + edge / 4))
finish
