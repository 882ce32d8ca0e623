#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 300
# The operator wants the role elsewhere: it moves without a lost write, as soon as
# the device is closed.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/cluster.sh"

cluster_up
old=$primary
need load_write "$old" -n 30
case $old in a) to=b ;; *) to=a ;; esac
exec 5<"$(bd "$old")"
preferred="\"$(replica "$to")\""
wish a b c
sleep 3
check "not while the device is open" primary_is "$old"
exec 5<&-
await 90 "$to is primary" primary_is "$to"
primary=$to
check "all data is there" load_verify "$to"
check "it takes writes" load_write "$to" -l 2 -f 31 -n 10
await 60 "everybody is in sync" all_in_sync
check_history
finish
