#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# swblockctl killed in the middle of any verb leaves a state that goes on.
# timeout: 150
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

fresh a b
assign sync_all
# delays in milliseconds spread over what a verb takes here
kill_one()
{
	local after=$1 pid
	shift

	swblockctl "$@" >/dev/null 2>&1 &
	pid=$!
	sleep "$after"
	kill -KILL $pid 2>/dev/null
	wait $pid 2>/dev/null
	return 0
}
for after in 0.005 0.02 0.05 0.1 0.2 0.4; do
	kill_one $after promote vol/a
	kill_one $after link vol/a b --pair
	kill_one $after remove vol/b
	kill_one $after add "${lower[b]}" --minor 11
	kill_one $after monitor
	kill_one $after demote vol/a
	timeout 20 swblockctl status >/dev/null || fail "status after killing at $after s"
done
pass "status answered all the time"
attached b || add_member b >/dev/null 2>&1
poll_until 10 attached b || need add_member b
check "a can be promoted" poll_until 30 promote a
check "b can be linked" poll_until 30 link_members a b
check "and comes in sync" poll_until 30 in_sync a b
check "barriers succeed" load_write a -n 20 -b 2
check "and are read" load_verify a
check "members can be removed" sh -c 'swblockctl remove vol/a && swblockctl remove vol/b'
check "rmmod" poll_until 20 rmmod swblock
finish
