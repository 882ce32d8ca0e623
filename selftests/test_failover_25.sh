#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
# Two controllers act at the same moment, again and again: one of them wins, the
# other one follows; nothing is granted twice and nothing is lost.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/cluster.sh"

turn=0ms lease_ms=2000 silence=3s
cluster_up
from=1
for round in 1 2 3; do
	old=$primary
	need load_write "$old" -l "$round" -f "$from" -n 10
	from=$((from + 10))
	kill_daemon "$old"
	need remove_member "$old" --force
	await 90 "round $round: another member takes over" some_primary "$old"
	check "round $round: all data is there" load_verify "$primary"
	start_daemon "$old"
	await 90 "round $round: everybody is in sync" all_in_sync
done
check_history
finish
