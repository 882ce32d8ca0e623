# SPDX-License-Identifier: GPL-2.0-only
# Recordings for tools/crash: a volume on dm-log-writes, with the kernel's trace of
# its requests. Source it after volume.sh.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # shared with lib.sh and volume.sh

trace=/sys/kernel/tracing
record_mib=4	# superblocks, ring, bitmap, extent: one each

# lone_recorded BLOCK-BYTES [SECTOR-BYTES]: a member, its own primary, under the
# recorder; the ring is allocated in sectors of the disk
lone_recorded()
{
	local base=${swb_disks[0]} log=${swb_disks[1]}

	load_module
	if [ -n "${2-}" ]; then
		require_module loop
		base=$(losetup -f --show -b "$2" "$base") || skip "no loop device"
		defer losetup -d "$base"
	fi
	wipe_disk "$base"
	size=1M wal_size=1M lower[a]=$base
	format_member a --block-size "$1"
	need add_member a
	assign best_effort
	need remove_member a
	need dd if="$base" of="$swb_tmp/base.img" bs=1M count=$record_mib status=none
	must dmsetup create swbt-rec --noudevsync \
		--table "0 $((record_mib * 2048)) log-writes $base $log"
	defer dmsetup remove --force --noudevsync swbt-rec
	lower[a]=/dev/mapper/swbt-rec
	trace_start "$base"
	need add_member a
	need promote a
}

# trace_event NAME DEVICE: trace it, of this device only
trace_event()
{
	local numbers

	numbers=$(stat -L -c '%t %T' "$2")
	echo "dev == $((0x${numbers% *} << 20 | 0x${numbers#* }))" >$trace/events/block/"$1"/filter
	echo 1 >$trace/events/block/"$1"/enable
}

# Issued: as the disk sees it. Completed: as the volume does.
trace_start()
{
	[ -d $trace/events/block/block_bio_queue ] || skip "no block events in the trace"
	echo 0 >$trace/tracing_on
	echo nop >$trace/current_tracer
	# one counter for all processors: what happened before has the lower number
	echo counter >$trace/trace_clock
	echo 65536 >$trace/buffer_size_kb
	echo >$trace/trace
	trace_event block_bio_queue "$1"
	trace_event block_bio_complete /dev/mapper/swbt-rec
	defer trace_stop
	echo 1 >$trace/tracing_on
}

trace_stop()
{
	echo 0 >$trace/tracing_on
	echo 0 >$trace/events/enable
	echo 4 >$trace/buffer_size_kb
	echo local >$trace/trace_clock
}

# as a crash, as far as this disk is concerned: nothing is flushed on the way out
reattach_command()
{
	local quiet='>/dev/null 2>&1'

	echo "swblockctl remove $VOL/a --force $quiet && swblockctl add ${lower[a]}" \
		"--minor $(minor_of a) $quiet && swblockctl promote $VOL/a $quiet"
}

# The sources that this module was made of, as far as anybody can say.
commit_here()
{
	local id

	id=$(git -C "$SWB_TOP" rev-parse --short=12 HEAD 2>/dev/null) || id=unknown
	git -C "$SWB_TOP" diff --quiet HEAD -- kmod 2>/dev/null || id+=-changed
	echo "$id"
}

# record_run OUT BLOCK-BYTES: workloads on stdin; OUT is the recording
record_run()
{
	local out=$1 block=$2 lost said

	said=$(swbops "$(bd a)" -B "$block" -k 64 -r "$(reattach_command)" 2>&1) ||
		die "the workload: $said"
	note "$said"
	need remove_member a
	must dmsetup remove --noudevsync swbt-rec
	echo 0 >$trace/tracing_on
	cat $trace/trace >"$swb_tmp/trace"
	lost=$(sed -n 's/^# entries-in-buffer\/entries-written: \([0-9]*\)\/\([0-9]*\).*/\1 \2/p' \
		"$swb_tmp/trace")
	[ "${lost% *}" = "${lost#* }" ] || die "the trace has lost events: $lost"
	must swbcrash pack --base "$swb_tmp/base.img" --log "${swb_disks[1]}" \
		--trace "$swb_tmp/trace" --out "$out" --block-bytes "$block" --blocks 64 \
		--bytes $((record_mib << 20)) --commit "$(commit_here)" --kernel "$(uname -r)"
}
