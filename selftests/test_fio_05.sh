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
# fio's own mmap engine fails under user-mode Linux, on any disk
check "by mmap" python3 -c 'import mmap, os, sys
fd = os.open(sys.argv[1], os.O_RDWR)
m = mmap.mmap(fd, 4 << 20, offset=8 << 20)
for page in range(0, 1024, 3):
    m[page * 4096:page * 4096 + 4096] = bytes([page % 251 + 1]) * 4096
m.flush()
m.close()
os.fsync(fd)' "$(bd a)"
sync "$(bd a)"
dd if="$(bd a)" of="$swb_tmp/cached" bs=1M count=12 status=none
dd if="$(bd a)" of="$swb_tmp/direct" bs=1M count=12 iflag=direct status=none
check_same "the last page that mmap wrote" "$(printf '%d' $((1023 % 251 + 1)))" \
	"$(od -An -N1 -tu1 -j $(((8 << 20) + 1023 * 4096)) "$swb_tmp/direct" | tr -d ' ')"
check "cache and device agree" cmp "$swb_tmp/cached" "$swb_tmp/direct"
need remove_member a
need add_member a
need promote a
dd if="$(bd a)" of="$swb_tmp/direct" bs=1M count=12 iflag=direct status=none
check "and so they do after a restart" cmp "$swb_tmp/cached" "$swb_tmp/direct"
finish
