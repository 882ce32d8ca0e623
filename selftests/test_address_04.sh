#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 400
# Two replicas swap their addresses while the primary writes: each is found by its id where
# it is now, and catches up.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/cluster.sh"

mode=best_effort
cluster_up
find_others
b=${others[0]} c=${others[1]} epoch=$(rec .epoch)
need load_write "$primary" -n 20
for n in "$b" "$c"; do
	kill_daemon "$n"
	need remove_member "$n" --force
done
need load_write "$primary" -l 2 -f 21 -n 20
listen_at[$b]=127.0.0.1:$(port "$c")
listen_at[$c]=127.0.0.1:$(port "$b")
: >"$swb_tmp/$primary.log"
start_daemon "$b"
start_daemon "$c"
await 60 "both are in sync" all_in_sync
for n in "$b" "$c"; do
	check "$n was linked where it is now" grep -q \
		"handed to the module.*peer=$n address=${listen_at[$n]}" "$swb_tmp/$primary.log"
done
check_same "in the same epoch" "$epoch" "$(rec .epoch)" || show_logs
check "all data is there" load_verify "$primary"
# each holds it: as the only one who is left with the role
preferred="\"$(replica "$b")\""
wish "${nodes[@]}"
await 60 "one of them gets the role" primary_is "$b"
check "and has everything" load_verify "$b"
finish
