#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A block that the primary's disk cannot read is served by the replica, written anew and
# counted; afterwards the own disk has it, and no replica is needed.
# timeout: 240
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/badread.sh"

require_disks 3
size=8M
spoilable a "${swb_disks[0]}"
pair sync_all
must dd if=/dev/urandom of="$(bd a)" bs=1M count=4 oflag=direct conv=fsync status=none
need put_block "$(bd a)" 100 x
before=$(digest a)
make_bad a "${swb_disks[2]}" 100
check_not "the disk cannot read the block" dd if="${lower[a]}" of=/dev/null bs=4k count=1 \
	skip="$(extent_block a 100)" iflag=direct status=none
check_same "nothing was borrowed so far" 0 "$(st a .stats.reads_borrowed)"
check_same "a read of it shows what was written" x "$(get_block "$(bd a)" 100)"
check_same "one block was borrowed" 1 "$(st a .stats.reads_borrowed)"
check_same "and lent" 1 "$(st b .stats.reads_lent)"
check "the error of the disk is counted" test "$(st a .stats.disk_errors)" -ge 1
check "one repair is counted" poll_until 10 st_is a .stats.read_repairs 1
settle a
check_same "the disk has the block again" x "$(lower_block a 100)"
check_same "all of the volume is as before" "$before" "$(digest a)"
check_same "no block was borrowed twice" 1 "$(st a .stats.reads_borrowed)"
check_same "every read was served" 0 "$(st a .stats.reads_unserved)"
check "the disk is not taken for failed" lacks_condition a disk_failed
need swblockctl unlink vol/a b
check_same "without the replica the block is read, too" x "$(get_block "$(bd a)" 100)"
must level a b
check "equal, by a comparison" timeout 60 swblockctl verify vol/a --wait --timeout 50
finish
