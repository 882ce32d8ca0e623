#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# An epoch that cannot be saved is not adopted, and the disk is latched.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

dm a "${swb_disks[0]}"
lower[a]=$dm_dev
fresh a
assign best_effort
bad_range a 0 2048
check_not "promotion fails while superblocks cannot be written" timeout 60 \
	swblockctl promote vol/a --timeout 10
check_same "there is no primary" false "$(st a '.role == "primary"')"
check "the disk is latched" poll_until 10 has_condition a disk_failed
dm_heal a
check_not "a disk that recovers is still latched" timeout 60 \
	swblockctl promote vol/a --timeout 10
check "remove" remove_member a
letter=$(add_letter a)
check "attaching anew ends with a letter" grep -q 'case F\|^[FHIJK]$' <<<"$letter"
finish
