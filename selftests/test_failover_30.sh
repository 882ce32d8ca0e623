#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 900
# tier: long
# A daemon dies at every point before and after every step that it takes, while
# primaries fall and come back: the others, or its next run, go on; nothing is
# granted twice, and no acknowledged write is lost. SWB_ROUNDS: so many points only.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/cluster.sh"

lease_ms=3000 silence=4s
cluster_up
write_step=1 life=0
points=(win.before win.after grant.before grant.after settle.before settle.after
	adopt.before adopt.after report.before report.after promote.before promote.after
	assign.before assign.after renew.before renew.after link.before link.after
	accept.before accept.after attach.before attach.after state.before state.after
	sign.before sign.after)

# Runs a daemon again and again until told otherwise; the fault acts in one life.
revive()
{
	local n

	for n in a b c; do
		kill -0 "${daemon_pid[$n]}" 2>/dev/null && continue
		died="$died $n"
		start_daemon "$n"
	done
}

whole()
{
	revive
	some_primary && all_in_sync
}

for point in "${points[@]:0:${SWB_ROUNDS:-99}}"; do
	died=''
	life=$((life + 1))
	old=$primary
	load_write "$old" -l "$life" -f "$write_step" -n 4 >/dev/null ||
		{ fail "$point: load"; break; }
	write_step=$((write_step + 4))
	for n in a b c; do
		echo "$point:kill" >"$swb_tmp/fault-$n"
	done
	# every daemon that comes to this point dies there, once
	kill_daemon "$old"
	swblockctl remove "$VOL/$old" --force >/dev/null 2>&1
	start_daemon "$old"
	for ((i = 0; i < 60; i++)); do
		for n in a b c; do
			kill -0 "${daemon_pid[$n]}" 2>/dev/null && continue
			: >"$swb_tmp/fault-$n"
		done
		revive
		sleep 0.1
	done
	for n in a b c; do
		: >"$swb_tmp/fault-$n"
	done
	if ! poll_until 120 whole; then
		fail "$point: everybody comes back"
		show_logs
		break
	fi
	text=$(load_verify "$primary" 2>&1) || {
		fail "$point: an acknowledged write is lost"
		quoted "$text"
		break
	}
	pass "$point: killed:${died:- nobody}; all data is there, primary $primary"
done
check_history
finish
