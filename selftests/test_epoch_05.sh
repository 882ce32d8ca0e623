#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A second authority store, or a restored one, has no say: case D.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

lone
need load_write a -n 20
e=$(st a .epoch)
cp "$SWBLOCK_STORE" "$swb_tmp/backup"
SWBLOCK_STORE=$swb_tmp/other.db
check "another store can describe the volume" \
	swblockctl assign vol --members a --mode best_effort
text=$(promote a -j)
check_same "but its epoch is refused" 4 $?
check "the text speaks of the store" grep -qi store <<<"$text"
check_not "and its adoption" swblockctl adopt vol/a --epoch $((e + 10)) \
	--store-uuid 00000000-1111-4222-8333-444444444444 --store-generation 1
check_same "the member is as it was" primary "$(st a .role)"
check_same "in its epoch" "$e" "$(st a .epoch)"
SWBLOCK_STORE=$swb_tmp/authority.db
check "the own store goes on" promote a
check "data is untouched" load_verify a
finish
