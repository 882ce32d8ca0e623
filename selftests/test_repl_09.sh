#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The replica loses power again and again under load, also while it catches up; each
# time it comes back with a prefix and is brought level.
# timeout: 300
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"

dm b "${swb_disks[1]}"
lower[b]=$dm_dev
wal_size=192M pair best_effort --policy local
load_background a -n 0 -b 4 -B 512
for ((i = 1; i <= 5; i++)); do
	sleep 0.5
	crash b
	check_same "crash $i: the primary goes on" primary "$(st a .role)"
	letter=$(add_letter b)
	check "crash $i: the log opens or is cut (case $letter)" grep -q '^[HIJK]$' \
		<<<"$letter"
	link_members a b || fail "crash $i: no link"
	# every other time there is no waiting: cut in the middle of catch-up
	[ $((i % 2)) = 1 ] ||
		check "crash $i: in sync under load" poll_until 60 in_sync a b
done
kill "$bg"
check_ended "the writer ends" "$bg" 20
level a b || die "not level"
need swblockctl demote vol/a
check "promote the replica" promote b
check "it has everything" load_verify b -B 512
check_same "no invariant was seen broken" 0 \
	"$(($(st a .stats.asserts) + $(st b .stats.asserts)))"
finish
