#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A single flipped bit anywhere in a slot is never believed.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

lone
need load_write a -n 20
must remove_member a
e=$(swbdisk get "${lower[a]}" epoch)
# magic, version, crc, generation, uuids, geometry, epoch, marks, lineage, the last byte
for at in 0 8 12 16 24 44 72 88 100 112 160 176 216 300 2000 4095; do
	must swbdisk flip "${lower[a]}" "$at"
	must swbdisk flip "${lower[a]}" $((65536 + at))
	letter=$(swblockctl add -j "${lower[a]}" --minor 10 |
		jq -r '.error.message // "opened"' | sed 's/.*case \([A-Z]\).*/\1/')
	want=A
	[ "$at" -gt 0 ] || want=C
	check_same "byte $at flipped in both slots" $want "$letter"
	must swbdisk flip "${lower[a]}" "$at"
	must swbdisk flip "${lower[a]}" $((65536 + at))
done
check_opens H a "all flipped back"
check_same "nothing was lost" "$e" "$(st a .epoch)"
finish
