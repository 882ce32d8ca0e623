#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A copy that lacks what a member knows as committed is not promoted.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

pair sync_all
need load_write a -n 60
# b as it is now, and as it was a while ago
need remove_member a --force
need remove_member b
c=$(swbdisk get "${lower[a]}" committed)
note "a knows $c as committed"
members=(a b)
groups=$(swbdisk groups "${lower[b]}" | wc -l)
if [ "$groups" -ge 5 ]; then
	pos=$(swbdisk groups "${lower[b]}" | tail -n 3 | head -n 1 | sed 's/pos=\([0-9]*\).*/\1/')
	must swbdisk group-flip "${lower[b]}" "$pos" header
fi
need add_member a
letter=$(add_letter b)
case $letter in
[HIJK])
	text=$(promote b -j 2>&1)
	check_same "b, cut short, is refused (it opened with case $letter)" 4 $?
	check "as lesser or below what is committed" grep -q 'case [GI]' <<<"$text" ||
		quoted "$text" ;;
*)
	check "b, cut short, is not even attached" grep -q 'case [LM]' <<<"$letter" ;;
esac
check "a is" promote a
check "with everything" load_verify a
finish
