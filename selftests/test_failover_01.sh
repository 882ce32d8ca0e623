#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The primary's host, daemon, links or disk go again and again under load, and daemons
# promote: what clients saw fits one register a block, and nothing acknowledged is lost.
# timeout: 600
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/failover.sh"
. "$SWB_TOP/selftests/helpers/cluster.sh"

require_tool sqlite3
# a round is about five leases
rounds=${SWB_ROUNDS:-7}
note "SWB_ROUNDS=$rounds SWB_SEED=${SWB_SEED:=$RANDOM}"
RANDOM=$SWB_SEED
require_disks 3
policy=${SWB_POLICY:-written}
turn=200ms size_bytes=$((16 << 20))
lease_ms=2000 silence=1500ms
# beside the other parts of make check a host is not gone so soon
[ -n "${SWB_ROUNDS-}" ] || lease_ms=4000 silence=4s
members=(a b c)
for m in a b c; do
	dm "$m" "${swb_disks[$(index_of $m)]}" 96
	lower[$m]=$dm_dev
done
cluster_up
defer cp "$swb_tmp/a.log" "$swb_tmp/b.log" "$swb_tmp/c.log" "$SWB_STATE"
clients_start -s "$SWB_SEED" -w 3 -p 25000
clients_to "$primary"
hows=(host-disk daemon host-wire frozen host-both cut disk)
for round in $(seq "$rounds"); do
	load $((20 + RANDOM % 100)) 600 || { show_logs; die "round $round: no load"; }
	dead=$primary
	# each way once, then at random
	how=${hows[round <= ${#hows[@]} ? round - 1 : RANDOM % ${#hows[@]}]}
	rest=()
	for m in a b c; do
		[ "$m" = "$dead" ] || rest+=("$m")
	done
	watch "${rest[@]}"
	need swbhist mark "$hist" kill "$gen"
	begin=$EPOCHREALTIME
	strike "$dead" "$how"
	await_primary 300 || { show_logs; die "round $round: nobody takes over from $dead ($how)"; }
	clients_to "$next"
	first_write 300 || { show_logs; die "round $round: no write after the promotion"; }
	took=$(awk -v a="$begin" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }')
	recover "$dead" "$how"
	all_back 600 || { show_logs; die "round $round: $dead does not come back ($how)"; }
	note "round $round: $how of $dead, $next after $took s, level after $(awk \
		-v a="$begin" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }') s"
done
pass "$rounds rounds"
clients_stop 60
options=(-l "$lease_ms")
# a quorum had written what was acknowledged: no barrier is needed
[ "$policy" = local ] || options+=(-s)
judge "${options[@]}"
tell_loop "$rounds" "$lease_ms"
check_history
for n in "${nodes[@]}"; do
	kill_daemon "$n"
done
for m in a b c; do
	need remove_member $m --force
done
check "rmmod" poll_until 20 rmmod swblock
finish
