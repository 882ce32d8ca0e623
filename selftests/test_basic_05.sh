#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A file system lives on the volume through umount, remove and a new attach.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

lone
mkdir -p "$swb_tmp/mnt"
check "mkfs" mkfs.ext4 -q -F "$(bd a)"
check "mount" mount "$(bd a)" "$swb_tmp/mnt"
for i in $(seq 40); do
	head -c $((i * 3000)) /dev/urandom >"$swb_tmp/mnt/file$i"
done
(cd "$swb_tmp/mnt" && sha256sum file*) >"$swb_tmp/sums"
check "sync" sync -f "$swb_tmp/mnt"
check "umount" umount "$swb_tmp/mnt"
check "fsck" e2fsck -f -n "$(bd a)"
must remove_member a
need add_member a
need promote a
check "fsck after a new attach" e2fsck -f -n "$(bd a)"
check "mount again" mount "$(bd a)" "$swb_tmp/mnt"
check "all files are the same" sh -c "cd $swb_tmp/mnt && sha256sum --quiet -c $swb_tmp/sums"
must umount "$swb_tmp/mnt"
finish
