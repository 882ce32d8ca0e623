#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A frame of another session or epoch changes nothing, at each step of the conversation:
# records and an OPEN are refused at once, anything else is as if it had not come.
# timeout: 300
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"

# What belongs to no session is inert: it changes nothing, and a conversation that
# does not go on because of it ends by the link deadline.
inert()
{
	local rule=$1

	proxy_start "$rule"
	need put_block "$(bd a)" 9 s
	check "$rule: the line is given up" poll_until 15 said '^over'
	stop_proxy
	level a b || die "$rule: no link afterwards"
}

two best_effort
need swblockctl tune vol/a --link-deadline 2s
need swblockctl tune vol/b --link-deadline 2s
need put_block "$(bd a)" 4095 y
spoilt a:OPEN:1=epoch-older b stale_epoch
spoilt a:OPEN:1=epoch-newer b newer_epoch
spoilt a:DATA:1=session b stale_session
spoilt a:DATA:1=epoch-older b stale_epoch
spoilt a:DATA:1=epoch-newer b newer_epoch
inert b:FACTS:1=session
inert b:FACTS:1=epoch-older
inert a:START:1=session
inert a:START:1=epoch-older
inert b:ANY:*=epoch-older
inert 'b:ACK:*=session'
check_same "both are in one epoch still" "$(st a .epoch)" "$(st b .epoch)"
check_same "no invariant was seen broken" 0 "$(($(st a .stats.asserts) + $(st b .stats.asserts)))"
check "the primary still serves" put_block "$(bd a)" 7 z
finish
