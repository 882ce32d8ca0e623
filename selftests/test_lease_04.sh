#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 400
# tier: long
# The wall clock jumps forward and back by hours while daemons run: leases, silence and
# signs of life go by CLOCK_BOOTTIME, and a failover takes no longer.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/cluster.sh"

lease_ms=3000 silence=4s
jump()
{
	date -s "@$(($(date +%s) + $1))" >/dev/null || die "set-up: date"
	jumped=$((jumped + $1))
}

clock_back()
{
	date -s "@$(($(date +%s) - jumped))"
}

jumped=0 life=0
defer clock_back
cluster_up
epoch=$(rec .epoch)
for seconds in 18000 -36000 86400; do
	jump "$seconds"
	life=$((life + 1))
	need load_write "$primary" -l "$life" -f $((life * 5 - 4)) -n 5
	watch_lease 4 "$primary"
	check_same "by $seconds s: I/O was never held" 0 "$lease_held"
	check_same "by $seconds s: nobody was fenced" "$epoch" "$(rec .epoch)" || show_logs
	check "by $seconds s: signs of life go on" signs_move
done
old=$primary
kill_daemon "$old"
need remove_member "$old" --force
jump -90000
await 60 "another member takes over, whatever the clock says" some_primary "$old"
check "all data is there" load_verify "$primary"
start_daemon "$old"
await 60 "everybody is in sync" all_in_sync
check_history
finish
