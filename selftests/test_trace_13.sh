#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A request that hangs on a disk shows in debugfs with its age and what it waits for;
# the files can be read while the volume is taken away, for as long as that takes.
# timeout: 200
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/trace.sh"

load_module
[ -d /sys/kernel/debug/swblock ] || skip "no debugfs here"
behind_dm a
pair sync_all --policy written
dbg=/sys/kernel/debug/swblock/$(st a .volume_id)

state()
{
	grep -q "$1" "$dbg/state"
}

waits()
{
	grep -q "^$1 sector $2 .* waits $3 age " "$dbg/inflight"
}

empty()
{
	[ -z "$(cat "$dbg/inflight")" ]
}

age_ms()
{
	sed -n "s/^$1 sector $2 .* age \([0-9]*\)\..*/\1/p" "$dbg/inflight"
}

older()
{
	[ "$(age_ms "$1" "$2")" -ge "$3" ]
}

check "it is named" state "^vol/a id .* swblock10$"
check "its role" state "^role primary epoch $(st a .epoch) .* mode sync_all policy written "
check "its ring" state "^ring bytes $(st a .log.ring_bytes) used "
check "its peer" state "^peer [0-9] $(st b .replica) state in_sync required 1 "
check "the link" state "^peer [0-9] link up "
check "nothing is in flight" empty
check_same "for root only" 400 "$(stat -c %a "$dbg/state")"
put_block "$(bd a)" 5 x
wb() { written_back a; }
check "written back" poll_until 30 wb

dm_freeze a
put_block "$(bd a)" 100 y &
writer=$!
dd if="$(bd a)" of=/dev/null bs=4k skip=5 count=1 iflag=direct status=none &
reader=$!
check "the write waits for the log" poll_until 20 waits write 800 log
check "the read for the disk" poll_until 20 waits read 40 disk
check "with its age" poll_until 20 older write 800 1500
check "which is that of this write" test "$(age_ms write 800)" -lt 60000
check_same "and nobody else waits" 2 "$(wc -l <"$dbg/inflight")"
check "the state says how many" state "^io open inflight 2 "

exec 8<"$dbg/state"
exec 9<"$dbg/inflight"
{
	while cat "$dbg/state" "$dbg/inflight"; do
		:
	done
} >"$swb_tmp/read.out" 2>&1 &
looking=$!
swblockctl remove vol/a --force >"$swb_tmp/remove.out" 2>&1 &
remover=$!
check "it can be looked at while it is being removed" poll_until 20 state "^conditions.* removing"
check "the read that pins it is still there" poll_until 20 waits read 40 disk
dm_thaw a
check_ended "the removal ends" "$remover" 60
check "the directory is gone" poll_until 20 test ! -e "$dbg"
check_ended "whoever read it has seen its end" "$looking" 30
check_not "a file that was open says nothing any more" cat <&8
check_not "nor the other" cat <&9
check_ended "the write has ended" "$writer" 10
check_ended "the read too" "$reader" 10
exec 8<&- 9<&-
check "b is there" test -r "/sys/kernel/debug/swblock/$(st b .volume_id)/state"
need remove_member b
check_same "and nothing is left" "" "$(ls /sys/kernel/debug/swblock)"
finish
