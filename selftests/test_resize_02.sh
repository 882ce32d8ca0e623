#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A crash between the growth of the replica and that of the primary: both come back, link
# as before, and the growth is finished later.
# timeout: 150
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/quorum.sh"

dm a "${swb_disks[0]}"
lower[a]=$dm_dev
size=32M pair sync_all
need load_write a -n 60 -b 4 -B 2048
check "the replica grows" swblockctl resize vol/b --size 64M
crash a
need add_member a
check_same "the primary has its old size" 33554432 "$(st a .size_bytes)"
need promote a
must link_members a b
check "a larger replica comes in sync" poll_until 20 in_sync a b
check "and takes writes" load_write a -l 2 -f 61 -n 40 -b 4 -B 2048
check "the primary grows" swblockctl resize vol/a --size 64M
check_same "the device has the new size" 67108864 "$(blockdev --getsize64 "$(bd a)")"
need put_block "$(bd a)" 16000 x
check "everything is there" load_verify a -B 2048
finish
