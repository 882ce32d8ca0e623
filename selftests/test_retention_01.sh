#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A budget in bytes: a peer that stands still keeps its history up to the budget and not beyond
# it; then its pin goes, with the reason, and it comes back by its changed blocks.
# timeout: 400
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/rebuild.sh"
. "$SWB_TOP/selftests/helpers/retention.sh"

pair best_effort
need swblockctl tune vol/a --catchup-max 1M
check_same "the budget shows" $((1 << 20)) "$(st a .catchup_max_bytes)"
still
head=$(st a .log.head_lsn)
fill 512
check "what it lacks shows, in bytes" poll_until 10 holds_above $((500 << 10))
check "below the budget it is kept" log_reaches "$head"
check "and the peer is not given up" peer_is a b .reason none || say_peer
fill 768
check "beyond it the peer is given up, reason budget" poll_until 30 given_up budget || say_peer
check "writes go on" fill 8192
check "and the log moves on" poll_until 20 trimmed "$head"
kill -CONT "$proxy_pid"
stop_proxy
check "ordered and linked" copy_to a b
check "in sync" poll_until 60 in_sync a b
check_same "by its changed blocks" delta "$(peer a b .rebuild.kind)"
check_equal a b "both disks are equal"
check "nothing is behind: 0 is 0" poll_until 10 not_behind a b
check_clean a b
finish
