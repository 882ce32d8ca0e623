# SPDX-License-Identifier: GPL-2.0-only
# What tests of encrypted links share: keys, two namespaces with a wire between
# them, links over it, and a wiretap. Source it after volume.sh and link.sh.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # shared with lib.sh, volume.sh and the tests

tls_addr=10.77.0.2:7800

# require_ktls: this kernel can encrypt in both directions
require_ktls()
{
	modprobe -q tls
	python3 - <<-'EOP' || skip "no kTLS in this kernel"
		import errno, socket, sys
		try:
		    socket.socket().setsockopt(socket.IPPROTO_TCP, 31, b"tls")
		except OSError as e:
		    sys.exit(e.errno != errno.ENOTCONN)
	EOP
}

# make_key FILE [NAME]: a fresh key, readable by its owner only
make_key()
{
	(umask 077; echo "${2:+$2:}$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')" >"$1")
}

# wire: the namespaces swba (10.77.0.1) and swbb (10.77.0.2)
wire()
{
	ip netns add swba 2>/dev/null && ip netns add swbb || skip "no network namespaces"
	defer ip netns del swba
	defer ip netns del swbb
	must ip link add va netns swba type veth peer name vb netns swbb
	must ip -n swba addr add 10.77.0.1/24 dev va
	must ip -n swbb addr add 10.77.0.2/24 dev vb
	must ip -n swba link set va up
	must ip -n swbb link set vb up
	must ip -n swba link set lo up
	must ip -n swbb link set lo up
	ip link set lo up
}

# listen_b OPTION...: b waits for a, in the background; $listener
listen_b()
{
	swblockctl link "$VOL/b" a --listen "$tls_addr" --netns swbb --no-wait --timeout 60 "$@" \
		>"$swb_tmp/listen.out" 2>&1 &
	listener=$!
	poll_until 40 listening || { quoted "$(cat "$swb_tmp/listen.out")"; die "b does not listen"; }
}

listening()
{
	ip netns exec swbb ss -Hltn "sport = :${tls_addr##*:}" | grep -q .
}

# connect_a OPTION...: a connects to where b waits
connect_a()
{
	swblockctl link "$VOL/a" b --connect "$tls_addr" --netns swba "$@"
}

# tls_link [OPTION...]: both ends with $swb_tmp/key
tls_link()
{
	listen_b --key "$swb_tmp/key"
	connect_a --key "$swb_tmp/key" "$@" >"$swb_tmp/connect.out" 2>&1 &&
		wait "$listener" && return 0
	cat "$swb_tmp/listen.out" "$swb_tmp/connect.out"
	return 1
}

# plain_link: in clear text
plain_link()
{
	listen_b --insecure
	connect_a --insecure >"$swb_tmp/connect.out" 2>&1 && wait "$listener" && return 0
	cat "$swb_tmp/listen.out" "$swb_tmp/connect.out"
	return 1
}

# wiretap FILE: everything on the wire, until wiretap_end
wiretap()
{
	ip netns exec swba tcpdump -i va -U --immediate-mode -s 0 -w "$1" >"$swb_tmp/tcpdump.out" 2>&1 &
	tap_pid=$!
	poll_until 10 grep -q '^.*listening on' "$swb_tmp/tcpdump.out" || die "no wiretap"
	tap_file=$1 tap_size=-1
}

wiretap_end()
{
	# what is on its way to the file has to arrive
	poll_until 5 tap_is_quiet
	kill -INT "$tap_pid"
	wait "$tap_pid" 2>/dev/null
	return 0
}

# something came, and nothing more since the last look; 24 bytes are the file's header
tap_is_quiet()
{
	local now

	now=$(stat -c %s "$tap_file")
	[ "$now" -gt 24 ] && [ "$now" = "$tap_size" ] && return 0
	tap_size=$now
	sleep 0.3
	return 1
}

# put_pattern BLOCK: 4 KiB that nobody could overlook
pattern=SWBLOCK-SECRET-OF-THE-VOLUME-0123456789
put_pattern()
{
	yes "$pattern" | head -c 4096 |
		dd of="$(bd a)" bs=4096 seek="$1" count=1 oflag=direct conv=notrunc,fsync status=none
}

# session_of MEMBER: of its only peer, exactly (jq rounds numbers of 64 bits)
session_of()
{
	swblockctl status -j "$VOL/$1" | sed -n 's/.*"session": \([0-9]*\).*/\1/p'
}
