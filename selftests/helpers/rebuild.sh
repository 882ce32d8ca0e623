# SPDX-License-Identifier: GPL-2.0-only
# What tests of delta and rebuild share. Source it after link.sh.
# shellcheck shell=bash
# shellcheck disable=SC2154 # shared with lib.sh and volume.sh

# away: b is unlinked, and a writes until b's place in the history is gone. Operations go
# on behind $ops; $load_opts are options of swbload for all lives and for verify.
ops=0
load_opts=()
away()
{
	local head

	swblockctl unlink vol/a b >/dev/null 2>&1
	poll_until 10 detached a b || die "set-up: unlink"
	head=$(st b .log.head_lsn)
	beyond "$head"
}

# beyond LSN: a writes until LSN + 1 has left its log
beyond()
{
	local head=$1

	for _ in $(seq 20); do
		write_more 60
		poll_until 2 trimmed "$head" && return
	done
	die "set-up: the history of LSN $head stays"
}

trimmed()
{
	[ "$(st a .log.start_lsn)" -gt $(($1 + 1)) ]
}

# write_more N [MEMBER]: the next N operations on a, one more life of swbload
life=0
write_more()
{
	local n=$1

	life=$((life + 1))
	load_write "${2:-a}" -l "$life" -f $((ops + 1)) -n "$n" -b 8 "${load_opts[@]}" >"$swb_tmp/write.out" ||
		{ quoted "$(tail -n 5 "$swb_tmp/write.out")"; die "set-up: load"; }
	ops=$((ops + n))
}

# copy_to A B: the order, and the link with which it begins
copy_to()
{
	swblockctl rebuild "vol/$1" "$2" >"$swb_tmp/link.out" 2>&1 ||
		{ cat "$swb_tmp/link.out"; return 1; }
	link_members "$1" "$2"
}

# throttle A RATE: so slow that a test can come between
throttle()
{
	need swblockctl tune "vol/$1" --rebuild-rate "$2"
}

rebuilding()
{
	peer_is "$1" "$2" .state rebuilding
}

# under_way A B: some base blocks have gone, and not all
under_way()
{
	[ "$(peer "$1" "$2" '.state == "rebuilding" and .rebuild.done_bytes > 0 and
		.rebuild.done_bytes < .rebuild.todo_bytes')" = true ]
}

# check_holds MEMBER DESCRIPTION: it shows what was written, with every barrier
check_holds()
{
	check "$2" load_verify "$1" "${load_opts[@]}"
}

# void NAME: the mark of an unfinished copy is in its superblock
void()
{
	has_condition "$1" inconsistent
}

extent_digest()
{
	local off len

	off=$(swbdisk get "${lower[$1]}" extent_offset)
	len=$(swbdisk get "${lower[$1]}" extent_bytes)
	dd if="${lower[$1]}" bs=1M skip=$((off / 1048576)) count=$((len / 1048576)) iflag=direct \
		status=none | sha256sum | cut -d ' ' -f 1
}

# check_equal A B DESCRIPTION: their extents, as they are on the lower disks, are the
# same, block by block; nobody writes
check_equal()
{
	poll_until 30 written_back "$1" || { fail "$3: $1 does not write back"; return 1; }
	poll_until 30 written_back "$2" || { fail "$3: $2 does not write back"; return 1; }
	check_same "$3" "$(extent_digest "$1")" "$(extent_digest "$2")"
}

# random_writes MEMBER [FIO-OPTION...]: in the background, until $bg is killed
random_writes()
{
	local dev
	dev=$(bd "$1")
	shift

	fio --name=busy --filename="$dev" --size=48M --bs=4k --rw=randwrite --direct=1 \
		--ioengine=libaio --iodepth=4 --time_based --runtime=600 --fsync=64 --thread "$@" \
		>"$swb_tmp/fio.out" 2>&1 &
	# shellcheck disable=SC2034 # for the test
	bg=$!
	poll_until 20 writes_above a "$(st a .stats.writes)" || die "set-up: no writes"
}

writes_above()
{
	[ "$(st "$1" .stats.writes)" -gt "$2" ]
}

stop_writes()
{
	kill -TERM "$bg" 2>/dev/null
	poll_until 20 gone "$bg" || kill -9 "$bg" 2>/dev/null
	wait "$bg" 2>/dev/null
	return 0
}

# check_clean MEMBER...: no invariant was seen broken, and the kernel has nothing to say
check_clean()
{
	local m sum=0

	for m in "$@"; do
		sum=$((sum + $(st "$m" .stats.asserts)))
	done
	check_same "no invariant was seen broken" 0 "$sum"
	check_not "and no report of the kernel" grep -E \
		'KASAN|BUG:|WARNING:|possible recursive locking|INFO: task|circular locking' \
		<<<"$(dmesg_since_mark)"
}
