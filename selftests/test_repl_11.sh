#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Zeroes, discards, FUA writes, page cache and large requests arrive at the replica as
# they were written, over many turns of the ring.
# timeout: 240
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"

wal_size=2M pair sync_all --policy received
check "writes, zeroes, discards" load_write a -n 200 -b 8 -z
check "with FUA" load_write a -l 2 -f 201 -n 50 -d -z
check "through the page cache" load_write a -l 3 -f 251 -n 60 -b 12 -c -z
check "large requests" sh -c "head -c 8M /dev/urandom |
	tee $swb_tmp/big | dd of=$(bd a) bs=1M seek=16 oflag=direct conv=fsync,notrunc status=none"
check "a large stretch of zeroes" blkdiscard -z -o 41943040 -l 8388608 "$(bd a)"
check "the ring went round" test "$(st a .stats.ring_wraps)" -ge 3
check "in sync all the time" in_sync a b
here=$(digest a)
need swblockctl demote vol/a
check "promote the replica" promote b
check_same "it is equal, block by block" "$here" "$(digest b)"
check "large requests arrived" sh -c "dd if=$(bd b) bs=1M skip=16 count=8 iflag=direct \
	status=none | cmp - $swb_tmp/big"
check "and the rest" load_verify b -z
finish
