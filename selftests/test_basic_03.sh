#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lsblk shows what the volume lies on, and iostat's counters move with its I/O.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

require_tool lsblk
lone
low=$(basename "$(readlink -f "${lower[a]}")")
check "the lower disk has us as a holder" test -e "/sys/block/$low/holders/swblock10"
check "and is our slave" test -e "/sys/block/swblock10/slaves/$low"
tree=$(lsblk -n -r -o NAME "/dev/$low")
check_same "lsblk shows the stack" "$low swblock10" "${tree//$'\n'/ }"

stat_of()
{
	awk -v f="$1" '{ print $f }' /sys/block/swblock10/stat
}
r0=$(stat_of 1) w0=$(stat_of 5) s0=$(stat_of 7)
dd if=/dev/zero of="$(bd a)" bs=64k count=16 oflag=direct conv=fsync status=none
dd if="$(bd a)" of=/dev/null bs=64k count=16 iflag=direct status=none
check "writes are counted for iostat" test "$(stat_of 5)" -ge $((w0 + 16))
check_same "their sectors are right" $((s0 + 2048)) "$(stat_of 7)"
check "reads are counted" test "$(stat_of 1)" -ge $((r0 + 16))
check_same "nothing is left in flight" 0 "$(stat_of 9)"
check "status counts the same writes" \
	test "$(st a '.stats.writes')" -ge 16
must remove_member a
check_not "the holder link is gone" test -e "/sys/block/$low/holders/swblock10"
finish
