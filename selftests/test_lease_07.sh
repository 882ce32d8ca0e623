#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 400
# The daemon of a required replica is frozen for longer than the silence and the lease:
# replication is the kernel's, so writes go on in sync_all, and nothing changes on waking.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/cluster.sh"

mode=sync_all lease_ms=3000
cluster_up
find_others
epoch=$(rec .epoch)
freeze "${others[0]}"
check "writes go on at once" load_write "$primary" -n 40
watch_lease 8 "$primary"
check_same "I/O was never held" 0 "$lease_held"
check "every member is in sync" all_in_sync
check "writes go on" load_write "$primary" -l 2 -f 41 -n 20
kill -CONT "${daemon_pid[${others[0]}]}"
check "its sign of life moves again" poll_until 30 signs_move
check_same "nobody was fenced" "$epoch" "$(rec .epoch)" || show_logs
check "all data is there" load_verify "$primary"
check_history
finish
