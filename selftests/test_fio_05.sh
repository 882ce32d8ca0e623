#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Writes through the page cache and by mmap, synced, are the same on the device.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

require_tool fio
lone
check "buffered" fio --name=b --filename="$(bd a)" --size=6M --bs=4k --rw=randwrite \
	--ioengine=psync --direct=0 --end_fsync=1 --verify=crc32c --verify_fatal=1 \
	--output="$swb_tmp/fio.out"
check "by mmap" fio --name=m --filename="$(bd a)" --offset=8M --size=4M --bs=4k \
	--rw=randwrite --ioengine=mmap --end_fsync=1 --verify=crc32c --verify_fatal=1 \
	--output="$swb_tmp/fio.out"
sync "$(bd a)"
dd if="$(bd a)" of="$swb_tmp/cached" bs=1M count=12 status=none
dd if="$(bd a)" of="$swb_tmp/direct" bs=1M count=12 iflag=direct status=none
check "cache and device agree" cmp "$swb_tmp/cached" "$swb_tmp/direct"
need remove_member a
need add_member a
need promote a
dd if="$(bd a)" of="$swb_tmp/direct" bs=1M count=12 iflag=direct status=none
check "and so they do after a restart" cmp "$swb_tmp/cached" "$swb_tmp/direct"
finish
