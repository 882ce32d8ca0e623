#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A read error of the disk reaches the reader and nobody else.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

dm a "${swb_disks[0]}"
lower[a]=$dm_dev
lone
must dd if=/dev/urandom of="$(bd a)" bs=1M count=8 oflag=direct conv=fsync status=none
must dd if="$(bd a)" of="$swb_tmp/data" bs=1M count=8 iflag=direct status=none
# all of it has to be in the extent, or the log would still serve it
poll_until 30 sh -c "[ \"\$(swblockctl status -j vol/a | jq '.members[0] |
	.log.extent_lo >= .log.head_lsn')\" = true ]" || note "write-back is not complete"
need remove_member a
need add_member a
need promote a
at=$(($(swbdisk get "${lower[a]}" extent_offset) / 512))
bad_range a $((at + 8192)) 8
check_not "the bad block gives an error" dd if="$(bd a)" of=/dev/null bs=4k skip=1024 \
	count=1 iflag=direct status=none
check "the one before it is read" sh -c "dd if=$(bd a) bs=4k skip=1023 count=1 \
	iflag=direct status=none | cmp -i 0:$((1023 * 4096)) -n 4096 - $swb_tmp/data"
check "the one behind it is read" sh -c "dd if=$(bd a) bs=4k skip=1025 count=1 \
	iflag=direct status=none | cmp -i 0:$((1025 * 4096)) -n 4096 - $swb_tmp/data"
check "other places can be written" load_write a -n 20 -k 512
check "the error is counted" test "$(st a .stats.disk_errors)" -ge 1
dm_heal a
check "a healed block is read again" dd if="$(bd a)" of=/dev/null bs=4k skip=1024 \
	count=1 iflag=direct status=none
finish
