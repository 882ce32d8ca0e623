#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The only replica is behind the block that the primary's disk cannot read: the read
# fails in time rather than show what was there before; once the replica has caught up,
# it is served.
# timeout: 240
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/badread.sh"

require_disks 3
size=16M
spoilable a "${swb_disks[0]}"
two best_effort --policy local
proxy_start
poll_until 20 in_sync a b || die "b does not come in sync"
need put_block "$(bd a)" 50 x
must dd if=/dev/zero of="$(bd a)" bs=4k seek=60 count=1 oflag=direct conv=fsync,notrunc status=none
settle b
kill -STOP "$proxy_pid"
need put_block "$(bd a)" 50 y
make_bad a "${swb_disks[2]}" 50
start=$SECONDS
got=$(timeout 60 dd if="$(bd a)" bs=4096 skip=50 count=1 iflag=direct status=none |
	tr -s '\0-\377')
check_same "the read shows nothing, rather than what was there before" "" "$got"
check "it ended in time" test $((SECONDS - start)) -lt 30
check_same "it is counted as not served" 1 "$(st a .stats.reads_unserved)"
kill -CONT "$proxy_pid"
stop_proxy
must level a b
check_same "the replica has caught up: it serves what was written last" y \
	"$(get_block "$(bd a)" 50)"
check "and the block is repaired" poll_until 10 st_is a .stats.read_repairs 1
finish
