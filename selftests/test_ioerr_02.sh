#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A write error of the log latches the disk, and no later success takes that back.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

dm a "${swb_disks[0]}"
lower[a]=$dm_dev
lone
need load_write a -n 40 -b 5
need swblockctl tune vol/a --io-deadline 3s
at=$(($(swbdisk get "${lower[a]}" ring_offset) / 512))
bad_range a "$at" 8192
background load_write a -l 2 -f 41 -n 4 -b 1
check_ended "the writer ends" $bg 40
check_same "with an I/O error" 3 "$ended"
check "the disk is latched" poll_until 10 has_condition a disk_failed
dm_heal a
check_not "with the disk healed writes still fail" \
	timeout 30 swbload write "$(bd a)" -n 1 -b 1
check "the latch stays" has_condition a disk_failed
check_code 4 "and it cannot be promoted" promote a
need remove_member a --force
check_refused F a "the latch survives"
finish
