#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 400
# A replica's host comes back on another address: it is known by its ids and catches up, in
# the same epoch, while the volume is in use.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/cluster.sh"

cluster_up
find_others
b=${others[0]} epoch=$(rec .epoch)
need load_write "$primary" -n 20
kill_daemon "$b"
need remove_member "$b" --force
need load_write "$primary" -l 2 -f 21 -n 20
listen_at[$b]=127.0.0.1:7890
start_daemon "$b"
await 60 "it is in sync again" all_in_sync
check "over its new address" grep -q "handed to the module.*peer=$b address=127.0.0.1:7890" \
	"$swb_tmp/$primary.log"
check_same "by catch-up, not by a copy" 0 "$(st "$b" .stats.rebuild_bytes)"
check_same "in the same epoch" "$epoch" "$(rec .epoch)" || show_logs
check "all data is there" load_verify "$primary"
check_history
finish
