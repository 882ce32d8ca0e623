# SPDX-License-Identifier: GPL-2.0-only
# The teardown matrix: what state the disk, the peer, the ring and the device are in,
# and which verb comes; every verb returns within its deadline. Source it after
# volume.sh and link.sh, and after matrix_daemon.sh for cells with daemons. A cell is
# one combination:
#
#   disk   of the primary: ok, erroring, hanging, gone (the block device is deleted)
#   peer   required: ok, slow (each ack 0.3 s late), dead (no link any more)
#   ring   empty, or full: as full as writers can make it
#   open   the device is open, with writers and a reader under way, or closed
#   daemon down: all by hand; up: declared, and served by a swblockd for each member
#
# One line is printed for each cell: seconds and exit code of each verb, what was left
# when the forced removal had returned, and how long the rest took to go away.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # shared with lib.sh, volume.sh and link.sh

require_module null_blk

nullb=/sys/kernel/config/nullb
# deadlines are those of an idle machine, and what hangs hangs for ever: a debug
# kernel and emulation, beside other guests, have more
slow_factor=3

# --- disks -----------------------------------------------------------------------

null_disk()
{
	mount -t configfs none /sys/kernel/config 2>/dev/null
	must mkdir "$nullb/swbt"
	echo 1 >"$nullb/swbt/memory_backed"
	echo 64 >"$nullb/swbt/size"
	echo 1 >"$nullb/swbt/power"
	null_dev=/dev/nullb$(cat "$nullb/swbt/index")
	[ -b "$null_dev" ] || null_dev=/dev/swbt
	poll_until 5 test -b "$null_dev" || die "set-up: no $null_dev"
}

null_disk_free()
{
	[ ! -d "$nullb/swbt" ] || rmdir "$nullb/swbt"
}

make_disk()
{
	if [ "$1" = gone ]; then
		null_disk
		lower[a]=$null_dev
	else
		dm_under[a]="0 $((64 * 2048)) linear ${swb_disks[0]} 0"
		must dmsetup create swbt-a --noudevsync --table "${dm_under[a]}"
		lower[a]=/dev/mapper/swbt-a
	fi
}

break_disk()
{
	case $1 in
	erroring) dm_cut a ;;
	hanging) dm_freeze a ;;
	gone) echo 0 >"$nullb/swbt/power" ;;
	esac
}

heal_disk()
{
	[ "$1" != hanging ] || dm_thaw a
}

free_disk()
{
	null_disk_free
	[ ! -e /dev/mapper/swbt-a ] || poll_until 10 dmsetup remove --noudevsync swbt-a
}

# --- peer, ring, openers ------------------------------------------------------------

make_peer()
{
	case $1 in
	ok)
		must link_members a b
		poll_until 20 in_sync a b || die "b does not come in sync"
		;;
	slow)
		proxy_start "b:ACK:*=late"
		poll_until 60 in_sync a b || die "b does not come in sync through the proxy"
		;;
	dead)
		need remove_member b --force
		;;
	esac
}

# pair_by_hand PEER: a is primary, b is in sync, and then what PEER says
pair_by_hand()
{
	fresh a b
	assign sync_all
	need promote a
	make_peer ok
}

# Writers without end if the device may stay open, else as many as fit.
fill_ring()
{
	if [ "$1" = closed ]; then
		need dd if=/dev/zero of="$(bd a)" bs=4k count=60 oflag=direct status=none
		return 0
	fi
	swbload write "$(bd a)" -n 0 -b 0 -q >/dev/null 2>&1 &
	writers+=($!)
	swbload write "$(bd a)" -n 0 -b 0 -q -s 2 >/dev/null 2>&1 &
	writers+=($!)
	poll_until 4 has_condition a ring_full && was_full=' (full)'
	return 0
}

# of a block that is not in the log any more, if it was ever written back
start_reader()
{
	dd if="$(bd a)" of=/dev/null bs=4k skip=$((size_blocks - 1)) count=1 iflag=direct \
		status=none 2>/dev/null &
	reader=$!
}

# --- verbs -----------------------------------------------------------------------

# verb NAME LIMIT COMMAND...: any exit code will do, if it comes in time
verb()
{
	local name=$1 limit=$(($2 * slow_factor)) t=$EPOCHREALTIME rc
	shift 2

	timeout -k 1 "$limit" "$@" >"$swb_tmp/verb.$name" 2>&1
	rc=$?
	line+=" $name $(awk -v a="$t" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }')/$rc"
	if [ $rc = 124 ] || [ $rc = 137 ]; then
		late+=" $name"
		line+="!"
	fi
	return $rc
}

