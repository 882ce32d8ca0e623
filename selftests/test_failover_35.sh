#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 400
# The primary's member restarts faster than anybody misses it (S18), case R: a new epoch follows,
# what it acknowledged is there, and commits go on.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/cluster.sh"

lease_ms=3000 silence=20s
cluster_up
for round in $(seq "${SWB_ROUNDS:-1}"); do
	epoch=$(rec .epoch)
	need load_write "$primary" -l "$round" -f $((round * 20 - 19)) -n 20
	# its daemon attaches it again at once
	need remove_member "$primary" --force
	await 90 "round $round: a newer epoch is settled" newer_primary "$epoch"
	check "round $round: the cause was the restart" grep -qh 'order=win cause=primary_restarted' \
		"$swb_tmp"/[abc].log
	check "round $round: all data is there" load_verify "$primary"
	await 60 "round $round: everybody is in sync" all_in_sync
done
check "commits go on" load_write "$primary" -l $((round + 1)) -f $((round * 20 + 1)) -n 20
check_history
finish
