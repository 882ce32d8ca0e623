#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Attach and detach many times, and unload in between: nothing is left over.
# timeout: 150
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

lone
need load_write a -n 40
need remove_member a
before=$(awk '/^MemAvailable/ { print $2 }' /proc/meminfo)
for i in $(seq 12); do
	add_member a >/dev/null || die "round $i: add"
	[ $((i % 3)) != 0 ] || { promote a >/dev/null || die "round $i: promote"; }
	remove_member a >/dev/null || die "round $i: remove"
	[ $((i % 4)) != 0 ] || { rmmod swblock && load_module || die "round $i: rmmod"; }
done
pass "12 rounds"
after=$(awk '/^MemAvailable/ { print $2 }' /proc/meminfo)
check "memory comes back ($before KiB before, $after KiB after)" \
	test "$after" -gt $((before - 65536))
check_same "no thread of ours is left" "" "$(pgrep -l '^swb[0-9]')"
need add_member a
need promote a
check "data is untouched" load_verify a
finish
