#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# fio verifies what it wrote, live, with depth, mixed sizes and many ring wraps.
# timeout: 240
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

require_tool fio
wal_size=1M lone
run()
{
	fio --name=t --filename="$(bd a)" --direct=1 --ioengine=libaio --verify_fatal=1 \
		--output="$swb_tmp/fio.out" "$@" || { cat "$swb_tmp/fio.out"; return 1; }
}
check "random 4 KiB, depth 16" run --rw=randwrite --bs=4k --size=5M --iodepth=16 \
	--verify=crc32c --randseed=1
check "mixed sizes with fsync" run --rw=randwrite --bsrange=512-64k --bs_unaligned=0 \
	--blockalign=512 --size=5M --iodepth=4 --verify=crc32c --fsync=16 --randseed=2
check "two jobs on their own halves" run --rw=randwrite --bs=8k --size=3M --numjobs=2 \
	--offset_increment=16M --iodepth=8 --verify=crc32c --group_reporting --randseed=3
check "the ring wrapped" test "$(st a .stats.ring_wraps)" -gt 3
check_same "no invariant was broken" 0 "$(st a .stats.asserts)"
finish
