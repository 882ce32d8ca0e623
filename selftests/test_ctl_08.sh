#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A volume is deleted: not while its device is open; then its members are detached, one of
# a host that was away too, its name is free, and its disks make a new one.
# timeout: 400
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/cluster.sh"

disks_of()
{
	local n list=''

	for n in "${nodes[@]}"; do
		list+="${list:+,}$n:${lower[$n]}"
	done
	echo "$list"
}

none_attached()
{
	[ "$(swblockctl status --local -j | jq '.members | length')" = 0 ]
}

cluster_up
exec 7<"$(bd "$primary")"
check_not "not while it is open" swblockctl volume delete "$VOL" --yes
exec 7<&-
check_not "not without --yes" swblockctl volume delete "$VOL"
check "a dry run changes nothing" swblockctl volume delete "$VOL" --dry-run
check "it still serves" load_write "$primary" -n 5
away=a
[ "$primary" != a ] || away=b
kill_daemon "$away" KILL
check_not "a silent host is named" swblockctl volume delete "$VOL" --yes --timeout 5
check "it is deleted without that one" swblockctl volume delete "$VOL" --yes --force
check_same "it is listed no more" 0 "$(swblockctl volume list -j | jq '.volumes | length')"
check "nor is anything wrong" swblockctl health
start_daemon "$away"
check "the host that was away detaches its member" poll_until 60 none_attached
check "its disks make a volume of the same name" swblockctl volume create "$VOL" --size 32M \
	--nodes "$(disks_of)" --force --timeout 120
finish
