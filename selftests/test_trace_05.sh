#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Under a quorum of three a slow member releases nothing and holds no percentile of
# writes, while its own times are there to be seen.
# timeout: 200
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/quorum.sh"
. "$SWB_TOP/selftests/helpers/trace.sh"

load_module
behind_dm c
quorum 3 --policy written
slow c 400
writes a 100 40
check_not "p99 is not its doing" test "$(lat a .why.member --why)" = c
check "nearly every write was released by the others" \
	test "$(stage a complete c)" -lt 4
slow_acks() { [ "$(stage a peer-persist c)" = 40 ]; }
check "its acks come in the end" poll_until 60 slow_acks
slow_us=$(p a peer-persist p50 c)
check "and say how long it took" test "$slow_us" -ge 400000
check "writes take less than half of that" test "$(($(p a complete p50) * 2))" -lt "$slow_us"
check_same "nothing was missed" 0 "$(lat a .missed)"
finish
