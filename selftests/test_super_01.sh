#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A torn superblock slot is passed over for the other one, and both return to use.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

lone
need load_write a -n 100
must remove_member a
g=$(swbdisk get "${lower[a]}" generation)
must swbdisk tear "${lower[a]}" new
check_opens H a "newest slot torn"
check_same "the slot before it counts" none "$(st a .role)"
need promote a
check "everything written is there" load_verify a
must remove_member a
check "both slots are good again" test \
	"$(swbdisk show "${lower[a]}" | grep -c 'good=1')" = 2
check "the generation went on" test "$(swbdisk get "${lower[a]}" generation)" -gt $((g - 1))
must swbdisk tear "${lower[a]}" old
check_opens H a "older slot torn"
need promote a
check "everything written is still there" load_verify a
finish
