#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 240
# The store cannot be reached for longer than the lease: I/O is held and nobody is
# promoted; when it is back and the grant unchanged, I/O goes on.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/cluster.sh"

require_tool sqlite3
cluster_up
epoch=$(rec .epoch)
mkfifo "$swb_tmp/sql"
sqlite3 "$store" <"$swb_tmp/sql" &
exec 4>"$swb_tmp/sql"
echo 'PRAGMA busy_timeout = 20000; BEGIN EXCLUSIVE;' >&4
check "I/O is held when the lease is over" poll_until 60 has_condition "$primary" suspended_lease
check "a daemon says why" poll_until 30 grep -q 'store cannot be reached' "$swb_tmp/$primary.log"
echo 'ROLLBACK;' >&4
exec 4>&-
check "I/O goes on" poll_until 60 lacks_condition "$primary" suspended_lease
check "writes succeed" load_write "$primary" -n 10
check_same "in the same epoch" "$epoch" "$(rec .epoch)"
check "the primary is the same" primary_is "$primary"
finish
