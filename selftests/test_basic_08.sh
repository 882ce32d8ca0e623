#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Requests far larger than a record are split and read back whole.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

lone
dd if=/dev/urandom of="$swb_tmp/data" bs=1M count=16 status=none
check "16 MiB in one request" dd if="$swb_tmp/data" of="$(bd a)" bs=16M count=1 \
	oflag=direct conv=fsync status=none
check "read in one request" sh -c \
	"dd if=$(bd a) bs=16M count=1 iflag=direct status=none | cmp - $swb_tmp/data"
check "at an odd place" dd if="$swb_tmp/data" of="$(bd a)" bs=3584 count=1171 \
	seek=3 oflag=direct conv=notrunc status=none
check "read it back" cmp -n $((3584 * 1171)) -i 0:$((3584 * 3)) "$swb_tmp/data" "$(bd a)"
check "through the page cache" dd if="$swb_tmp/data" of="$(bd a)" bs=8M seek=2 \
	conv=fsync,notrunc status=none
check "read it directly" sh -c \
	"dd if=$(bd a) bs=8M skip=2 count=2 iflag=direct status=none | cmp - $swb_tmp/data"
check "the log was split into records" test "$(st a .log.head_lsn)" -gt 128
finish
