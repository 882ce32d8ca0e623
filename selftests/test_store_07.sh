#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 400
# The store is replaced by an older copy of itself while everybody runs, P17c: it is
# refused, I/O is held, and nothing is granted until the operator raises its generation.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/cluster.sh"

require_tool sqlite3
lease_ms=3000
cluster_up
sqlite3 "$store" ".backup $swb_tmp/older.db"
need load_write "$primary" -n 20
then=$(rec .epoch)
# an epoch that the copy does not know
policy=received
wish "${nodes[@]}"
await 90 "an epoch is granted that the copy does not know" newer_primary "$then"
need load_write "$primary" -l 2 -f 21 -n 20
now=$(rec .epoch)
all_adopted()
{
	st_is a .epoch "$now" && st_is b .epoch "$now" && st_is c .epoch "$now"
}
check "by all of them" poll_until 30 all_adopted
chmod 600 "$swb_tmp/older.db"
mv "$swb_tmp/older.db" "$store"
check_same "the copy is older" "$then" "$(rec .epoch)"
check "I/O is held" poll_until 60 has_condition "$primary" suspended_lease
check "a daemon says why" grep -q 'store cannot be reached' "$swb_tmp/$primary.log"
# several turns of everybody, with their back-off
sleep 6
check_same "nothing was won or granted in the copy" "$then" "$(rec .epoch)" || show_logs
for n in "${nodes[@]}"; do
	check "$n has adopted nothing else" st_is "$n" .epoch "$now"
done
kill_daemon "${nodes[0]}"
start_daemon "${nodes[0]}"
sleep 4
check_same "nor by a daemon that saw the copy first" "$then" "$(rec .epoch)" || show_logs
need swblockctl authority --new-generation --reason "restored from a backup" --yes
await 90 "with a new generation there is a primary" newer_primary "$now"
check "all data is there" load_verify "$primary"
check "it takes writes" load_write "$primary" -l 3 -f 41 -n 10
await 60 "everybody is in sync" all_in_sync
finish
