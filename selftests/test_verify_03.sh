#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A block that changed on the primary's disk: found as well; the order to repair lets the
# primary win, and both are equal then.
# timeout: 200
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/quorum.sh"
. "$SWB_TOP/selftests/helpers/verify.sh"

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
