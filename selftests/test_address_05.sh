#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 400
# A replica says to be where nobody listens, then where somebody listens who never speaks:
# the primary tries in peace, writes go on, and its daemon's loop never waits.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/cluster.sh"

require_tool socat
cluster_up
find_others
b=${others[0]} epoch=$(rec .epoch)
kill_daemon "$b"
need remove_member "$b" --force
advertise[$b]=127.0.0.1:7893
: >"$swb_tmp/$primary.log"
start_daemon "$b"
check "nobody there: the log says so" poll_until 60 grep -q '127.0.0.1:7893: connect.*unreachable' \
	"$swb_tmp/$primary.log" || show_logs
check "writes go on" load_write "$primary" -n 20
socat TCP-LISTEN:7893,bind=127.0.0.1,reuseaddr,fork EXEC:'sleep 600' 2>/dev/null &
defer kill "$!"
check "a mute one: it runs into the deadline" poll_until 60 grep -q '127.0.0.1:7893.*timeout' \
	"$swb_tmp/$primary.log" || show_logs
check "writes still go on" load_write "$primary" -l 2 -f 21 -n 20
check "the lease was renewed meanwhile" poll_until 10 lease_above "$primary" 1000
advertise[$b]=''
write_config "$b"
kill -HUP "${daemon_pid[$b]}"
await 60 "with the right address all are in sync" all_in_sync
check_same "in the same epoch" "$epoch" "$(rec .epoch)" || show_logs
check "all data is there" load_verify "$primary"
check_daemons
finish
