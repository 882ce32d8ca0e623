#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The ring wraps many times, and what is read is always the newest write.
# timeout: 150
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

dm a "${swb_disks[0]}"
lower[a]=$dm_dev
wal_size=1M lone
for round in 1 2 3; do
	check "round $round: writes" load_write a -n 500 -b 25 -l $round \
		-f $((round * 500 - 499)) -k 512
	check "round $round: reads" load_verify a -k 512
done
wraps=$(st a .stats.ring_wraps)
check "the ring wrapped more than three times ($wraps)" test "$wraps" -gt 3
check "the checkpoint follows" test "$(st a .log.extent_lo)" -gt 1000
check_same "no invariant was broken" 0 "$(st a .stats.asserts)"
crash a
letter=$(add_letter a)
check "recovery in mid-ring (case $letter)" grep -q '^[HIJK]$' <<<"$letter"
need promote a
check "everything acknowledged is there" load_verify a -k 512
finish
