#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A barrier that waits too long fails with EIO, and the condition was visible.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

pair sync_all
need swblockctl tune vol/a --io-deadline 3s
need swblockctl unlink vol/a b
background swbload write "$(bd a)" -n 1 -b 1
check "the volume waits for its peer" poll_until 10 has_condition a waiting_peer
check_ended "the barrier ends" $bg 40
check_same "with an I/O error" 3 "$ended"
check "the deadline is counted" test "$(st a .stats.deadlines)" -ge 1
check "the member answers" st_is a .role primary
check "linked again" link_members a b
check "in sync again" poll_until 30 in_sync a b
check "barriers succeed again" swbload write "$(bd a)" -n 4 -b 1
finish
