#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Removal while the lease is out and I/O is held lets it go with an error.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

fresh a
assign best_effort --lease 1s
need promote a
check "the lease ends" poll_until 15 has_condition a suspended_lease
background dd if=/dev/zero of="$(bd a)" bs=4k count=1 oflag=direct status=none
dd if="$(bd a)" of=/dev/null bs=4k count=1 iflag=direct status=none 2>/dev/null &
reader=$!
poll_until 10 sh -c "[ \$(swblockctl status -j vol/a | jq '.members[0] | .parked + .inflight') -ge 2 ]" ||
	die "nothing is held"
check "forced removal" timeout 30 swblockctl remove vol/a --force
check_ended "the writer ends" $bg 30
check "with an error" test "$ended" != 0
check_ended "the reader ends" $reader 30
check "with an error" test "$ended" != 0
check "rmmod" poll_until 20 rmmod swblock
finish
