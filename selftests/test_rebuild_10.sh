#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Discards, zeroes and large writes come in the middle of a copy, over blocks that were copied
# and blocks that were not: the stream is newer than any base block.
# timeout: 400
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/rebuild.sh"

wal_size=4M pair best_effort
write_more 30
away
need dd if=/dev/urandom of="$(bd a)" bs=1M count=16 oflag=direct conv=notrunc status=none
poll_until 30 written_back a
throttle a 512K
check "ordered and linked" copy_to a b
check "under way" poll_until 20 under_way a b
for i in 1 5 9 15 60; do
	need blkdiscard -o $((i * 1048576)) -l 65536 "$(bd a)"
	need blkdiscard -z -o $((i * 1048576 + 131072)) -l 393216 "$(bd a)"
	need dd if=/dev/urandom of="$(bd a)" bs=64k seek=$((i * 16 + 11)) count=3 oflag=direct \
		conv=notrunc status=none
done
check "still under way" rebuilding a b
throttle a 0
check "in sync" poll_until 60 in_sync a b
check_equal a b "both disks are equal"
here=$(digest a)
check "demote" swblockctl demote vol/a
check "promote the other" promote b
check_same "it shows the same" "$here" "$(digest b)"
check_clean a b
finish
