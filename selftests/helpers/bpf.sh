# SPDX-License-Identifier: GPL-2.0-only
# What tests of swblock-lat share: it runs in the background, is ended like a user would,
# and its JSON is added up. Source it after trace.sh.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # shared with lib.sh and volume.sh

bpffs=/sys/fs/bpf
object=$SWB_TOP/bpf/build/swblock_lat.bpf.o

require_bpf()
{
	[ -e /proc/sys/kernel/unprivileged_bpf_disabled ] || skip "no BPF in this kernel"
	require_tool bpftool swblock-lat
	if ! mountpoint -q $bpffs; then
		must mount -t bpf none $bpffs
		defer umount $bpffs
	fi
}

# programs: how many count; kernel threads free them a little later
programs()
{
	bpftool -j prog show | jq '[.[] | select(.name == "on_stage")] | length'
}

programs_are()
{
	[ "$(programs)" = "$1" ]
}

# lat_start NAME [OPTION...]: counts from here on; writes $swb_tmp/NAME and NAME.err
lat_start()
{
	local name=$1

	shift
	swblock-lat "$@" >"$swb_tmp/$name" 2>"$swb_tmp/$name.err" &
	lat_pid[$name]=$!
	defer kill -9 "$!"
	poll_until 30 grep -q "^swblock-lat: attached" "$swb_tmp/$name.err" || {
		quoted "$(cat "$swb_tmp/$name.err")"
		die "swblock-lat $* does not attach"
	}
}

# complaints NAME: what it said but that it is attached
complaints()
{
	grep -v "^swblock-lat: attached" "$swb_tmp/$1.err"
}

# lat_end NAME [SIGNAL]: its exit code
lat_end()
{
	kill "-${2:-INT}" "${lat_pid[$1]}"
	wait "${lat_pid[$1]}"
}

# check_ends DESCRIPTION NAME [SIGNAL]: well. Not by check, which waits in a subshell.
check_ends()
{
	local what=$1

	shift
	lat_end "$@"
	check_same "$what" 0 "$?"
}
declare -A lat_pid

# bpf_count FILE STAGE [PEER]: events of all its intervals, of member a
bpf_count()
{
	local which=

	[ -z "${3-}" ] || which=" and .peer == \"$3\""
	jq -s "[.[].rows[] | select(.member == \"$VOL/a\" and .stage == \"$2\"$which) | .count] |
		add // 0" "$swb_tmp/$1"
}

# dumped MAP STAGE VOLUME: the same by bpftool, with the names that are in the map's BTF
dumped()
{
	bpftool -j map dump pinned "$1" | jq "[.[].formatted | select(.key.stage == \"$2\" and
		.key.volume == $3) | .value.slot | add] | add // 0"
}
