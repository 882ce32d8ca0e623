#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Nobody can help: without a link the read fails at once; a replica that cannot read the
# block either says so; of two replicas the one that can serves.
# timeout: 240
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/badread.sh"

# read_of BLOCK: does a read of the primary succeed?
read_of()
{
	timeout 30 dd if="$(bd a)" of=/dev/null bs=4096 skip="$1" count=1 iflag=direct \
		status=none
}

require_disks 5
size=16M
spoilable a "${swb_disks[0]}"
spoilable b "${swb_disks[1]}"
fresh a b c
assign sync_quorum
need promote a
must link_members a b
must link_members a c
poll_until 20 in_sync a b || die "b does not come in sync"
poll_until 20 in_sync a c || die "c does not come in sync"
need put_block "$(bd a)" 300 x
need put_block "$(bd a)" 301 y
need put_block "$(bd a)" 302 z
settle b
make_bad a "${swb_disks[3]}" 300 2
make_bad b "${swb_disks[4]}" 300 2
need swblockctl unlink vol/a b
need swblockctl unlink vol/a c
check_not "without a link the read fails" read_of 300
check_same "and is counted" 1 "$(st a .stats.reads_unserved)"
check_same "the one beside it is read" z "$(get_block "$(bd a)" 302)"
must level a b
check_not "a replica with the same bad block cannot help" read_of 300
check_same "that is counted, too" 2 "$(st a .stats.reads_unserved)"
check "the replica counts the error of its disk" test "$(st b .stats.disk_errors)" -ge 1
check_same "nothing was lent" 0 "$(st b .stats.reads_lent)"
must level a c
check_same "the other replica can" x "$(get_block "$(bd a)" 300)"
check_same "it lent" 1 "$(st c .stats.reads_lent)"
check "the block is repaired" poll_until 10 st_is a .stats.read_repairs 1
settle a
settle b
check_same "on the primary's disk" x "$(lower_block a 300)"
check_same "and on that of the replica that could not read it" x "$(lower_block b 300)"
finish
