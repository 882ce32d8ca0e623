# SPDX-License-Identifier: GPL-2.0-only
# Telling a demo: what is run, what is waited for, what the cluster says. Sourced;
# the caller has $vol, $tmp, $began, $events_seen and give_up(). ask() runs a
# command where swblockctl reaches the store.
# shellcheck shell=bash
# shellcheck disable=SC2016,SC2154 # jq has variables, too; from the caller

if ! declare -F ask >/dev/null; then
	ask()
	{
		"$@"
	}
fi

say()
{
	printf '\n[%3d s] %s\n' $((SECONDS - began)) "$*"
}

indent()
{
	sed 's/^/      /'
}

# Indented, so that what the programs say stands apart from the story.
run()
{
	printf '    $ %s\n' "$*"
	"$@" 2>&1 | indent
	[ "${PIPESTATUS[0]}" = 0 ] || give_up "$1 failed"
}

quiet()
{
	"$@" >"$tmp/quiet" 2>&1 || {
		indent <"$tmp/quiet"
		give_up "$* failed"
	}
}

# until_is WHAT SECONDS COMMAND...: wait for a state
until_is()
{
	local what=$1 end=$((SECONDS + $2))
	shift 2

	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || give_up "$what: not in time"
		sleep 0.2
	done
}

# progress PID ALL UNIT COMMAND...: one line whenever the number has grown enough
progress()
{
	local pid=$1 all=$2 unit=$3 now told=0
	shift 3

	while kill -0 "$pid" 2>/dev/null; do
		sleep 1
		now=$("$@" 2>/dev/null || echo 0)
		if [ "$now" -ge $((told + all / 5)) ] && [ "$now" -lt "$all" ]; then
			echo "      $now of $all $unit"
			told=$now
		fi
	done
	wait "$pid"
}

volume_json()
{
	ask swblockctl status "$vol" -j 2>/dev/null | jq -r "$@"
}

healthy()
{
	[ "$(volume_json '.volumes[0].health')" = ok ]
}

# label of the member that serves the volume, nothing if none does
primary()
{
	volume_json '.volumes[0] | .primary as $p | .members[] |
		select($p and .alive and .state.replica == $p) | .member'
}

device()
{
	volume_json '.volumes[0] | .primary as $p | .members[] |
		select(.state.replica == $p) | "/dev/swblock\(.state.minor)"'
}

# FIELD of member as the primary sees it
peer_field()
{
	volume_json --arg m "$1" '.volumes[0] | .primary as $p |
		(.members[] | select(.member == $m) | .state.replica) as $r |
		.members[] | select(.state.replica == $p) | .state.peer[] |
		select(.replica == $r) | '".$2"
}

member_in_sync()
{
	[ "$(peer_field "$1" state)" = in_sync ]
}

peer_case()
{
	peer_field "$1" letter
}

# what was decided since the last time, with its letters
new_events()
{
	local lines

	lines=$(ask swblockctl events "$vol" --since "$events_seen" 2>/dev/null)
	[ -n "$lines" ] || return 0
	printf '%s\n' "$lines" | indent
	events_seen=$(printf '%s\n' "$lines" | tail -n 1 | cut -d' ' -f1)
}
