#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 300
# Daemons are killed and started again under load: they adopt what runs, nobody is
# fenced, and no write waits for longer than it takes to write.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/cluster.sh"

lease_ms=15000 silence=20s
cluster_up
epoch=$(rec .epoch)
slow=$swb_tmp/slow
started_again()
{
	[ "$(grep -c 'the store is there' "$swb_tmp/$1.log")" -ge 2 ]
}

writer()
{
	local i begin took

	for ((i = 0; i < 4000; i++)); do
		[ -e "$swb_tmp/stop" ] && return
		begin=${EPOCHREALTIME/./}
		put_block "$1" $((i % 1000)) x || echo "failed $i" >>"$slow"
		took=$((${EPOCHREALTIME/./} - begin))
		[ "$took" -lt 10000000 ] || echo "$took" >>"$slow"
	done
}
: >"$slow"
dev=$(bd "$primary")
writer "$dev" &
load=$!
for n in a b c "$primary"; do
	kill_daemon "$n"
	start_daemon "$n"
	check "$n serves again" poll_until 30 started_again "$n"
done
await 60 "everybody is in sync" all_in_sync
touch "$swb_tmp/stop"
wait "$load"
check_same "no write failed or waited" '' "$(cat "$slow")"
check_same "nobody was fenced" "$epoch" "$(rec .epoch)" || show_logs 60
check_daemons
finish
