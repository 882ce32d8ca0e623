#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A line that falls silent, with or without half a frame on it, is given up by both
# ends after the link deadline, at each step of the conversation.
# timeout: 400
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"

two best_effort
need swblockctl tune vol/a --link-deadline 2s
need swblockctl tune vol/b --link-deadline 2s
for step in a:OPEN:1 b:FACTS:1 a:START:1 b:ACK:1 a:DATA:1 b:ACK:2 a:PING:1; do
	for how in stall half-stall; do
		proxy_start "$step=$how"
		need put_block "$(bd a)" 9 s
		poll_until 5 said "^# .* -> $how\$" || note "$step=$how: not reached"
		check "$step=$how: the primary gives up" poll_until 15 detached a b
		check "$step=$how: so does the replica" poll_until 15 detached b a
		check_same "$step=$how: the reason" timeout "$(peer a b .reason)"
		stop_proxy
		check "$step=$how: level again" level a b
	done
done
finish
