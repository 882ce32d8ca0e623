#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 400
# tier: long
# Load on the volume, on the store and on the processor: the lease is renewed with margin,
# a sixth of it at least is always left.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/cluster.sh"

require_tool fio
lease_ms=12000 silence=16s
store_traffic()
{
	while :; do
		echo '{}' | swbdoc "$store" put x/traffic
		swbdoc "$store" list v/ >"$swb_tmp/traffic"
	done
}

cluster_up
epoch=$(rec .epoch)
fio --name=load --filename="$(bd "$primary")" --size=32M --bs=4k --rw=randwrite --direct=1 \
	--ioengine=libaio --iodepth=16 --time_based --runtime=600 --fsync=32 --thread \
	>"$swb_tmp/fio.out" 2>&1 &
load=$!
store_traffic 2>/dev/null &
traffic=$!
disown "$traffic"
sh -c 'while :; do :; done' &
spin=$!
defer kill -KILL "$load" "$traffic" "$spin"
writes=$(st "$primary" .stats.writes)
watch_lease 24 "$primary"
check "there was load" test "$(st "$primary" .stats.writes)" -gt $((writes + 50))
check_same "I/O was never held" 0 "$lease_held"
check "margin was left ($lease_min_ms of $lease_ms ms)" test "$lease_min_ms" -ge $((lease_ms / 6))
kill -KILL "$traffic" "$spin"
kill -TERM "$load"
wait "$load" "$spin" 2>/dev/null
check_same "nobody was fenced" "$epoch" "$(rec .epoch)" || show_logs
finish
