#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 400
# The answer of every move of the record is lost though it was carried out: the owner
# knows its move by the nonce, and the cluster fails over once, not in circles.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/cluster.sh"

lease_ms=2000 silence=3s
cluster_up
old=$primary epoch=$(rec .epoch)
need load_write "$old" -n 20
store_fault_all "lost
key v/$VUUID/record"
kill_daemon "$old"
need remove_member "$old" --force
await 90 "another member takes over" some_primary "$old"
check_same "by one new epoch" $((epoch + 1)) "$(rec .epoch)"
check "all data is there" load_verify "$primary"
store_fault_all
start_daemon "$old"
await 90 "everybody is in sync" all_in_sync
check_history
finish
