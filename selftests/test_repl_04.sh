#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A barrier waits for the peer in sync_all and does not in best_effort; plain writes
# under the local policy wait in neither.
# timeout: 150
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"

barrier()
{
	dd if=/dev/zero of="$(bd a)" bs=4k seek="$1" count=1 oflag=direct conv=fsync,notrunc \
		status=none
}

pair sync_all
check "with both there a barrier succeeds" timeout 20 dd if=/dev/zero of="$(bd a)" bs=4k \
	count=1 oflag=direct conv=fsync,notrunc status=none
need swblockctl unlink vol/a b
check "without the peer a plain write succeeds" timeout 20 dd if=/dev/zero of="$(bd a)" \
	bs=4k count=1 oflag=direct conv=notrunc status=none
background barrier 5
sleep 2
check "a barrier waits" kill -0 "$bg"
check "and the volume says for what" poll_until 10 has_condition a waiting_peer
check "it is not in sync" has_condition a degraded
check "linked" link_members a b
check_ended "the barrier ends" "$bg" 20
check_same "with success" 0 "$ended"
check "the condition is gone" poll_until 10 lacks_condition a waiting_peer
check "both hold it on disk" test "$(st b .log.durable_lsn)" -ge \
	"$(st a .log.committed_lsn)"

assign best_effort
need promote a
need link_members a b
poll_until 20 in_sync a b || die "not in sync"
need swblockctl unlink vol/a b
check "in best_effort nobody is waited for" timeout 20 dd if=/dev/zero of="$(bd a)" bs=4k \
	count=1 oflag=direct conv=fsync,notrunc status=none
finish
