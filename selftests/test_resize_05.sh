#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A mounted file system grows with the volume, under load, and is whole on the other
# member after a failover.
# timeout: 200
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/quorum.sh"

require_tool mkfs.ext4 resize2fs e2fsck
size=48M pair sync_all
need mkfs.ext4 -q "$(bd a)"
mkdir -p "$swb_tmp/mnt"
need mount "$(bd a)" "$swb_tmp/mnt"
defer umount "$swb_tmp/mnt"
(while head -c 256k /dev/urandom >"$swb_tmp/mnt/busy"; do :; done) &
busy=$!
need dd if=/dev/urandom of="$swb_tmp/mnt/one" bs=1M count=8 status=none
check "the replica grows" swblockctl resize vol/b --size 128M
check "the primary grows" swblockctl resize vol/a --size 128M
check "the file system grows online" resize2fs "$(bd a)"
check "it has the room" dd if=/dev/urandom of="$swb_tmp/mnt/two" bs=1M count=64 conv=fsync
kill "$busy"
wait "$busy" 2>/dev/null
need sh -c "cd $swb_tmp/mnt && sha256sum one two >$swb_tmp/sums"
need umount "$swb_tmp/mnt"
need swblockctl demote vol/a
check "promote the replica" promote b
must link_members b a
check "the file system is whole" e2fsck -fn "$(bd b)"
need mount "$(bd b)" "$swb_tmp/mnt"
check "the files are" sh -c "cd $swb_tmp/mnt && sha256sum -c $swb_tmp/sums"
need umount "$swb_tmp/mnt"
finish
