#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 400
# Another replica answers at the address of one that is looked for: it is refused by its id
# and gets nothing that was meant for the other; with the address mended both are in sync.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/cluster.sh"

cluster_up
find_others
b=${others[0]} c=${others[1]} epoch=$(rec .epoch)
links_of_c=$(grep -c 'handed to the module' "$swb_tmp/$c.log")
kill_daemon "$b"
need remove_member "$b" --force
advertise[$b]=127.0.0.1:$(port "$c")
: >"$swb_tmp/$primary.log"
start_daemon "$b"
check "the primary meets somebody else there" poll_until 60 grep -q foreign_replica \
	"$swb_tmp/$primary.log" || show_logs
check "writes go on with the other one" load_write "$primary" -n 20
check "which stays in sync" peer_is "$primary" "$c" .state in_sync
check_same "its kernel was handed no other link" "$links_of_c" \
	"$(grep -c 'handed to the module' "$swb_tmp/$c.log")"
check "the one that is looked for is not" peer_is "$primary" "$b" '.state != "in_sync"' true
advertise[$b]=''
write_config "$b"
kill -HUP "${daemon_pid[$b]}"
await 60 "with the right address all are in sync" all_in_sync
check_same "in the same epoch" "$epoch" "$(rec .epoch)" || show_logs
check "all data is there" load_verify "$primary"
check_history
finish
