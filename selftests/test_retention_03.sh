#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Without a budget the history is kept as far as the ring goes: a peer that stood still catches
# up by records alone, nothing is copied, and in the end nothing is behind.
# timeout: 400
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/rebuild.sh"
. "$SWB_TOP/selftests/helpers/retention.sh"

wal_size=8M pair best_effort
check_same "there is no budget" "0 0" "$(st a '"\(.catchup_max_bytes) \(.catchup_stall_ms)"')"
need load_write a -n 30
still
head=$(st a .log.head_lsn)
fill 1024
load_write a -l 2 -f 31 -n 60 -b 0 >"$swb_tmp/write.out" || fail "writes"
check "it lags by more than a MiB" poll_until 10 holds_above $((1 << 20))
check "in records, too" test "$(peer a b .behind_records)" -gt 60
check "and in time" test "$(peer a b .behind_ns)" -gt 0
check "the history is there" log_reaches "$head"
check "no room is short" lacks_condition a ring_full
kill -CONT "$proxy_pid"
check "it catches up" poll_until 60 in_sync a b
check "nothing is behind: 0 is 0" poll_until 20 not_behind a b
check_same "nothing was copied" 0 "$(st a .stats.rebuild_bytes)"
stop_proxy
level a b || fail "level"
check_equal a b "both disks are equal"
check_clean a b
finish
