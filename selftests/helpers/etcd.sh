# SPDX-License-Identifier: GPL-2.0-only
# An etcd of three members on loopback as the store of cluster.sh, data on tmpfs.
# Source it after cluster.sh; etcd_up before cluster_up.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # shared with lib.sh and cluster.sh

require_tool etcd etcdctl
store=etcd:127.0.0.1:2391,127.0.0.1:2392,127.0.0.1:2393
export SWBLOCK_STORE=$store ETCDCTL_API=3
declare -A etcd_pid

# etcd_start N [new|existing]
etcd_start()
{
	local i=$1 k all=''

	for k in 1 2 3; do
		all+="${all:+,}e$k=http://127.0.0.1:$((2380 + k))"
	done
	etcd --name "e$i" --data-dir "$swb_tmp/etcd$i" --log-level error \
		--listen-client-urls "http://127.0.0.1:$((2390 + i))" \
		--advertise-client-urls "http://127.0.0.1:$((2390 + i))" \
		--listen-peer-urls "http://127.0.0.1:$((2380 + i))" \
		--initial-advertise-peer-urls "http://127.0.0.1:$((2380 + i))" \
		--initial-cluster "$all" --initial-cluster-state "${2:-new}" \
		--heartbeat-interval 250 --election-timeout 2500 >>"$swb_tmp/etcd$i.log" 2>&1 &
	etcd_pid[$i]=$!
	defer kill -KILL "$!"
}

etcd_kill()
{
	kill -KILL "${etcd_pid[$1]}"
	wait "${etcd_pid[$1]}" 2>/dev/null
	unset "etcd_pid[$1]"
}

# find_leader: its number is in $leader
find_leader()
{
	local i

	for i in "${!etcd_pid[@]}"; do
		etcdctl --endpoints "http://127.0.0.1:$((2390 + i))" --command-timeout=5s \
			endpoint status -w json 2>/dev/null |
			jq -e '.[0].Status | .leader != 0 and .leader == .header.member_id' \
				>/dev/null || continue
		leader=$i
		return 0
	done
	return 1
}

etcd_up()
{
	local i

	for i in 1 2 3; do
		etcd_start "$i"
	done
	poll_until 60 find_leader || {
		quoted "$(tail -n 5 "$swb_tmp"/etcd*.log)"
		die "set-up: etcd"
	}
}

# can documents be written?
etcd_writes()
{
	echo '{}' | swbdoc "$store" put x/probe
}
