#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# status says in words what a volume waits for, and never in sync unless proved.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

fresh a b
says()
{
	swblockctl status "$1" | grep -q "$2"
}
check "no role" says vol/a 'no role'
check "what to do about it" says vol/a 'promote'
assign sync_all
need promote a
check "primary, with epoch and mode" says vol/a 'primary.*epoch [0-9]*.*sync_all'
check "the peer is detached" says vol/a 'b .*detached'
check_not "nobody is in sync yet" says vol/a in_sync
check "it is degraded" says vol/a degraded
background swbload write "$(bd a)" -n 1 -b 1
check "a barrier waits for a peer, by name" poll_until 15 has_condition a waiting_peer
check "and in words" says vol/a 'waiting_peer:.*required peer'
need link_members a b
check_ended "the barrier ends" $bg 30
poll_until 20 in_sync a b || die "not in sync"
check "in sync is said when proved" says vol/a 'b .*in_sync'
check_not "degraded is over" says vol/a degraded
check "the replica shows its role" says vol/b replica
need remove_member a --force
check_code 3 "what is gone is not shown" swblockctl status vol/a
finish
