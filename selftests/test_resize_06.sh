#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The disk breaks while the new part is zeroed, and removal comes in the middle: the size is
# the old one, the member goes on, and the next attempt works.
# timeout: 150
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/quorum.sh"

dm b "${swb_disks[1]}"
lower[b]=$dm_dev
size=32M pair best_effort
need load_write a -n 40 -b 4 -B 2048
extent=$(swbdisk get "$dm_dev" extent_offset)
bad_range b $((extent / 512 + 65536 + 32768)) 8
check_not "the growth is refused" swblockctl resize vol/b --size 64M
check_same "the size is the old one" 33554432 "$(st b .size_bytes)"
check "in sync still" in_sync a b
dm_heal b
check "the next attempt works" swblockctl resize vol/b --size 64M
check_same "the size is the new one" 67108864 "$(st b .size_bytes)"
swblockctl resize vol/b --size 400M >/dev/null 2>&1 &
check "removal in the middle of it" remove_member b --force
wait
need add_member b
check "it comes back" level a b
check "everything is there" load_verify a -B 2048
finish
