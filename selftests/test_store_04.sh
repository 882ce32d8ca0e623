#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 400
# Moves of the record are called lost and take effect seconds later, after newer ones
# were tried, while primaries fall: nothing is granted twice, no data is lost.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/cluster.sh"

lease_ms=2000 silence=3s
cluster_up
from=1
for ms in 700 2500; do
	old=$primary
	need load_write "$old" -l "$ms" -f "$from" -n 10
	from=$((from + 10))
	store_fault_all "delayed $ms
key v/$VUUID/record"
	kill_daemon "$old"
	need remove_member "$old" --force
	await 90 "late by $ms ms: another member takes over" some_primary "$old"
	check "late by $ms ms: the daemons did not know what became of a move" \
		grep -qh 'did not say what became of the move' "$swb_tmp"/[abc].log
	check "late by $ms ms: all data is there" load_verify "$primary"
	store_fault_all
	start_daemon "$old"
	await 90 "late by $ms ms: everybody is in sync" all_in_sync
done
check_history
finish
