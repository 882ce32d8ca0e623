#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# An older epoch is refused by everybody who adopted a newer one.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

lone
e=$(st a .epoch)
store=$(swblockctl adopt vol/a -j | jq -r .store)
gen=$(swblockctl adopt vol/a -j | jq -r .store_generation)
need promote a
check_not "adopting the older epoch is refused" swblockctl adopt vol/a \
	--epoch "$e" --store-uuid "$store" --store-generation "$gen"
check_same "it is still the primary" primary "$(st a .role)"
r=$(swblockctl adopt vol/a --epoch $((e + 1)) --store-uuid "$store" \
	--store-generation "$gen" -j)
check_same "the same epoch again repeats the report" $((e + 1)) \
	"$(jq -r .report.adopted <<<"$r")"
check_same "and takes no role away" primary "$(st a .role)"
check "a newer one is adopted" swblockctl adopt vol/a --epoch $((e + 5)) \
	--store-uuid "$store" --store-generation "$gen"
check_same "the role is gone with it" false "$(st a '.role == "primary"')"
check_same "the epoch is kept" $((e + 5)) "$(st a .epoch)"
check "the store goes beyond what was adopted" promote a
check "a newer epoch" test "$(st a .epoch)" -gt $((e + 5))
finish
