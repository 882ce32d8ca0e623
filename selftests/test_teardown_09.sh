#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A mounted file system over a member that is taken away can be unmounted.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

lone
mkdir -p "$swb_tmp/mnt"
must mkfs.ext4 -q -F "$(bd a)"
must mount "$(bd a)" "$swb_tmp/mnt"
echo kept >"$swb_tmp/mnt/file"
must sync -f "$swb_tmp/mnt"
background sh -c "while echo more >>$swb_tmp/mnt/log && sync -f $swb_tmp/mnt; do :; done"
check_not "polite removal is refused" remove_member a
check "forced removal" timeout 40 swblockctl remove vol/a --force
check_ended "the program ends" $bg 40
check "umount" timeout 30 umount "$swb_tmp/mnt"
check "rmmod" poll_until 30 rmmod swblock
load_module
need add_member a
need promote a
e2fsck -f -y "$(bd a)" >"$swb_tmp/fsck" 2>&1
check "the journal is replayed" test $? -le 1
must mount "$(bd a)" "$swb_tmp/mnt"
check_same "what was synced is there" kept "$(cat "$swb_tmp/mnt/file")"
must umount "$swb_tmp/mnt"
finish
