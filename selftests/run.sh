#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Guest side of `scripts/vm test`: runs the tests of the plan one by one, judges
# each by its exit code and by what the kernel said meanwhile, and cleans up.
# A test that leaves the kernel in doubt (splat, stuck process, module that does
# not unload) ends this guest; the host boots a fresh one for the rest.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
. "$here/settings"
. "$SWB_TOP/scripts/lib/guest-report.sh"

splat='WARNING:|\bBUG\b|Oops|KASAN|UBSAN|KFENCE|Call Trace|cut here|INFO: task|INFO: rcu'
splat="$splat|INFO: trying to register|INFO: possible|possible (recursive|circular|irq lock)"
splat="$splat|inconsistent lock state|suspicious RCU|held lock freed|lock held when returning"
splat="$splat|refcount_t|general protection|unable to handle|corruption|ODEBUG|DEBUG_LOCKS"
splat="$splat|[Ll]eaked|Objects remaining|still has objects|soft lockup|hard LOCKUP"
splat="$splat|workqueue lockup|blocked for more than|sleeping function|stack-protector"
splat="$splat|scheduling while atomic|Bad page|Busy inodes|unregister_netdevice"

fresh_guest()
{
	report "fresh"
	sync -f /run/swb/out
	busybox poweroff -f
	sleep 60
}

mark()
{
	echo "swb-test: $*" >/dev/kmsg
}

# The kernel's words since the mark of the running test.
dmesg_since()
{
	dmesg | awk -v m="swb-test: $1" 'index($0, m) { text = ""; next } { text = text $0 "\n" }
		END { printf "%s", text }'
}

limit_of()
{
	local own

	own=$(sed -n '1,15s/^# timeout: *\([0-9]*\).*/\1/p' "$1")
	echo "${SWB_TEST_TIMEOUT:-${own:-$timeout}}"
}

# Not bash's SECONDS: a test may set the clock.
uptime_s=0
read_uptime()
{
	read -r uptime_s _ </proc/uptime
	uptime_s=${uptime_s%.*}
}

# Returns the test's code, 124 if it ran out of time, 125 if it cannot be killed.
run_limited()
{
	local limit=$1 pid rc end
	shift

	reported setsid -w "$@" &
	pid=$!
	read_uptime
	end=$((uptime_s + limit))
	while kill -0 "$pid" 2>/dev/null && [ "$uptime_s" -lt "$end" ]; do
		sleep 0.1
		read_uptime
	done
	if ! kill -0 "$pid" 2>/dev/null; then
		wait "$pid"
		return
	fi
	echo w >/proc/sysrq-trigger
	kill_children "$pid"
	read_uptime
	end=$((uptime_s + 5))
	while kill -0 "$pid" 2>/dev/null; do
		read_uptime
		[ "$uptime_s" -lt "$end" ] || return 125
		sleep 0.1
	done
	return 124
}

descendants()
{
	local c

	for c in $(pgrep -P "$1"); do
		descendants "$c"
		echo "$c"
	done
}

# Bottom up would let a parent start a new child; stop all of them first.
kill_children()
{
	local all

	all=$(descendants "$1")
	# shellcheck disable=SC2086 # a list of numbers
	kill -STOP $all 2>/dev/null
	# shellcheck disable=SC2086
	kill -KILL $all 2>/dev/null
}

exists()
{
	[ -e "$1" ]
}

# Give back everything a test may have left. Says what could not be undone.
clean_up()
{
	local m d ns p i

	# everything of a test has its cookie in the environment
	grep -lzsx "SWB_TEST=$1" /proc/[0-9]*/environ | tr -dc '0-9\n' | while read -r p; do
		kill -KILL "$p" 2>/dev/null
	done
	awk '$1 ~ /^\/dev\/(swblock|mapper|dm-|loop|vd|ubd|ram|nullb)/ { print $2 }' /proc/mounts |
		sort -r | while read -r m; do
			umount "$m" 2>/dev/null || umount -l "$m"
		done
	if [ -e /sys/module/swblock ]; then
		for d in /sys/block/swblock*; do
			[ -e "$d" ] || continue
			timeout 20 swblockctl remove --force "${d##*/}" >/dev/null 2>&1
		done
	fi
	# every process costs tens of milliseconds in an emulated guest: look first
	if exists /sys/block/dm-*; then
		for d in $(dmsetup ls | awk '{ print $1 }'); do
			timeout 20 dmsetup remove --force --retry "$d" >/dev/null 2>&1
		done
	fi
	! exists /sys/block/loop*/loop || losetup -D
	for ns in /run/netns/*; do
		[ ! -e "$ns" ] || ip netns del "${ns##*/}"
	done
	# unloading trips user-mode Linux up now and then: there, only where a test
	# is about it, and being unused must do
	for ((i = 0; i < 20; i++)); do
		[ -e /sys/module/swblock ] || break
		if [ "$SWB_KERNEL" = uml ]; then
			[ "$(cat /sys/module/swblock/refcnt)" != 0 ] || break
		else
			timeout 20 rmmod swblock 2>/dev/null && break
		fi
		sleep 0.2
	done
	for m in null_blk brd scsi_debug; do
		[ ! -e "/sys/module/$m/refcnt" ] || rmmod "$m" 2>/dev/null
	done
	[ ! -e /sys/module/swblock ] || [ "$(cat /sys/module/swblock/refcnt)" = 0 ] ||
		echo "the module is still in use"
	[ ! -e /sys/module/swblock ] || [ "$SWB_KERNEL" = uml ] ||
		echo "the module cannot be unloaded"
	! exists /sys/block/dm-* || echo "dm devices remain"
}

run_one()
{
	local name=$1 phase=$2 file limit rc verdict=pass why='' left bad

	file=$SWB_TESTDIR/$name.sh
	limit=$(limit_of "$file")
	report "start $name $phase $limit"
	mark "begin $name $phase"
	export SWB_TEST=$name SWB_PHASE=$phase SWB_STATE=/run/swb/out/state/$name
	mkdir -p "$SWB_STATE"

	run_limited "$limit" bash "$file"
	rc=$?
	case $rc in
	0) ;;
	4) verdict=skip ;;
	124) verdict=fail why="timed out after $limit s" ;;
	125) verdict=fail why="timed out after $limit s and cannot be killed" ;;
	*) verdict=fail why="exit code $rc" ;;
	esac

	[ "$rc" = 125 ] || left=$(unset SWB_TEST; clean_up "$name" 2>&1)
	if [ -n "${left-}" ]; then
		verdict=fail
		why="$why${why:+; }left behind: ${left//$'\n'/, }"
	fi
	bad=$(dmesg_since "begin $name $phase" | grep -E "$splat" | head -n 1)
	if [ -n "$bad" ] && [ "$rc" -lt 124 ]; then
		verdict=fail
		why="$why${why:+; }kernel: ${bad#*] }"
	fi
	if [ "$verdict" = fail ]; then
		dmesg_since "begin $name $phase" | sed 's/^/| dmesg: /' | tail -n 150 >&9
	fi
	report "result $name $verdict $why"
	if [ -n "$bad" ] || [ "$rc" = 125 ] || [ -n "${left-}" ]; then
		fresh_guest
	fi
}

while read -r name phase; do
	run_one "$name" "$phase"
done </run/swb/out/plan
exit 0
