#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Three members grow under load, the primary last; the device and its users see the new
# size without a close, the new part reads as zeroes and takes data on every member.
# timeout: 200
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/quorum.sh"

size=32M quorum 3 --policy written
blocks=$(blockdev --getsize64 "$(bd a)")
exec 8<"$(bd a)"
load_background a -n 0 -b 4 -B 2048
for name in b c; do
	check "$name grows" swblockctl resize "vol/$name" --size 80M
done
check_same "the device has its old size" "$blocks" "$(blockdev --getsize64 "$(bd a)")"
check "the primary grows" swblockctl resize vol/a --size 80M
check_same "the device has the new size" 83886080 "$(blockdev --getsize64 "$(bd a)")"
exec 8<&-
check_same "the new part is zero" 0 "$(get_block "$(bd a)" 20000)"
need put_block "$(bd a)" 20001 x
check "all members are in sync" in_sync a b
check "all members are in sync" in_sync a c
kill "$bg"
check_ended "the writer ends" "$bg" 20
level a b || die "not level"
here=$(digest a)
need swblockctl demote vol/a
check "promote another one" promote b
check_same "it is as large" 83886080 "$(blockdev --getsize64 "$(bd b)")"
check_same "and the same, block by block" "$here" "$(digest b)"
check "what was acknowledged is there" load_verify b -B 2048
need remove_member b --force
need add_member b
check_same "the size outlives a restart" 83886080 "$(st b .size_bytes)"
finish
