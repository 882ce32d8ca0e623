#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Two volumes in one kernel do not touch each other.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

require_disks 3
load_module
format_member a
check "one volume" add_member a
must swblockctl format "${swb_disks[1]}" --volume other --replica x --size 32M \
	--wal-size 2M --force >/dev/null
check_code 1 "a minor that is taken is refused" swblockctl add "${swb_disks[1]}" --minor 10
check "any minor" swblockctl add "${swb_disks[1]}"
n=$(swblockctl status -j other/x | jq -r '.members[0].minor')
check "it got one of its own" test "$n" != 10 -a -b "/dev/swblock$n"
check_not "the same disk twice is refused" swblockctl add "${swb_disks[1]}" --minor 20
assign best_effort
need swblockctl assign other --members x --mode best_effort
need promote a
check "each gets its own role" swblockctl promote other/x
must dd if=/dev/urandom of="$swb_tmp/1" bs=1M count=1 status=none
must dd if=/dev/urandom of="$swb_tmp/2" bs=1M count=1 status=none
must dd if="$swb_tmp/1" of="$(bd a)" bs=1M oflag=direct conv=fsync,notrunc status=none
must dd if="$swb_tmp/2" of="/dev/swblock$n" bs=1M oflag=direct conv=fsync,notrunc status=none
check "what one holds" cmp -n 1048576 "$swb_tmp/1" "$(bd a)"
check "is not what the other holds" cmp -n 1048576 "$swb_tmp/2" "/dev/swblock$n"
check_same "status lists both" 2 "$(swblockctl status -j | jq '.members | length')"
check "remove by device" swblockctl remove "/dev/swblock$n"
check_code 3 "it is gone" swblockctl remove "/dev/swblock$n"
check "the other one lives on" cmp -n 1048576 "$swb_tmp/1" "$(bd a)"
finish
