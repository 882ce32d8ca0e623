#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# With an I/O deadline a barrier that waits for a dead peer fails in time, is counted,
# and the volume is as good as before once the peer is back.
# timeout: 150
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"

pair sync_all
need load_write a -n 20
need swblockctl tune vol/a --io-deadline 2s
need swblockctl unlink vol/a b
barrier()
{
	dd if=/dev/zero of="$(bd a)" bs=4k seek=4000 count=1 oflag=direct conv=fsync,notrunc \
		status=none
}
background barrier
check_ended "the barrier ends" "$bg" 20
check "with an error" test "$ended" != 0
check "it is counted" test "$(st a .stats.deadlines)" -ge 1
check "the primary is primary still" st_is a .role primary
need swblockctl tune vol/a --io-deadline 30s
check "level again" level a b
check "barriers succeed again" load_write a -l 2 -f 21 -n 20 -b 4
check "and everything is there" load_verify a
finish
