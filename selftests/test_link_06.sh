#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The line is cut at each step of the open and of catch-up, before, behind and in the
# middle of a frame: nothing is lost, and the next link brings both level.
# timeout: 600
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"

two best_effort
n=1
for step in a:OPEN:1 b:FACTS:1 a:START:1 b:ACK:1 a:DATA:1 b:ACK:2 a:DATA:3 a:DATA:5; do
	for how in cut cut-after half; do
		# something to catch up with
		need load_write a -l "$n" -f "$(((n - 1) * 12 + 1))" -n 12 -b 4
		n=$((n + 1))
		proxy_start "$step=$how"
		if ! poll_until 3 said "^# .* -> $how\$"; then
			note "$step=$how: the step was not reached"
		fi
		stop_proxy
		check "$step=$how: level again" level a b
		need swblockctl unlink vol/a b
	done
done
check "the primary has every write" load_verify a
level a b || die "no link at the end"
need swblockctl demote vol/a
check "promote the other" promote b
check "and the replica has every write" load_verify b
finish
