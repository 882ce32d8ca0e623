# SPDX-License-Identifier: GPL-2.0-only
# What tests of latencies and tracepoints share: counts of stages, members on disks
# that can be made slow, the kernel's trace of swblock events. Source it after volume.sh.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # shared with lib.sh and volume.sh

trace=/sys/kernel/tracing

# writes MEMBER FIRST COUNT: so many records of one block, one after the other
writes()
{
	need dd if=/dev/zero of="$(bd "$1")" bs=4k seek="$2" count="$3" oflag=direct \
		conv=notrunc status=none
}

# lat MEMBER JQ [OPTION...]: of `swblockctl latency -j`
lat()
{
	swblockctl latency -j "$VOL/$1" "${@:3}" | jq -r "$2"
}

# rows MEMBER STAGE PEER JQ: of the list of histograms of a stage, of one peer unless
# PEER is empty
rows()
{
	local of=

	[ -z "$3" ] || of=" and .member == \"$3\""
	lat "$1" "[.stages[] | select(.stage == \"$2\"$of)] | $4"
}

# stage MEMBER STAGE [PEER]: how often it was counted, over all members without PEER
stage()
{
	rows "$1" "$2" "${3-}" 'map(.count) | add // 0'
}

# p MEMBER STAGE WHICH [PEER]: a percentile in microseconds; WHICH is p50 to p999
p()
{
	rows "$1" "$2" "${4-}" "map(.${3}_ns) | max / 1000 | floor"
}

stage_is()
{
	[ "$(stage "$1" "$2")" = "$3" ]
}

# behind_dm NAME...: these members live on a thin layer over their scratch disk
behind_dm()
{
	require_disks 3
	require_module dm_delay
	while [ $# -gt 0 ]; do
		dm "$1" "${swb_disks[$(index_of "$1")]}"
		lower[$1]=$dm_dev
		shift
	done
}

# slow NAME MS: from now on the disk takes that much longer for each write
slow()
{
	local size disk

	read -r _ size _ disk _ <<<"${dm_under[$1]}"
	must dm_table "$1" "0 $size delay $disk 0 0 $disk 0 $2"
}

# trace_on: every event of ours, from here on
trace_on()
{
	[ -d $trace/events/swblock ] || skip "no tracepoints in this kernel"
	echo 0 >$trace/tracing_on
	echo nop >$trace/current_tracer
	echo 16384 >$trace/buffer_size_kb
	echo >$trace/trace
	echo 1 >$trace/events/swblock/enable
	defer trace_off
	echo 1 >$trace/tracing_on
}

trace_off()
{
	echo 0 >$trace/tracing_on
	echo 0 >$trace/events/swblock/enable
	echo 4 >$trace/buffer_size_kb
}

# trace_take: what was seen goes to $swb_tmp/trace; die if the buffer was too small
trace_take()
{
	local lost

	echo 0 >$trace/tracing_on
	cat $trace/trace >"$swb_tmp/trace"
	lost=$(sed -n 's/^# entries-in-buffer\/entries-written: \([0-9]*\)\/\([0-9]*\).*/\1 \2/p' \
		"$swb_tmp/trace")
	[ "${lost% *}" = "${lost#* }" ] || die "the trace has lost events: $lost"
}

# seen EVENT REGEX: an event with these words
seen()
{
	grep -Eq " swblock_$1: .*$2" "$swb_tmp/trace"
}

# events EVENT REGEX FIELD: the sum of a field over such events
events()
{
	grep -E " swblock_$1: .*$2" "$swb_tmp/trace" | sed "s/.* $3=\([0-9]*\).*/\1/" |
		awk '{ n += $1 } END { print n + 0 }'
}
