#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 300
# sync_all: a required member that is silent for too long leaves the required set,
# and the held writes go on; when it is in sync again it is required again.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/cluster.sh"

mode=sync_all shrink_ms=6000
required()
{
	[ "$(rec '[.config.members[] | select(.required) | .label] | join(",")')" = "$1" ] && settled
}

cluster_up
check "all are required" required a,b,c
case $primary in a) lost=c left=a,b ;; b) lost=c left=a,b ;; c) lost=a left=b,c ;; esac
old=$primary
need load_write "$old" -n 20
kill_daemon "$lost"
need remove_member "$lost" --force
background load_write "$old" -l 2 -f 21 -n 20 -b 2
await 90 "$lost is not required any more" required "$left"
check_ended "writes go on" "$bg" 30
check_same "without an error" 0 "$ended"
check "the primary stays" primary_is "$old"
start_daemon "$lost"
await 90 "it is required again" required a,b,c
check "the primary stays still" primary_is "$old"
check "all data is there" load_verify "$old"
check_history
finish
