#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 400
# Events of the kernel are lost (their socket overflows while the daemon is frozen) or come
# again: the daemon sees the gap, looks at all members anew, and acts on none of them twice.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/cluster.sh"

lease_ms=60000 silence=60s
# small buffers for the events of daemons: a handful of events fills them
room=$(sysctl -n net.core.rmem_max)
must sysctl -q -w net.core.rmem_max=8192
defer sysctl -q -w "net.core.rmem_max=$room"
cluster_up
must sysctl -q -w "net.core.rmem_max=$room"
find_others
b=${others[0]} epoch=$(rec .epoch)
need load_write "$primary" -n 20
sees_gap()
{
	grep -q 'events of the module were lost' "$swb_tmp/$1.log"
}

# datagrams that found no room, all sockets together (the ninth column)
drops()
{
	awk 'NR > 1 { n += $9 } END { print n + 0 }' /proc/net/netlink
}

# What every daemon hears of: many changes of a condition.
conditions()
{
	local i

	for ((i = 0; i < 25; i++)); do
		swblockctl suspend "$VOL/$1" && swblockctl resume "$VOL/$1" || return
	done
}

before=$(drops)
kill -STOP "${daemon_pid[$primary]}" "${daemon_pid[$b]}"
check "many events" conditions "$primary"
check "sockets overflow" test "$(drops)" -gt "$before" || quoted "$(cat /proc/net/netlink)"
# a session ends while nobody can hear of it
need swblockctl unlink "$VOL/$primary" "$b"
kill -CONT "${daemon_pid[$primary]}" "${daemon_pid[$b]}"
check "the primary's daemon sees the gap" poll_until 30 sees_gap "$primary"
check "so does the other one" poll_until 30 sees_gap "$b"
await 60 "the link whose end nobody heard of is made again" all_in_sync
check_same "nobody was fenced" "$epoch" "$(rec .epoch)" || show_logs

# a report that was there before, again and again, with cookies of somebody else
for i in 1 2 3; do
	need swblockctl adopt "$VOL/$b"
done
sleep 2
check_same "reports that come again change nothing" "$epoch" "$(rec .epoch)" || show_logs
await 60 "everybody is in sync" all_in_sync
check "writes go on" load_write "$primary" -l 2 -f 21 -n 20
check "all data is there" load_verify "$primary"
check_history
finish
