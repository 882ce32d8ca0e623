# SPDX-License-Identifier: GPL-2.0-only
# What tests of links share: a proxy that stands between two members and spoils
# what they say (helpers/swbproxy.py), and the comparison of two members. Source
# it after volume.sh.
# shellcheck shell=bash
# shellcheck disable=SC2154 # shared with lib.sh and volume.sh

require_tool python3

# two MODE [ASSIGN-OPTION...]: a is primary, b is attached, nobody is linked
two()
{
	fresh a b
	assign "$@"
	need promote a
}

# options of every proxy and fake peer, e.g. --tcp
proxy_opts=()

# proxy_start [OPTION...] [RULE...]: between a and b, in the background; it is there
# when this returns. What is said goes to $swb_tmp/proxy.out.
proxy_start()
{
	: >"$swb_tmp/proxy.out"
	"$SWB_TOP/selftests/helpers/swbproxy.py" "${proxy_opts[@]}" "$VOL/a" "$VOL/b" "$@" \
		>"$swb_tmp/proxy.out" 2>&1 &
	proxy_pid=$!
	poll_until 20 said '^ready' || { quoted "$(cat "$swb_tmp/proxy.out")"; die "no proxy"; }
}

# said REGEX: a line of the conversation
said()
{
	grep -Eq "$1" "$swb_tmp/proxy.out"
}

# stop_proxy: its lines break, as when a machine in the middle dies
stop_proxy()
{
	kill -9 "$proxy_pid" 2>/dev/null
	wait "$proxy_pid" 2>/dev/null
	return 0
}

# fake_peer MEMBER PEER KIND: somebody who is no member speaks to MEMBER as PEER
fake_peer()
{
	: >"$swb_tmp/fake.out"
	"$SWB_TOP/selftests/helpers/swbproxy.py" "${proxy_opts[@]}" "$VOL/$1" "$VOL/$2" --fake "$3" \
		>"$swb_tmp/fake.out" 2>&1 &
	# shellcheck disable=SC2034 # for the test
	fake_pid=$!
	poll_until 20 grep -q '^ready' "$swb_tmp/fake.out" ||
		{ quoted "$(cat "$swb_tmp/fake.out")"; die "no fake peer"; }
}

# detached MEMBER PEER: no link between them, as MEMBER sees it
detached()
{
	peer_is "$1" "$2" '.state != "opening" and .state != "catching_up" and
		.state != "in_sync"' true
}

refusals()
{
	st "$1" .stats.refused
}

# digest MEMBER: everything a primary shows, in one word
digest()
{
	dd if="$(bd "$1")" bs=1M iflag=direct status=none | sha256sum | cut -d ' ' -f 1
}

# level A B: linked plainly, b proves that it holds everything that a holds
level()
{
	timeout 90 swblockctl link "$VOL/$1" "$2" --pair --sync >"$swb_tmp/link.out" 2>&1 ||
		{ cat "$swb_tmp/link.out"; return 1; }
}

# spoilt RULE CLOSER REASON: the rule ends the link, CLOSER refuses with REASON, and
# a plain link afterwards brings both level again
spoilt()
{
	local rule=$1 closer=$2 reason=$3

	block=$((block + 1))
	proxy_start "$rule"
	put_block "$(bd a)" "$((block % 4096))" x
	if poll_until 15 said "^$closer CLOSE .*reason=$reason\$"; then
		pass "$rule: $closer refuses, $reason"
	else
		fail "$rule: $closer refuses, $reason"
		quoted "$(tail -n 20 "$swb_tmp/proxy.out")"
	fi
	poll_until 15 said '^over' || fail "$rule: the line is still up"
	stop_proxy
	level a b || die "$rule: no link afterwards"
}
block=0

# check_waits DESCRIPTION PID SECONDS: it has not ended by then
check_waits()
{
	if poll_until "$3" gone "$2"; then
		fail "$1"
	else
		pass "$1"
	fi
}

# load_background MEMBER [OPTION...]: like load_write, in the background; $bg is the
# writer itself, so that it can be killed
load_background()
{
	swbload write "$(bd "$1")" -H "$swb_tmp/history" -a "$swb_tmp/acks" "${@:2}" \
		>"$swb_tmp/bg.out" 2>&1 &
	# shellcheck disable=SC2034 # for the test
	bg=$!
}
