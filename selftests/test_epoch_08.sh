#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# I/O held over an epoch that another node was granted fails; it is never let through.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

fresh a b
assign best_effort --lease 2s
need promote a
need link_members a b
poll_until 20 in_sync a b || die "b does not come in sync"
need swblockctl lease vol/a --for 2s
need load_write a -n 20
check "the lease ends" poll_until 15 has_condition a suspended_lease
background put_block "$(bd a)" 3000 X
poll_until 10 sh -c "[ \$(swblockctl status -j vol/a | jq '.members[0] | .parked + .inflight') -gt 0 ]" ||
	die "nothing is held"
check "another node is granted the next epoch" promote b
check_ended "the held write ends" $bg 30
check "with an error" test "$ended" != 0
check "a is no primary" st_is a '.role == "primary"' false
need swblockctl lease vol/b --for 2s
check "the write is not on b" sh -c "! dd if=$(bd b) bs=4k skip=3000 count=1 \
	iflag=direct status=none | grep -q X"
finish
