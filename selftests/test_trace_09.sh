#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# However swblock-lat ends, under load, it is detached and the module can be unloaded;
# nothing stays but the pins of one that was killed, and those the next one takes away.
# timeout: 300
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/trace.sh"
. "$SWB_TOP/selftests/helpers/bpf.sh"

require_bpf
load_module
fresh a
assign best_effort
need promote a
(while :; do
	dd if=/dev/zero of="$(bd a)" bs=4k count=64 oflag=direct conv=notrunc status=none || break
done) &
writer=$!
defer kill -9 "$writer"

for signal in INT TERM HUP; do
	lat_start out -i 0.2
	check "it counts" poll_until 20 grep -q complete "$swb_tmp/out"
	check_ends "SIG$signal is a good end" out "$signal"
	check "no pins after SIG$signal" test ! -e $bpffs/swblock
	check "no program after SIG$signal" poll_until 20 programs_are 0
done

swblock-lat -i 0.1 | head -n 1 >"$swb_tmp/out"
check "its reader went away: a line was there" test -s "$swb_tmp/out"
check "and no pins" test ! -e $bpffs/swblock

check "it ends by itself after so many intervals" timeout 20 swblock-lat -i 0.1 -c 3
check "and leaves nothing" poll_until 20 programs_are 0

lat_start out -i 0.2
lat_end out KILL 2>/dev/null
check "no program after SIGKILL" poll_until 20 programs_are 0
check "its pins are still there" test -e $bpffs/swblock/lat
check "nothing counts into them: reading twice gives the same" \
	test "$(bpftool -j map dump pinned $bpffs/swblock/lat)" = \
	"$(sleep 1; bpftool -j map dump pinned $bpffs/swblock/lat)"
lat_start out -i 0.2
check "the next one has its own" poll_until 20 grep -q complete "$swb_tmp/out"
check_same "without a complaint" "" "$(complaints out)"
check_ends "and takes them away" out
check "all of them" test ! -e $bpffs/swblock

lat_start out -i 0.2
kill "$writer"
wait "$writer" 2>/dev/null
need remove_member a --force
check_not "while it runs, the module is in use" rmmod swblock
check "it goes on without a member" kill -0 "${lat_pid[out]}"
check_ends "and ends" out
check "now the module can go" poll_until 20 rmmod swblock
check_same "no map stays behind" 0 \
	"$(bpftool -j map show | jq '[.[] | select(.name == "swblock_lat")] | length')"
finish
