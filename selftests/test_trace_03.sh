#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# One of two required peers has a slow disk: --why names that peer and what it was slow
# at, and the other one's times stay short.
# timeout: 200
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/trace.sh"

load_module
behind_dm c
fresh a b c
assign sync_all --policy written
need promote a
must link_members a b
must link_members a c
for m in b c; do
	poll_until 40 in_sync a "$m" || die "$m does not come in sync"
done
slow c 100
writes a 100 40
check "the writes took as long as the slow disk" test "$(p a complete p50)" -ge 100000
check_same "p99 is held by the slow peer" c "$(lat a .why.member --why)"
check_same "of plain writes" complete "$(lat a .why.of --why)"
check_same "by its log" peer-persist "$(lat a .why.stage --why)"
check_same "and nobody else's" c "$(lat a .why.stage_member --why)"
check "its time is that of the disk" test "$(p a peer-persist p50 c)" -ge 100000
check "the other peer is faster" \
	test "$(p a peer-persist p50 b)" -lt "$(p a peer-persist p50 c)"
check "so is the own log" test "$(p a persist p50)" -lt "$(p a peer-persist p50 c)"
check "the peer's own share says that it was the disk" test "$(p c persist p50)" -ge 100000
check "in words" grep -q "waited last for c$" <(swblockctl latency vol/a --why)
check_same "--peer shows that peer only" c \
	"$(lat a '[.stages[].member] | unique | join(",")' --peer c)"
finish
