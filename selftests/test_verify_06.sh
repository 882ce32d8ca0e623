#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Discards, zeroes and large writes during a comparison are no differences; a full ring
# and a fault on the replica at the same time are told apart.
# timeout: 240
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/quorum.sh"
. "$SWB_TOP/selftests/helpers/verify.sh"

size=16M wal_size=2M pair sync_all --policy received
need load_write a -n 100 -b 8 -z
churn()
{
	while :; do
		blkdiscard -z -o $((4 << 20)) -l $((2 << 20)) "$(bd a)"
		dd if=/dev/urandom of="$(bd a)" bs=1M seek=4 count=2 oflag=direct conv=notrunc status=none
	done
}
churn &
churner=$!
check "under discards no difference" verify
check "once more" verify
kill "$churner"
wait "$churner" 2>/dev/null
check_same "none was counted" 0 "$(st a .stats.verify_mismatches)"
flip_block b 3000
churn &
churner=$!
check_not "the block that did change is found" verify
check "repaired under load" verify --repair
kill "$churner"
wait "$churner" 2>/dev/null
check "no difference is left" verify
check_same "no invariant was seen broken" 0 \
	"$(($(st a .stats.asserts) + $(st b .stats.asserts)))"
finish
