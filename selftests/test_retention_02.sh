#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A budget in time: a peer whose disk hangs makes no progress in its catch-up and is given up
# when the time is over, not before it catches up; a healthy one is never measured by it.
# timeout: 400
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/rebuild.sh"
. "$SWB_TOP/selftests/helpers/retention.sh"

dm b "${swb_disks[1]}"
lower[b]=$dm_dev
pair best_effort
need swblockctl tune vol/a --catchup-stall 2s
check_same "the budget shows" 2000 "$(st a .catchup_stall_ms)"
# idle for longer than the budget
sleep 3
check "in sync and idle: not measured" in_sync a b
need swblockctl unlink vol/a b
need poll_until 10 detached a b
fill 512
dm_freeze b
t0=$(date +%s%N)
need link_members a b
check "it begins to catch up" poll_until 20 peer_is a b '.state != "detached"' true
check "and is given up, reason budget" poll_until 30 given_up budget
took=$((($(date +%s%N) - t0) / 1000000))
check "not before its time ($took ms)" test "$took" -ge 2000
check "the primary is none the worse" fill 512
dm_thaw b
check "ordered and linked" copy_to a b
check "in sync" poll_until 60 in_sync a b
check_equal a b "both disks are equal"
check_clean a b
finish
