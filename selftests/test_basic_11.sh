#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Flush and FUA return when the records before them are durable and committed.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

lone
d0=$(st a .log.durable_lsn)
must dd if=/dev/zero of="$(bd a)" bs=4k count=8 oflag=direct status=none
check_same "admitted writes have LSNs" $((d0 + 8)) "$(st a .log.head_lsn)"
check "fsync" sync "$(bd a)"
head=$(st a .log.head_lsn)
check "a barrier covers all of them" test "$(st a .log.committed_lsn)" -ge "$head"
check "by durable records" test "$(st a .log.durable_lsn)" -ge "$head"
f0=$(st a .stats.disk_flushes)
check "O_DSYNC writes" dd if=/dev/zero of="$(bd a)" bs=4k count=4 seek=8 \
	oflag=direct,dsync conv=notrunc status=none
check "each is committed when it returns" test "$(st a .log.committed_lsn)" -ge $((head + 4))
check "flushes reached the disk, or it has no cache" sh -c \
	"[ $(st a .stats.disk_flushes) -gt $f0 ]"
check "background flush commits a plain write" sh -c "dd if=/dev/zero of=$(bd a) bs=4k \
	count=1 oflag=direct conv=notrunc status=none"
check "in time" poll_until 20 sh -c "[ \"\$(swblockctl status -j vol/a | jq -r \
	'.members[0] | .log.committed_lsn == .log.head_lsn')\" = true ]"
finish
