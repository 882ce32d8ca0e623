# SPDX-License-Identifier: GPL-2.0-only
# A cluster of three nodes in one guest: a daemon for each of a, b, c, one SQLite
# store on tmpfs, a scratch disk and a loopback port for each. Source it after
# lib.sh and volume.sh.
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
# advertise: HOST:PORT under which others reach a node, if not where it listens
declare -A daemon_pid advertise

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
	  listen: 127.0.0.1:$(port "$1")
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
	SWBLOCKD_FAULT_FILE=$swb_tmp/fault-$node \
		swblockd -c "$swb_tmp/$node.yaml" --faults "$@" >>"$swb_tmp/$node.log" 2>&1 &
	daemon_pid[$node]=$!
	defer kill -KILL "${daemon_pid[$node]}"
}

kill_daemon()
{
	kill "-${2:-KILL}" "${daemon_pid[$1]}" 2>/dev/null
	wait "${daemon_pid[$1]}" 2>/dev/null
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
