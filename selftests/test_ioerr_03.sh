#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A write error of the extent latches the disk; what the log holds is not lost from it.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

require_disks 2
dm a "${swb_disks[0]}"
lower[a]=$dm_dev
wal[a]=${swb_disks[1]}
lone
at=$(($(swbdisk get "${lower[a]}" extent_offset) / 512))
need swblockctl tune vol/a --io-deadline 3s
bad_range a "$at" $((32 * 2048))
background load_write a -n 400 -b 20 -k 1024
check "the disk is latched by write-back" poll_until 60 has_condition a disk_failed
check_ended "the writer ends" $bg 60
check "the error is counted" test "$(st a .stats.disk_errors)" -ge 1
check "status and remove answer" remove_member a --force
dm_heal a
check_refused F a "the latch survives"
finish
