#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A block that changed on the primary's disk: found as well; the order to repair lets the
# primary win, and both are equal then.
# timeout: 200
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/quorum.sh"

verify()
{
	timeout 80 swblockctl verify vol/a --wait --timeout 75 "$@"
}

# settled MEMBER: everything is written back, nothing is in flight
settled()
{
	[ "$(st "$1" '.log.extent_lo == .log.head_lsn')" = true ]
}

# flip_block MEMBER BLOCK: a block of its extent changes under it
flip_block()
{
	local at

	need poll_until 20 settled "$1"
	at=$(($(swbdisk get "${lower[$1]}" extent_offset) + $2 * 4096))
	need swbdisk flip "${lower[$1]}" $((at + 100))
}

size=16M pair sync_all
need put_block "$(bd a)" 100 x
need put_block "$(bd a)" 101 y
flip_block a 100
check_not "found" verify
check_same "one block" 1 "$(st a .stats.verify_mismatches)"
check "repair" verify --repair
check "no difference is left" verify
here=$(digest a)
need swblockctl demote vol/a
check "promote the replica" promote b
check_same "it is equal, block by block" "$here" "$(digest b)"
check_same "the block beside it is untouched" y "$(get_block "$(bd b)" 101)"
finish
