#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# I/O held over this node's own next grant goes on.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

fresh a
assign best_effort --lease 2s
need promote a
check "the lease ends" poll_until 15 has_condition a suspended_lease
background put_block "$(bd a)" 100 Y
check "a write is held" poll_until 10 sh -c \
	"[ \$(swblockctl status -j vol/a | jq '.members[0] | .parked + .inflight') -gt 0 ]"
check "the same node is granted the next epoch" promote a
check_ended "the held write ends" $bg 30
check_same "well" 0 "$ended"
need swblockctl lease vol/a --for 2s
check "and is there" sh -c "dd if=$(bd a) bs=4k skip=100 count=1 iflag=direct \
	status=none | grep -q Y"
finish
