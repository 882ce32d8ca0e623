#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Writes without a barrier go round a small ring three times: what C lacks is flushed as the
# ring fills, here and at the peer, and nobody waits for the background flush, which comes
# each minute only.
# timeout: 400
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"

INTERVAL=60

# go_round: four rings of 2 MiB, no barrier; how many background flushes may have come
# goes to a file: `check` runs it in a subshell
go_round()
{
	local from periods

	read_uptime
	from=$uptime_s
	timeout 300 dd if=/dev/zero of="$(bd a)" bs=32k count=256 oflag=direct conv=notrunc \
		status=none || return 1
	read_uptime
	periods=$(((uptime_s - from) / INTERVAL + 1))
	echo "$periods" >"$swb_tmp/periods"
}

# slow MEMBER...: its background flush is far away
slow()
{
	local m

	for m in "$@"; do
		need swblockctl tune "vol/$m" --flush-interval ${INTERVAL}s
	done
}

# early MEMBER BEFORE: flushes that time does not account for
early()
{
	local n periods

	n=$(($(st "$1" .stats.disk_flushes) - $2))
	periods=$(<"$swb_tmp/periods")
	echo "$1 flushed $n times, $periods of them by the clock at most"
	[ "$n" -ge $((periods + 3)) ]
}

wal_size=2M lone
slow a
barriers=$(st a .stats.flushes)
fa=$(st a .stats.disk_flushes)
wraps=$(st a .stats.ring_wraps)
check "alone: four rings of writes" go_round
check "the ring went round" test "$(st a .stats.ring_wraps)" -ge $((wraps + 3))
check "nobody asked for a barrier" test "$(st a .stats.flushes)" = "$barriers"
check "the ring asked for its flushes itself" early a "$fa"
need remove_member a --force

members=()
wal_size=2M pair sync_all
slow a b
fa=$(st a .stats.disk_flushes)
fb=$(st b .stats.disk_flushes)
wraps=$(st a .stats.ring_wraps)
check "in sync_all: four rings of writes" go_round
check "the ring went round" test "$(st a .stats.ring_wraps)" -ge $((wraps + 3))
check "it flushed when its ring asked" early a "$fa"
check "so did the peer, whom C waits for" early b "$fb"
check "which is in sync" in_sync a b
need remove_member b --force
need remove_member a --force

# the primary's ring is never short of room: only what is under way to b is bounded
members=()
wal_size=32M fresh a
wal_size=2M fresh b
assign sync_all
need promote a
must link_members a b
poll_until 20 in_sync a b || die "b does not come in sync"
slow a b
fa=$(st a .stats.disk_flushes)
fb=$(st b .stats.disk_flushes)
check "a small ring at the peer: four of its rings" go_round
check "the closed window asked here" early a "$fa"
check "and there" early b "$fb"
check "which is in sync" in_sync a b
finish