# what is in D state, kernel threads, too: "PID:NAME ..."; no process is started for it
stuck()
{
	local p stat name

	for p in /proc/[0-9]* ${daemon_task:+"/proc/$daemon_task/task"/*}; do
		read -r stat 2>/dev/null <"$p/stat" || continue
		name=${stat#*(}
		stat=${stat##*) }
		[ "${stat%% *}" != D ] || echo "${p#/proc/}:${name%)*}"
	done
}

# nobody in D state but the reader
only_reader_stuck()
{
	local s

	for s in $(stuck); do
		[ "${s%%:*}" = "${reader:-none}" ] || return 1
	done
}

module_unused()
{
	[ "$(cat /sys/module/swblock/refcnt)" = 0 ]
}

all_gone()
{
	local p

	for p in "${writers[@]}" ${reader:+"$reader"}; do
		gone "$p" || return 1
	done
	! attached a && [ -z "$(stuck)" ]
}

verbs()
{
	verb status 5 swblockctl status
	verb explain 5 swblockctl explain "$VOL/a"
	verb suspend 10 swblockctl suspend "$VOL/a" --timeout 3
	verb resume 10 swblockctl resume "$VOL/a" --timeout 3
	verb verify 10 swblockctl verify "$VOL/a" --wait --timeout 3
	verb verify-stop 10 swblockctl verify "$VOL/a" --stop --timeout 3
	# the peer first, as it must be
	verb resize-b 10 swblockctl resize "$VOL/b" --size 16M --timeout 3
	verb resize 10 swblockctl resize "$VOL/a" --size 16M --timeout 3
	verb rebuild 10 swblockctl rebuild "$VOL/a" b --timeout 3
	verb unlink 5 swblockctl unlink "$VOL/a" b
	verb tune 5 swblockctl tune "$VOL/a" --io-deadline 60s
	verb adopt 15 swblockctl adopt "$VOL/a" --timeout 3
	verb promote 20 swblockctl promote "$VOL/a" --timeout 3
	# drains, and lets peers have the rest: 5 s each on top
	verb demote 20 swblockctl demote "$VOL/a" --timeout 3
	[ "$daemon" = down ] || verbs_declared_last
	verb remove 15 swblockctl remove "$VOL/a" --timeout 3
	# the polite one may have been enough
	attached a || return 0
	verb force 20 swblockctl remove "$VOL/a" --force --timeout 12
	verb status 5 swblockctl status
	verb explain 5 swblockctl explain "$VOL/a"
}

# --- a cell ----------------------------------------------------------------------

complain()
{
	bad+="; $*"
}

# After the forced removal: what hangs is named, counted, and holds the module.
check_left()
{
	if ! attached a; then
		line+=" left:nothing"
	elif [ "$1" = hanging ]; then
		poll_until $((20 * slow_factor)) has_condition a zombie ||
			complain "what is left is no zombie"
		line+=" left:zombie"
		timeout 10 rmmod swblock 2>/dev/null
		case $? in
		0) complain "rmmod took the module from under a zombie" ;;
		124) complain "rmmod hangs" ;;
		esac
	else
		complain "not removed: $(st a '.conditions | join(",")')"
	fi
	poll_until $((10 * slow_factor)) only_reader_stuck || {
		complain "in D state: $(stuck | tr '\n' ' ')"
		echo w >/proc/sysrq-trigger
		quoted "$(dmesg | sed -n '/Show Blocked State/,$p' | tail -n 80)"
	}
	[ -z "$reader" ] || ! in_d_state "$reader" || line+=" reader:D"
}

clean_cell()
{
	[ "$2" != slow ] || stop_proxy
	exec 4<&-
	! attached b || need remove_member b --force
	poll_until $((10 * slow_factor)) module_unused || complain "the module is in use"
	free_disk
}

# cell DISK PEER RING OPEN [up]
cell()
{
	local disk=$1 peer=$2 ring=$3 open=$4 daemon=${5:-down} line late='' bad='' was_full=''
	local t reader='' daemon_task='' writers=()

	members=()
	rm -f "$swb_tmp/history" "$swb_tmp/acks"
	make_disk "$disk"
	if [ "$daemon" = up ]; then
		declared_pair "$peer"
		daemon_task=${daemon_pid[a]}
		need load_write a -n 30 -b 10
		[ "$peer" != dead ] || lose_peer
	else
		pair_by_hand
		need load_write a -n 30 -b 10
		[ "$peer" = ok ] || need swblockctl unlink "$VOL/a" b
		[ "$peer" = ok ] || make_peer "$peer"
	fi
	exec 4<&-
	[ "$ring" = empty ] || fill_ring "$open"
	if [ "$open" = open ]; then
		exec 4<>"$(bd a)"
	fi
	line="disk=$disk peer=$peer ring=$ring$was_full $open daemon=$daemon:"
	break_disk "$disk"
	[ "$open" = closed ] || start_reader
	[ "$daemon" = down ] || verbs_declared
	verbs
	[ "$daemon" = down ] || daemons_stop
	check_left "$disk"
	t=$EPOCHREALTIME
	heal_disk "$disk"
	poll_until $((20 * slow_factor)) all_gone || complain "something does not end"
	line+=" rest $(awk -v a="$t" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }')"
	clean_cell "$disk" "$peer"
	[ -z "$late" ] || complain "late:$late"
	if [ -z "$bad" ]; then
		pass "$line"
	else
		fail "$line$bad"
		note "$(swblockctl status 2>&1 | tr '\n' ' ')"
	fi
}

# The module is unused, and goes. User-mode Linux unmaps page by page whatever lies between
# all memory of vmalloc() that became free: some cells leave it with hours of that.
goes()
{
	if [ "$SWB_KERNEL" = uml ]; then
		[ "$(cat /sys/module/swblock/refcnt)" = 0 ]
	else
		rmmod swblock
	fi
}

# matrix DISK PEER RING [up]: the two cells of a slice, and the module goes at the end
matrix()
{
	local open

	load_module
	# writers that wait for a dead peer are no fault, and take this long here
	echo 120 >/proc/sys/kernel/hung_task_timeout_secs
	size=8M wal_size=1M size_blocks=2048
	for open in closed open; do
		cell "$1" "$2" "$3" $open "${4-}"
	done
	check "the module can go" poll_until 20 goes
}
