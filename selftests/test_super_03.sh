#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A blank disk or one with a file system is not ours: case C.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

load_module
place a
wipe_disk "${lower[a]}"
check_refused C a "blank disk"
must mkfs.ext4 -q -F "${lower[a]}" 16M
check_refused C a "ext4"
check "the file system was not touched" e2fsck -f -n "${lower[a]}"
format_member a
must swbdisk set "${lower[a]}" both magic=SWBLOCKX
check_refused C a "foreign magic in both slots"
format_member a
must swbdisk set "${lower[a]}" new magic=SWBLOCKX
check_opens H a "foreign magic in one slot"
finish
