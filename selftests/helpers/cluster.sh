# SPDX-License-Identifier: GPL-2.0-only
# A cluster of three nodes in one guest: a daemon for each of a, b, c, one SQLite
# store on tmpfs (or the etcd of etcd.sh), a scratch disk and a loopback port for
# each. Source it after lib.sh and volume.sh.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # shared with lib.sh, volume.sh and the tests

require_tool swblockd swbdoc

VUUID=11111111-2222-4333-8444-555555555555
nodes=(a b c)
store=$swb_tmp/store.db
export SWBLOCK_STORE=$store
lease_ms=4000 mode=sync_quorum policy=written size_bytes=$((64 << 20))
silence=4s turn=300ms
shrink_ms=0
wish_sequence=0
preferred=null stopped=false format_force=false
# where a daemon listens, and where it says to be reached, unless that is the port of
# its node
declare -A daemon_pid listen_at advertise

# replica NODE: the replica id of its member
replica()
{
	printf 'aaaaaaaa-0000-4000-8000-00000000000%d' "$(($(index_of "$1") + 1))"
}

port()
{
	echo $((7790 + $(index_of "$1")))
}

write_config()
{
	cat >"$swb_tmp/$1.yaml" <<-END
	node: $1
	runtime_dir: $swb_tmp/run
	store:
	  address: $store
	  timeout: 2s
	links:
	  listen: ${listen_at[$1]-127.0.0.1:$(port "$1")}
	  ${advertise[$1]:+advertise: ${advertise[$1]}}
	timing:
	  silence: $silence
	  collect: 2s
	  turn: $turn
	  backoff: 500ms
	  poll: 600ms
	  order: 5s
	lease:
	  margin: 300ms
	log:
	  level: debug
	END
}

# start_daemon NODE [ARGUMENT...]
start_daemon()
{
	local node=$1
	shift

	write_config "$node"
	SWBLOCKD_FAULT_FILE=$swb_tmp/fault-$node SWB_STORE_FAULT=$swb_tmp/store-fault-$node \
		swblockd -c "$swb_tmp/$node.yaml" --faults "$@" >>"$swb_tmp/$node.log" 2>&1 &
	daemon_pid[$node]=$!
	defer kill -KILL "${daemon_pid[$node]}"
}

kill_daemon()
{
	kill "-${2:-KILL}" "${daemon_pid[$1]}" 2>/dev/null
	wait "${daemon_pid[$1]}" 2>/dev/null
}

# freeze NAME: its daemon is stopped, but with no lock of SQLite's file, which it would
# hold for as long as it is stopped, and nobody could win or grant anything
freeze()
{
	while :; do
		echo "sign.before:stop" >"$swb_tmp/fault-$1"
		poll_until 30 stopped "$1" || die "set-up: the daemon of $1 does not stop"
		rm -f "$swb_tmp/fault-$1"
		# a thread of it may have been reading
		! sqlite3 "$store" '.timeout 700' 'BEGIN EXCLUSIVE; ROLLBACK;' >/dev/null 2>&1 ||
			return 0
		kill -CONT "${daemon_pid[$1]}"
	done
}

stopped()
{
	grep -q '^State:[[:space:]]*T' "/proc/${daemon_pid[$1]}/status"
}

# store_fault NODE WORDS: what its daemon meets in the store from now on, as in
# store_fault.c; without WORDS all is well again
store_fault()
{
	echo "${2-}" >"$swb_tmp/fault.new"
	mv "$swb_tmp/fault.new" "$swb_tmp/store-fault-$1"
}

# store_fault_all [WORDS]: the same for every node
store_fault_all()
{
	local n

	for n in "${nodes[@]}"; do
		store_fault "$n" "${1-}"
	done
}

# wish MEMBER...: declare the volume with these members (or what changed in it)
wish()
{
	local m list='' required=0 i=0

	wish_sequence=$((wish_sequence + 1))
	for m in "$@"; do
		place "$m"
		list+="${list:+,}{\"replica\":\"$(replica "$m")\",\"label\":\"$m\",\"node\":\"$m\",
			\"data\":\"${lower[$m]}\",\"wal\":\"\",\"format\":true,\"format_force\":$format_force}"
		required=$((required | 1 << i))
		i=$((i + 1))
	done
	printf '{"sequence":%d,"label":"%s","size_bytes":%d,"mode":"%s","policy":"%s",
		"required":%d,"primary_only":false,"lease_ms":%d,"shrink_ms":%d,
		"primary":%s,"override":false,"stopped":%s,"reason":"","member":[%s]}' \
		"$wish_sequence" "$VOL" "$size_bytes" "$mode" "$policy" "$required" \
		"$lease_ms" "$shrink_ms" "$preferred" "$stopped" "$list" |
		swbdoc "$store" put "v/$VUUID/wish" || die "set-up: wish"
}

doc()
{
	swbdoc "$store" get "v/$VUUID/$1" 2>/dev/null
}

# rec JQ: a value of the authority record
rec()
{
	doc record | jq -r "$1"
}

settled()
{
	[ "$(rec .phase)" = settled ]
}

primary_label()
{
	local id

	id=$(rec .candidate)
	case $id in
	*1) echo a ;; *2) echo b ;; *3) echo c ;;
	esac
}

# find_others: the nodes that are not primary, in $others
find_others()
{
	local n

	others=()
	for n in "${nodes[@]}"; do
		[ "$n" = "$primary" ] || others+=("$n")
	done
}

