#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Two members over TCP between two network namespaces: replication under load, a cable
# that is pulled and plugged in again, IPv4 and IPv6.
# timeout: 240
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"

require_tool ip
ip netns add swba 2>/dev/null && ip netns add swbb || skip "no network namespaces"
defer ip netns del swba
defer ip netns del swbb
must ip link add va netns swba type veth peer name vb netns swbb
must ip -n swba addr add 10.9.0.1/24 dev va
must ip -n swbb addr add 10.9.0.2/24 dev vb
must ip -n swba addr add fd09::1/64 dev va nodad
must ip -n swbb addr add fd09::2/64 dev vb nodad
must ip -n swba link set va up
must ip -n swbb link set vb up

# over ADDRESS: b listens, a connects
over()
{
	swblockctl link vol/b a --listen "$1" --netns swbb --insecure --no-wait \
		>"$swb_tmp/listen.out" 2>&1 &
	local listener=$! i

	for ((i = 0; i < 50; i++)); do
		swblockctl link vol/a b --connect "$1" --netns swba --insecure \
			>"$swb_tmp/connect.out" 2>&1 && break
		sleep 0.2
	done
	wait "$listener" && return 0
	quoted "$(cat "$swb_tmp/listen.out" "$swb_tmp/connect.out")"
	return 1
}

fresh a b
assign sync_all --policy written
need promote a
check "linked over IPv4" over 10.9.0.2:7800
check "in sync" poll_until 20 in_sync a b
check "writes and barriers" load_write a -n 60 -b 6
need swblockctl tune vol/a --link-deadline 2s
need swblockctl tune vol/b --link-deadline 2s
load_background a -l 2 -f 61 -n 100 -b 6
must ip -n swba link set va down
check "the cable is pulled: given up in time" poll_until 20 detached a b
check "by both" poll_until 20 detached b a
# our own deadline, or TCP's, whichever comes first
check "for this reason" grep -qxE 'timeout|socket_error' <<<"$(peer a b .reason)"
check "the writer waits" kill -0 "$bg"
must ip -n swba link set va up
must ip -n swba addr replace fd09::1/64 dev va nodad
check "linked over IPv6" over '[fd09::2]:7801'
check_ended "the writer ends" "$bg" 60
check_same "with success" 0 "$ended"
check "in sync" poll_until 20 in_sync a b
need swblockctl demote vol/a
check "promote the other" promote b
check "it has everything" load_verify b
need remove_member a
need remove_member b
check "the module can go: no socket holds it" unload_module
finish
