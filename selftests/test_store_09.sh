#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 400
# etcd of three members: its leader is killed, and nobody is fenced; then, with one of three
# still down, the primary is killed, and another one takes over.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/cluster.sh"
. "$SWB_TOP/selftests/helpers/etcd.sh"

lease_ms=15000 silence=15s
etcd_up
cluster_up
epoch=$(rec .epoch)
need load_write "$primary" -n 20
etcd_kill "$leader"
down=$leader
watch_lease 8 "$primary"
check_same "the leader is killed: I/O was not held" 0 "$lease_held"
check "there is another leader" poll_until 60 find_leader
check "the lease is renewed" poll_until 60 lease_above "$primary" 8000
check_same "nobody was fenced" "$epoch" "$(rec .epoch)" || show_logs
old=$primary
kill_daemon "$old"
need remove_member "$old" --force
await 120 "one of three down: another member takes over" some_primary "$old"
check "all data is there" load_verify "$primary"
check "it takes writes" load_write "$primary" -l 2 -f 21 -n 20
etcd_start "$down" existing
start_daemon "$old"
await 90 "everybody is in sync" all_in_sync
check_history
finish
