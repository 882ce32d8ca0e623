#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What is declared anew comes true, and the command ends then: a larger volume, another
# lease, the role elsewhere; a move is for now and takes nothing back later.
# timeout: 500
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/cluster.sh"

set_volume()
{
	swblockctl volume set "$VOL" "$@" --timeout 120
}

wished()
{
	doc wish | jq -r "$1"
}

cluster_up
need load_write "$primary" -n 20
epoch=$(rec .epoch)
check "the volume grows" set_volume --size 96M
check_same "for its users, too" $((96 << 20)) "$(blockdev --getsize64 "$(bd "$primary")")"
check_same "in the same epoch" "$epoch" "$(rec .epoch)"
check "another length of the lease" set_volume --lease 6s
check_same "is granted" 6000 "$(rec .lease_ms)"
check "takes an epoch" test "$(rec .epoch)" -gt "$epoch"
epoch=$(rec .epoch)
check "what is so already ends at once" set_volume --lease 6s --size 96M
check_same "and takes none" "$epoch" "$(rec .epoch)"
poll_until 60 some_primary || die "no primary"
case $primary in a) to=b ;; *) to=a ;; esac
check "the role moves" swblockctl volume move "$VOL" "$to" --timeout 120
await 60 "$to is primary" primary_is "$to"
check_same "nobody is preferred afterwards" null "$(wished .primary)"
kill_daemon "$to" KILL
need swblockctl remove "$VOL/$to" --force
await 120 "another one takes over" some_primary "$to"
now=$primary
start_daemon "$to"
await 120 "$to is in sync again" all_in_sync
sleep 3
check "$now keeps the role" primary_is "$now"
check "all data is there" load_verify "$now"
finish
