#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A guest is reset in mid-write: what a barrier covered is there after the boot.
# timeout: 120
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

keep=$SWB_STATE
case $SWB_PHASE in
0)
	rm -f "$keep"/*
	lone
	swbload write "$(bd a)" -H "$keep/history" -a "$keep/acks" -n 0 -b 4 >/dev/null &
	poll_until 30 sh -c "[ \$(grep -c ^ack $keep/acks) -ge 12 ]" ||
		die "no barriers in time"
	cp "$SWBLOCK_STORE" "$keep/authority.db"
	reset_guest 1 ;;
esac
cp "$keep/authority.db" "$SWBLOCK_STORE"
load_module
place a
members=(a)
letter=$(add_letter a)
check "recovery opens or cuts the log (case $letter)" grep -q '^[HIJK]$' <<<"$letter"
need promote a
check "a prefix with every barrier" \
	swbload verify "$(bd a)" -H "$keep/history" -a "$keep/acks"
check "the volume goes on" swbload write "$(bd a)" -n 50 -H "$keep/history" -l 2 \
	-f $(($(swbload verify "$(bd a)" -H "$keep/history" -a "$keep/acks" -q) + 1)) \
	-a "$keep/acks"
check "and holds what was written" \
	swbload verify "$(bd a)" -H "$keep/history" -a "$keep/acks"
finish