# bd of the member as it was attached: the kernel chose the minor
bd()
{
	echo "/dev/swblock$(st "$1" .minor)"
}

primary_is()
{
	settled && [ "$(primary_label)" = "$1" ] && st_is "$1" .role primary
}

# some_primary [EXCEPT]: settled, and not EXCEPT; sets $primary
some_primary()
{
	settled || return 1
	primary=$(primary_label)
	[ "$primary" != "${1-}" ] && st_is "$primary" .role primary
}

all_in_sync()
{
	[ "$(st "$primary" '[.peers[] | select(.state == "in_sync")] | length')" = "${1:-2}" ]
}

# await SECONDS DESCRIPTION COMMAND...: like check poll_until, but in this shell, so
# that the command may set variables; shows the logs when it does not come
await()
{
	local seconds=$1 what=$2
	shift 2

	if poll_until "$seconds" "$@"; then
		pass "$what"
	else
		fail "$what"
		show_logs
		return 1
	fi
}

# cluster_up: three daemons, one volume, a primary, everybody in sync
cluster_up()
{
	local n

	load_module
	mkdir -p "$swb_tmp/run"
	for n in "${nodes[@]}"; do
		place "$n"
		wipe_disk "${lower[$n]}"
	done
	wish "${nodes[@]}"
	for n in "${nodes[@]}"; do
		start_daemon "$n"
	done
	poll_until 90 some_primary || { show_logs; die "no primary"; }
	poll_until 60 all_in_sync || { show_logs; die "not in sync"; }
}

show_logs()
{
	local n

	for n in "${nodes[@]}"; do
		quoted "$(tail -n "${1:-40}" "$swb_tmp/$n.log" | sed "s/^/$n: /")"
	done
	quoted "$(doc record | jq -c 'del(.cert)')"
}

# The loop of no daemon slept long. Three of them, their threads and the load share
# one processor here, so that a short sleep ends late.
check_daemons()
{
	local n slow

	for n in "${nodes[@]}"; do
		slow=$(sed -n 's/.*loop was kept waiting.*took_ms=\([0-9]*\).*/\1/p' \
			"$swb_tmp/$n.log" | awk '$1 > 400')
		check_same "the loop of $n never slept long" '' "$slow"
	done
}

# What the history of the record must never show. One line: epoch, action, owner.
history_faults()
{
	awk '
	{ lines++ }
	$1 + 0 < last + 0 { print "epoch falls: " $0 }
	{ last = $1 }
	$2 == "win" { if (won[$1]++) print "won twice: " $0; by[$1] = $3 }
	$2 == "grant" {
		if (granted[$1]++) print "granted twice: " $0
		if (by[$1] != $3) print "granted by another than won: " $0
	}
	$2 == "settle" && !granted[$1] { print "settled without a grant: " $0 }
	END { if (lines < 3) print "only " lines + 0 " lines" }'
}

check_history()
{
	swbdoc "$store" list "h/$VUUID/" | cut -f2- |
		jq -r '[.epoch, .action, .owner] | join(" ")' >"$swb_tmp/moves"
	check_same "the record was never moved out of turn" '' \
		"$(history_faults <"$swb_tmp/moves")"
}

# --- leases ------------------------------------------------------------------

# lease_left NODE: milliseconds, 0 if it is over
lease_left()
{
	local end now

	end=$(st "$1" .lease_ns)
	read -r now _ </proc/uptime
	now=${now/./}
	echo $((${end:-0} / 1000000 > now * 10 ? ${end:-0} / 1000000 - now * 10 : 0))
}

lease_above()
{
	[ "$(lease_left "$1")" -gt "$2" ]
}

lease_below()
{
	[ "$(lease_left "$1")" -lt "$2" ]
}

# granted_ms: when the newest epoch was granted, by CLOCK_BOOTTIME, if nobody has set
# the clock since
granted_ms()
{
	local at now

	at=$(swbdoc "$store" list "h/$VUUID/" | cut -f2- |
		jq -r 'select(.action == "grant") | .at' | tail -n 1)
	read -r now _ </proc/uptime
	now=${now/./}
	echo $((now * 10 - ($(date +%s%3N) - $(date -d "$at" +%s%3N))))
}

# watch_lease SECONDS NODE: how often its I/O was held, in $lease_held; the least that
# was left of its lease, in $lease_min_ms
watch_lease()
{
	local end left

	lease_held=0 lease_min_ms=999999
	read_uptime
	end=$((uptime_s + $1))
	while [ "$uptime_s" -lt "$end" ]; do
		left=$(lease_left "$2")
		[ "$left" -ge "$lease_min_ms" ] || lease_min_ms=$left
		lacks_condition "$2" suspended_lease || lease_held=$((lease_held + 1))
		sleep 0.1
		read_uptime
	done
}

# signs of life of all nodes, as they stand
signs()
{
	swbdoc "$store" list n/ 2>/dev/null | cut -f2- | jq -r .counter | tr '\n' ' '
}

# have they stood still for two seconds?
signs_stand_still()
{
	local before

	before=$(signs)
	sleep 2
	[ "$before" = "$(signs)" ]
}

signs_move()
{
	! signs_stand_still
}

# newer_primary EPOCH: settled in an epoch behind it; sets $primary
newer_primary()
{
	[ "$(rec .epoch)" -gt "$1" ] && some_primary
}
