# SPDX-License-Identifier: GPL-2.0-only
# The teardown matrix with daemons: the volume is declared, swblockd of node a serves
# the member whose disk breaks, that of node b its peer. Source it after cluster.sh
# and before matrix.sh.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # shared with volume.sh, cluster.sh and matrix.sh

nodes=(a b)
mode=sync_all policy=local size_bytes=$((8 << 20))
# whoever is slow here is busy, not gone
lease_ms=20000 silence=30s

# delayed NODE MS: others reach it through a line on which its answers come late
delayed()
{
	advertise[$1]=127.0.0.1:$(($(port "$1") + 100))
	"$SWB_TOP/selftests/helpers/swbdelay.py" "${advertise[$1]##*:}" "$(port "$1")" "$2" \
		>"$swb_tmp/delay.out" &
	proxy_pid=$!
	poll_until 20 grep -q ready "$swb_tmp/delay.out" || die "set-up: no slow line"
}

# declared_pair PEER: a is primary, by preference, and b is in sync
declared_pair()
{
	local n

	advertise=()
	[ "$1" != slow ] || delayed b 300
	rm -rf "$store"* "$swb_tmp/run"
	mkdir -p "$swb_tmp/run"
	load_module
	wish_sequence=0
	preferred="\"$(replica a)\""
	for n in "${nodes[@]}"; do
		place "$n"
		need swblockctl format "${lower[$n]}" --force --wal-size 1M --size "$size_bytes" \
			--volume "$VOL" --volume-uuid "$VUUID" \
			--replica "$n" --replica-uuid "$(replica "$n")"
	done
	wish "${nodes[@]}"
	for n in "${nodes[@]}"; do
		: >"$swb_tmp/$n.log"
		start_daemon "$n"
	done
	primary=a
	poll_until 90 primary_is a || { show_logs; die "a does not become primary"; }
	poll_until 90 all_in_sync 1 || { show_logs; die "b does not come in sync"; }
}

# The peer is gone, with its host.
lose_peer()
{
	kill_daemon b
	daemon_pid[b]=''
	need remove_member b --force
}

# what an admin of a declared volume has; the daemon of a is up
verbs_declared()
{
	verb list 5 swblockctl volume list
	verb health 5 swblockctl health
	verb why 5 swblockctl explain "$VOL"
	verb vsuspend 15 swblockctl volume suspend "$VOL" --timeout 3
	verb vresume 15 swblockctl volume resume "$VOL" --timeout 3
	verb vverify 15 swblockctl volume verify "$VOL" --timeout 3
	verb vrebuild 15 swblockctl volume rebuild "$VOL" b --timeout 3
	verb vset 15 swblockctl volume set "$VOL" --size 12M --timeout 3
}

# what takes the role away from a
verbs_declared_last()
{
	verb vmove 15 swblockctl volume move "$VOL" b --timeout 3
	verb vdrop 15 swblockctl volume drop "$VOL" b --timeout 3
}

# stop_daemon NODE: as the service manager would; its end is a verb, too
stop_daemon()
{
	[ -n "${daemon_pid[$1]}" ] || return 0
	kill -TERM "${daemon_pid[$1]}" 2>/dev/null
	verb "stop-$1" 15 tail -s 0.1 --pid="${daemon_pid[$1]}" -f /dev/null
	kill_daemon "$1"
}

# A removal by hand does not undo the declaration: as long as its daemon lives, the
# member comes back. Then it is over.
daemons_stop()
{
	stop_daemon a
	stop_daemon b
	! attached a || verb force2 20 swblockctl remove "$VOL/a" --force --timeout 12
}
