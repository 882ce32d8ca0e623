#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# In sync_quorum one member of three that stands still costs the ring nothing: barriers go on,
# the history goes round, its pin goes, and after a copy it counts again.
# timeout: 400
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/quorum.sh"
. "$SWB_TOP/selftests/helpers/rebuild.sh"
. "$SWB_TOP/selftests/helpers/retention.sh"

wal_size=1M quorum 3
still
head=$(st a .log.head_lsn)
wraps=$(st a .stats.ring_wraps)
for round in 1 2 3; do
	check "round $round: twice the ring, with barriers" fill 2048 ,fsync
done
check "the ring went round" test "$(st a .stats.ring_wraps)" -ge $((wraps + 3))
check "the pin went" poll_until 20 trimmed "$head"
check "the other member is in sync" in_sync a c
check_same "no request ran into its deadline" 0 "$(st a .stats.deadlines)"
kill -CONT "$proxy_pid"
stop_proxy
check "the one that lagged needs a copy, visibly" poll_until 20 peer_is a b .state needs_rebuild
check "ordered and linked" copy_to a b
check "in sync" poll_until 60 in_sync a b
check_equal a b "both disks are equal"
need swblockctl unlink vol/a c
check "it counts again: a majority with it" barrier a
check_clean a b c
finish
