# SPDX-License-Identifier: GPL-2.0-only
# What tests of retention share: how much history a primary holds for a peer that
# stands still. Source it after rebuild.sh.
# shellcheck shell=bash
# shellcheck disable=SC2154 # shared with lib.sh and volume.sh

# still: b's link goes through a proxy, and from here on nothing passes it, without
# either end being told
still()
{
	need swblockctl unlink vol/a b
	need poll_until 10 detached a b
	# before the link is made: a socket keeps the deadline that it was made with
	need swblockctl tune vol/a --link-deadline 300s
	need swblockctl tune vol/b --link-deadline 300s
	proxy_opts+=(--for 900)
	proxy_start
	need poll_until 20 in_sync a b
	kill -STOP "$proxy_pid"
}

# held A B: bytes of history behind the pin that A has for B
held()
{
	peer "$1" "$2" .behind_bytes
}

holds_above()
{
	[ "$(held a b)" -gt "$1" ]
}

# fill KIB [,fsync]: that much is written to a, in records of 64 KiB. A barrier waits
# for a peer that stands still, in best_effort as long as it is linked.
fill()
{
	dd if=/dev/urandom of="$(bd a)" bs=64k count=$(($1 / 64)) oflag=direct \
		conv="notrunc${2-}" status=none
}

# not_behind A B: nothing at all, in records, bytes and time
not_behind()
{
	[ "$(peer "$1" "$2" '[.behind_records, .behind_bytes, .behind_ns] | add')" = 0 ]
}

# say_peer: how a sees b, for the log
say_peer()
{
	note "a sees b: $(peer a b '"\(.state) \(.reason), behind \(.behind_records) records, \(.behind_bytes) bytes"')"
}

# given_up: the pin of b is gone, with the reason in $1
given_up()
{
	peer_is a b '.state + " " + .reason' "needs_rebuild $1"
}

# log_reaches LSN: the record behind LSN is still in a's log
log_reaches()
{
	[ "$(st a .log.start_lsn)" -le $(($1 + 1)) ]
}
