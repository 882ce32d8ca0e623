#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A comparison is stopped by order, ends with the role, and with the removal; none of it
# leaves anything behind, and the next one runs.
# timeout: 240
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/quorum.sh"
. "$SWB_TOP/selftests/helpers/verify.sh"

pair sync_all
need load_write a -n 100 -b 4
load_background a -l 2 -f 101 -n 0 -b 4
background_verify()
{
	swblockctl verify vol/a --wait --timeout 75 >"$swb_tmp/v.out" 2>&1 &
	vpid=$!
	need poll_until 20 test "$(st a .stats.verify_bytes)" -ge 0
}
background_verify
check "stop" poll_until 10 swblockctl verify vol/a --stop
check_ended "it ends" "$vpid" 20
check "and says so" grep -q "stopped before the end" "$swb_tmp/v.out"
check_not "there is nothing more to stop" swblockctl verify vol/a --stop
check_not "a replica compares with nobody" swblockctl verify vol/b
kill "$bg"
check_ended "the writer ends" "$bg" 20
check "the next one runs to its end" verify
need swblockctl verify vol/a
need remove_member a --force
check "removal ends it" test ! -e "$(bd a)"
need add_member a
need promote a
level a b || die "not level"
need swblockctl verify vol/a
need swblockctl demote vol/a --force
need promote a
level a b || die "not level"
check "after a demotion the next one runs" verify
check "everything is there" load_verify a
finish
