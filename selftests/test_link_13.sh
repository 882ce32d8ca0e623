#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Over TCP a broken or lying peer costs its link as it does over a unix socket: garbage,
# wrong frames, half frames, silence, a reset stream.
# timeout: 300
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"

ip link set lo up
# shellcheck disable=SC2034 # for helpers/link.sh
proxy_opts=(--tcp)
two best_effort
need swblockctl tune vol/a --link-deadline 3s
need swblockctl tune vol/b --link-deadline 3s
proxy_start
check "in sync through a TCP line" poll_until 20 in_sync a b
need load_write a -n 30
# the proxy dies with bytes unread on both lines: a reset
kill -STOP "$proxy_pid"
need load_write a -l 2 -f 31 -n 10 -b 0
stop_proxy
check "a reset stream ends the link" poll_until 15 detached a b
check "on both sides" poll_until 15 detached b a
check "level again" level a b
for kind in garbage half silent close; do
	fake_peer b a "$kind"
	check "a peer that is $kind" poll_until 20 grep -q '^b END' "$swb_tmp/fake.out"
	check "$kind: the replica is detached" poll_until 10 detached b a
	wait "$fake_pid"
done
level a b || die "no good link"
spoilt a:OPEN:1=bad-body-crc b bad_body_crc
spoilt a:DATA:1=bad-payload b bad_payload_crc
spoilt a:DATA:1=session b stale_session
spoilt b:ACK:1=ack-beyond a ack_beyond
for how in cut half stall half-stall; do
	proxy_start "a:DATA:2=$how"
	need put_block "$(bd a)" 5 x
	need put_block "$(bd a)" 6 x
	check "$how: the primary gives the line up" poll_until 15 detached a b
	stop_proxy
	check "$how: level again" level a b
done
need swblockctl demote vol/a
check "promote the other" promote b
check "the module's tables are sound" test "$(($(st a .stats.asserts) +
	$(st b .stats.asserts)))" = 0
finish
