#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A log or an extent beyond the end of its device is refused: case D.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

fresh a
must remove_member a
keep=$(swbdisk get "${lower[a]}" extent_bytes)
must swbdisk set "${lower[a]}" both extent_bytes=$((16 << 30))
check_refused D a "extent of 16 GiB"
must swbdisk set "${lower[a]}" both extent_bytes="$keep"
keep=$(swbdisk get "${lower[a]}" ring_bytes)
must swbdisk set "${lower[a]}" both ring_bytes=$((32 << 30))
check_refused D a "log of 32 GiB"
must swbdisk set "${lower[a]}" both ring_bytes="$keep"
check_opens H a "as it was formatted"
must remove_member a

# the same disk, cut short
dm short "${lower[a]}" 32
lower[a]=$dm_dev
check_refused D a "device cut to 32 MiB"
must dmsetup remove --noudevsync swbt-short
dm tiny "${swb_disks[0]}" 1
lower[a]=$dm_dev
check_refused D a "device cut to 1 MiB"
finish
