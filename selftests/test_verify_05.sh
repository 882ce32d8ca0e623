#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The link is lost during a comparison: it ends, says that not all was compared, and tells
# no difference that is none; with the link back the next one is whole.
# timeout: 240
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/quorum.sh"
. "$SWB_TOP/selftests/helpers/verify.sh"

size=64M pair best_effort
need load_write a -n 100 -b 4
swblockctl verify vol/a --wait --timeout 75 >"$swb_tmp/v.out" 2>&1 &
vpid=$!
need swblockctl unlink vol/a b
check_ended "it ends" "$vpid" 80
check "with an error" test "$ended" != 0
check "it says what was not compared" grep -Eq "[1-9][0-9]* not compared|no replica" "$swb_tmp/v.out" ||
	quoted "$(cat "$swb_tmp/v.out")"
check_same "no difference is told" 0 "$(st a .stats.verify_mismatches)"
check_not "alone there is nothing to compare with" verify
level a b || die "not level"
check "with the link back it is whole" verify
finish
