#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Discarded and zeroed ranges read as zeroes at once, later, and beside live data.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

lone
dd if=/dev/urandom of="$swb_tmp/data" bs=1M count=2 status=none
dd if=/dev/zero bs=1M count=2 of="$swb_tmp/zero" status=none
must dd if="$swb_tmp/data" of="$(bd a)" bs=1M oflag=direct conv=fsync,notrunc status=none
check "zeroing a range" blkdiscard -z -o 65536 -l 131072 "$(bd a)"
check "before it nothing changed" cmp -n 65536 "$swb_tmp/data" "$(bd a)"
check "the range reads as zeroes" cmp -n 131072 -i 0:65536 "$swb_tmp/zero" "$(bd a)"
check "behind it nothing changed" cmp -n 1900544 -i 196608:196608 "$swb_tmp/data" "$(bd a)"
if [ "$(cat /sys/block/swblock10/queue/discard_max_bytes)" -gt 0 ]; then
	check "discarding a range" blkdiscard -o 524288 -l 262144 "$(bd a)"
	check "what was discarded reads as zeroes" cmp -n 262144 -i 0:524288 \
		"$swb_tmp/zero" "$(bd a)"
else
	check_not "no discard is offered" blkdiscard -o 524288 -l 262144 "$(bd a)"
fi
check "a large range" blkdiscard -z -o 8M -l 48M "$(bd a)"
check "overwriting zeroes" dd if="$swb_tmp/data" of="$(bd a)" bs=64k seek=160 count=2 \
	oflag=direct conv=fsync,notrunc status=none
check "the newest write is read" cmp -n 131072 -i 0:10485760 "$swb_tmp/data" "$(bd a)"
must remove_member a
need add_member a
need promote a
check "zeroes survive" cmp -n 131072 -i 0:65536 "$swb_tmp/zero" "$(bd a)"
check "and so does what was written over them" \
	cmp -n 131072 -i 0:10485760 "$swb_tmp/data" "$(bd a)"
check "and what lies beside them" cmp -n 65536 "$swb_tmp/data" "$(bd a)"
finish
