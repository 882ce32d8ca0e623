# SPDX-License-Identifier: GPL-2.0-only
# Daemons that die at named points (swblockd --fault-points), many of them in one
# situation: who dies is started again at once and meets the next point, until all
# were met. A writer is at work meanwhile. Source it after cluster.sh.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # shared with lib.sh and cluster.sh

# points that no daemon has died at yet; how many deaths a daemon has told of
declare -A left told
writer='' ended_by_test='' life=0 step=1

# points STEP...: before and after each. The words behind `points` in all tests are
# what check_every_point goes by, so they are written out.
points()
{
	local s

	for s in "$@"; do
		left[$s.before]=1
		left[$s.after]=1
	done
}

# check_every_point: what the daemon calls its points is what the tests name, both ways
check_every_point()
{
	local named

	named=$(sed -n 's/^points //p' "$SWB_TOP"/selftests/test_*.sh | tr ' ' '\n' |
		sed 's/.*/&.before\n&.after/' | sort -u)
	check_same "a test kills the daemon at every point that it has" \
		"$(swblockd --fault-points | sort)" "$named"
}

arm()
{
	local n p words=''

	for p in "${!left[@]}"; do
		words+="$p:kill "
	done
	for n in "${nodes[@]}"; do
		echo "$words" >"$swb_tmp/fault.new"
		mv "$swb_tmp/fault.new" "$swb_tmp/fault-$n"
	done
}

disarm()
{
	local n

	for n in "${nodes[@]}"; do
		: >"$swb_tmp/fault-$n"
	done
}

# Only a fault point may have ended it, and by SIGKILL.
died_where()
{
	local code=$2 deaths at

	deaths=$(grep -c '^fault point .*: kill$' "$swb_tmp/$1.log")
	if [ "$code" != 137 ] || [ "$deaths" = "${told[$1]:-0}" ]; then
		fail "the daemon of $1 ended by itself, code $code"
		quoted "$(tail -n 15 "$swb_tmp/$1.log")"
		return
	fi
	told[$1]=$deaths
	at=$(sed -n 's/^fault point \(.*\): kill$/\1/p' "$swb_tmp/$1.log" | tail -n 1)
	if [ -n "${left[$at]-}" ]; then
		unset "left[$at]"
		pass "$at: the daemon of $1 died there"
		arm
	fi
}

# revive: whoever died at a point is started again, without that point
revive()
{
	local n code

	for n in "${nodes[@]}"; do
		kill -0 "${daemon_pid[$n]}" 2>/dev/null && continue
		wait "${daemon_pid[$n]}" 2>/dev/null
		code=$?
		[ "$n" = "$ended_by_test" ] || died_where "$n" "$code"
		ended_by_test=''
		start_daemon "$n"
	done
}

# deaths SECONDS: let it happen for so long, or until all points were met
deaths()
{
	local end

	read_uptime
	end=$((uptime_s + $1))
	while [ "${#left[@]}" -gt 0 ] && [ "$uptime_s" -lt "$end" ]; do
		revive
		sleep 0.1
		read_uptime
	done
}

# strike: the primary's host dies; its daemon is started again by `revive`
strike()
{
	ended_by_test=$primary
	kill_daemon "$primary"
	swblockctl remove "$VOL/$primary" --force >/dev/null 2>&1
}

# writer_start: a few writes a second, each second one with a barrier, for as long as
# the primary lives
writer_start()
{
	life=$((life + 1))
	# not load_write: it is this process that has to be ended
	swbload write "$(bd "$primary")" -H "$swb_tmp/history" -a "$swb_tmp/acks" \
		-l "$life" -f "$step" -n 0 -b 2 -p 40 >/dev/null 2>&1 &
	writer=$!
	defer kill -KILL "$writer"
	poll_until 30 wrote || die "set-up: the writer of life $life"
}

wrote()
{
	grep -q "^ack $life " "$swb_tmp/acks"
}

# check_data: the writer ends, and the primary shows a prefix of what it wrote, with
# every operation that it was told was safe
check_data()
{
	local text

	if [ -n "$writer" ]; then
		kill -TERM "$writer" 2>/dev/null
		check_ended "the writer ends" "$writer" 60
		writer=''
	fi
	if text=$(load_verify "$primary" -q 2>&1); then
		pass "nothing is lost: primary $primary, $((text - step + 1)) operations"
		step=$((text + 1))
	else
		fail "nothing is lost"
		quoted "$text"
	fi
}

whole()
{
	revive
	some_primary && all_in_sync
}

# recover: no more faults; everybody comes back with all data
recover()
{
	disarm
	poll_until 150 whole || {
		fail "everybody comes back"
		show_logs
		return 1
	}
	# whole() ran in this shell: $primary is the newest one
	check_data
}

# check_points: none was left out
check_points()
{
	check_same "a daemon died at every point" '' "${!left[*]}"
}
