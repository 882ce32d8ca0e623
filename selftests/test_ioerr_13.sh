#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A member is removed while a read of it waits for a replica that does not answer: the
# read ends with an error, and nothing keeps the removal.
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
need put_block "$(bd a)" 70 x
make_bad a "${swb_disks[2]}" 70 8
kill -STOP "$proxy_pid"
failed()
{
	[ "$(st a .stats.disk_errors)" -ge 1 ]
}
readers=()
for i in 0 1 2 3; do
	dd if="$(bd a)" of=/dev/null bs=4k skip=$((70 + i)) count=1 iflag=direct status=none \
		2>/dev/null &
	readers+=($!)
done
poll_until 10 failed || die "the reads do not reach the disk"
start=$SECONDS
check "the member can be removed" timeout 60 swblockctl remove vol/a --force
check "soon" test $((SECONDS - start)) -lt 20
for i in 0 1 2 3; do
	check_ended "reader $i ends" "${readers[i]}" 20
	check "with an error" test "$ended" -ne 0
done
kill -CONT "$proxy_pid"
stop_proxy
need remove_member b
check "and so can the module" poll_until 20 rmmod swblock
finish
