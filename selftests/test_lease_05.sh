#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 400
# Only the primary's host cannot reach the store: it holds I/O when its lease is over, before
# another member is promoted; with the store back it is a replica.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/cluster.sh"

lease_ms=3000
cluster_up
old=$primary epoch=$(rec .epoch)
need load_write "$old" -n 20
store_fault "$old" unreachable
check "I/O is held" poll_until 30 has_condition "$old" suspended_lease
end_ms=$(($(st "$old" .lease_ns) / 1000000))
background put_block "$(bd "$old")" 3 q
await 90 "another member takes over" some_primary "$old"
check_same "in one new epoch" $((epoch + 1)) "$(rec .epoch)" || show_logs
grant_ms=$(granted_ms)
check "granted behind the end of the lease ($grant_ms, $end_ms ms)" test "$grant_ms" -ge "$end_ms"
check "all data is there" load_verify "$primary"
check "it takes writes" load_write "$primary" -l 2 -f 21 -n 20
sleep 1
check "what was asked of the old one waits" kill -0 "$bg"
store_fault "$old"
await 60 "the old one is in sync again" all_in_sync
check_ended "what waited there has ended" "$bg" 30
check "with an error: another one reigned (P12)" test "$ended" != 0
check "as a replica" st_is "$old" .role replica
check "all data is there still" load_verify "$primary"
check_history
finish
