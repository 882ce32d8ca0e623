#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A flush that fails fails the barrier and latches the disk.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

require_module dm-flakey
dm a "${swb_disks[0]}"
lower[a]=$dm_dev
lone
need swbload write "$(bd a)" -n 20 -b 5
need swblockctl tune vol/a --io-deadline 3s
# dm sends a flush to every part of its table: a last part that fails all writes, and
# where nobody writes, lets the data pass and the flush fail
read -ra words <<<"${dm_under[a]}"
tail=$((words[1] - 2048))
bad_range a $tail 2048 "flakey ${words[3]} $tail 0 3600 1 error_writes"
background swbload write "$(bd a)" -n 4 -b 1
check_ended "a barrier ends" $bg 40
check_same "with an error" 3 "$ended"
check "the disk is latched" poll_until 10 has_condition a disk_failed
dm_heal a
check_not "a later barrier does not succeed" timeout 30 swbload write "$(bd a)" -n 1 -b 1
need remove_member a --force
letter=$(add_letter a)
note "the latch could not be written while the disk was dead: case $letter"
check "attaching ends with a letter" grep -q 'case F\|^[FHIJK]$' <<<"$letter"
finish
