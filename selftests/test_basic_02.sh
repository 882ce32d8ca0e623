#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A volume goes through format, add, promote, I/O, remove and comes back with its data.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

load_module
check "format" swblockctl format "${swb_disks[0]}" --volume vol --replica a \
	--size 64M --wal-size 4M --force
lower[a]=${swb_disks[0]}
members=(a)
check "add" add_member a
check "assign" swblockctl assign vol --members a --mode best_effort
check "promote" promote a
check_same "size is what was formatted" $((64 << 20)) "$(blockdev --getsize64 "$(bd a)")"
dd if=/dev/urandom of="$swb_tmp/data" bs=1M count=4 status=none
check "write and fsync" dd if="$swb_tmp/data" of="$(bd a)" bs=1M seek=3 conv=fsync \
	oflag=direct status=none
check "read back" cmp -n 4194304 -i 0:3145728 "$swb_tmp/data" "$(bd a)"
check "remove" remove_member a
check_not "the device node is gone" test -b "$(bd a)"
check "add again" add_member a
check "promote again" promote a
check "the data is still there" cmp -n 4194304 -i 0:3145728 "$swb_tmp/data" "$(bd a)"
check "remove again" remove_member a
check "rmmod" rmmod swblock
finish
