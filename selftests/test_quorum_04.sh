#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A member behind a link that hangs costs nothing: neither time, nor ring space, and no
# condition but degraded. The link ends by its deadline.
# timeout: 150
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/quorum.sh"

wal_size=2M quorum 3 --policy written
need swblockctl tune vol/a --link-deadline 60s
need swblockctl unlink vol/a c
need poll_until 10 detached a c
proxy_between a c
need poll_until 20 in_sync a c
kill -STOP "$proxy_pid"
wraps=$(st a .stats.ring_wraps)
t0=$(date +%s%N)
check "load with barriers, many times the ring" load_write a -n 400 -b 8 -B 4096
check "large writes" dd if=/dev/urandom of="$(bd a)" bs=1M count=12 oflag=direct conv=fsync,notrunc
took=$((($(date +%s%N) - t0) / 1000000))
check "it takes less than the link's deadline ($took ms)" test "$took" -lt 55000
check "the ring went round" test "$(st a .stats.ring_wraps)" -ge $((wraps + 3))
check "nobody is waited for" lacks_condition a waiting_peer
check "the other one is in sync" in_sync a b
check_same "no request ran into its deadline" 0 "$(st a .stats.deadlines)"
kill -CONT "$proxy_pid"
stop_proxy
check "what was behind for too long needs a rebuild, visibly" \
	poll_until 20 peer_is a c '.state == "needs_rebuild" or .reason == "pin_lost"' true
check "barriers go on" barrier a
finish
