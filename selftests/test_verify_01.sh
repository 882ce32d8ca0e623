#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Equal replicas compare as equal under load, again and again: no false positive, and the
# writers go on.
# timeout: 240
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/quorum.sh"
. "$SWB_TOP/selftests/helpers/verify.sh"

size=16M quorum 3 --policy local
load_background a -n 0 -b 4
for i in 1 2 3; do
	check "round $i finds no difference" verify
done
check "the writer went on" kill -0 "$bg"
kill "$bg"
check_ended "the writer ends" "$bg" 20
check_same "no difference was counted" 0 "$(st a .stats.verify_mismatches)"
check "three times the volume was compared" test "$(st a .stats.verify_bytes)" -ge $((3 * 16777216))
check_same "no request ran into its deadline" 0 "$(st a .stats.deadlines)"
check "everything is there" load_verify a
finish
