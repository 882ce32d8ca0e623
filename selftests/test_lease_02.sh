#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 400
# Clients write while the primary's daemon is frozen for longer than its lease: the kernel
# acknowledges nothing behind the lease, the clients of the next primary find every barrier.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/failover.sh"
. "$SWB_TOP/selftests/helpers/cluster.sh"

lease_ms=2000 silence=3s
# last acknowledgement of a write of generation $1, in milliseconds of BOOTTIME
last_ack()
{
	awk -v gen="$1" '($2 == "w" || $2 == "d") && $4 == gen { sent[$3] }
		$2 == "ok" && $3 in sent { last = $1 } END { printf "%d\n", last / 1000000 }' "$hist"
}

cluster_up
old=$primary
clients_start
clients_to "$old"
check "clients write" writes_go_on 20
freeze "$old"
check "I/O is held" poll_until 30 has_condition "$old" suspended_lease
await 90 "another member takes over" some_primary "$old"
first=$primary
clients_to "$first"
check "clients go on there" writes_go_on 60
ack_ms=$(last_ack 1)
check "they had written before" test "$ack_ms" -gt 0
grant_ms=$(granted_ms)
check "nothing was acknowledged behind the grant ($ack_ms, $grant_ms ms)" \
	test "$ack_ms" -lt "$grant_ms"
kill -CONT "${daemon_pid[$old]}"
await 60 "the old one is a replica again" all_in_sync
clients_stop 30
judge
check_history
finish
