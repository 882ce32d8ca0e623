#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A declared volume of three nodes comes up by itself; its primary's daemon and
# member go, another one takes over with all data, and the old one comes back.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/cluster.sh"

cluster_up
pass "three daemons made a volume, primary $primary"
old=$primary
need load_write "$old" -n 50
kill_daemon "$old"
need remove_member "$old" --force
poll_until 30 some_primary "$old" || { show_logs; die "nobody took over"; }
check_not "another member is primary" test "$primary" = "$old"
check "all data is there" load_verify "$primary"
check "it takes writes" load_write "$primary" -l 2 -f 51 -n 20
start_daemon "$old"
check "the old primary comes back in sync" poll_until 30 all_in_sync || show_logs
check "all data is still there" load_verify "$primary"
check_history
check_daemons
finish
