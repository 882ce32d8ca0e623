#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 300
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
await 90 "another member takes over" some_primary "$old"
check "all data is there" load_verify "$primary"
check "it takes writes" load_write "$primary" -l 2 -f 51 -n 20
start_daemon "$old"
await 60 "the old primary comes back in sync" all_in_sync
check "all data is still there" load_verify "$primary"
check_history
check_daemons
finish
