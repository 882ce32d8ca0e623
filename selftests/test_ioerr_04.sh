#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A flush that fails fails the barrier and latches the disk.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

dm a "${swb_disks[0]}"
lower[a]=$dm_dev
lone
# no flush but ours: the background one comes once a minute
need swblockctl tune vol/a --io-deadline 3s --flush-interval 60s
undurable()
{
	swbload write "$(bd a)" -n 20 -b 0 &&
		[ "$(st a '.log.head_lsn > .log.durable_lsn')" = true ]
}
poll_until 10 undurable || die "everything is flushed at once"
dm_cut a
background sync "$(bd a)"
check_ended "fsync ends" $bg 40
check "with an error" test "$ended" != 0
check "the disk is latched" poll_until 10 has_condition a disk_failed
dm_heal a
check_not "a later barrier does not succeed" timeout 30 swbload write "$(bd a)" -n 1 -b 1
need remove_member a --force
letter=$(add_letter a)
note "the latch could not be written while the disk was dead: case $letter"
check "attaching ends with a letter" grep -q 'case F\|^[FHIJK]$' <<<"$letter"
finish
