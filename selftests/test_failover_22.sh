#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 300
# The primary's daemon is frozen for longer than its lease: its module holds all
# I/O in time, another member takes over, and on waking the old one steps back.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/cluster.sh"

cluster_up
old=$primary
need load_write "$old" -n 40
freeze "$old"
check "I/O is held when the lease is over" poll_until 30 has_condition "$old" suspended_lease
await 90 "another member takes over" some_primary "$old"
check "all data is there" load_verify "$primary"
check "it takes writes" load_write "$primary" -l 2 -f 41 -n 20
kill -CONT "${daemon_pid[$old]}"
await 90 "the old primary comes back in sync" all_in_sync
check "it has no role but replica's" st_is "$old" .role replica
check "all data is still there" load_verify "$primary"
check_history
finish
