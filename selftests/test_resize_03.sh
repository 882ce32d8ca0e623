#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Failover to a member that has grown: the volume is larger at once; who is smaller is
# refused by name until it has grown, too.
# timeout: 150
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/quorum.sh"

size=32M quorum 3
need load_write a -n 60 -b 4 -B 2048
check "b grows" swblockctl resize vol/b --size 64M
check "c grows" swblockctl resize vol/c --size 64M
need remove_member a --force
check "promote the larger one" promote b
check_same "the device is larger" 67108864 "$(blockdev --getsize64 "$(bd b)")"
must link_members b c
check "c is in sync" poll_until 20 in_sync b c
check "what was acknowledged is there" load_verify b -B 2048
need put_block "$(bd b)" 16000 x
need add_member a
link_members b a
check_same "the smaller one is refused" geometry "$(peer b a .reason)"
check_same "and says so itself" refused "$(peer a b .state)"
check "it grows" swblockctl resize vol/a --size 64M
must link_members b a
check "and comes in sync" poll_until 20 in_sync b a
finish
