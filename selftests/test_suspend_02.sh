#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The operator's hold outlives a new epoch of the same primary, ends with a demotion, and
# is forgotten over a removal; what waits for too long fails at the I/O deadline.
# timeout: 150
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/quorum.sh"

pair sync_all
need load_write a -n 20 -b 4
need swblockctl suspend vol/a
e=$(st a .epoch)
need promote a
check "a new epoch" test "$(st a .epoch)" -gt "$e"
check "suspended still" has_condition a suspended_admin
must link_members a b
background put_block "$(bd a)" 4000 x
check_waits "a write waits" "$bg" 1
need swblockctl tune vol/a --io-deadline 1s
check_ended "it ends at the deadline" "$bg" 15
check "with an error" test "$ended" != 0
check_same "its block was never written" 0 \
	"$(need swblockctl resume vol/a; get_block "$(bd a)" 4000)"
need swblockctl suspend vol/a
need swblockctl demote vol/a
check "demoted: nothing is held" lacks_condition a suspended_admin
need promote a
must link_members a b
check "promoted again: I/O goes" load_write a -l 2 -f 21 -n 20 -b 4
need swblockctl suspend vol/a
need remove_member a --force
need add_member a
need promote a
must link_members a b
check "attached again: I/O goes" load_write a -l 3 -f 41 -n 20 -b 4
check "everything is there" load_verify a
finish
