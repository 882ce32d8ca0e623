#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The own disk is the slow one: --why names this host and its log, for writes, and for
# barriers where there are no plain writes.
# timeout: 200
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/trace.sh"

load_module
behind_dm a
pair sync_all --policy written
slow a 100
for i in $(seq 1 10); do
	need dd if=/dev/zero of="$(bd a)" bs=4k seek="$i" count=1 oflag=direct,sync \
		conv=notrunc status=none
done
check_same "no plain write yet" 0 "$(stage a complete)"
check_same "it is about barriers" barrier "$(lat a .why.of --why)"
check_same "which the own log held" a "$(lat a .why.member --why)"
writes a 100 30
check_same "now about writes" complete "$(lat a .why.of --why)"
check_same "held by the own log" a "$(lat a .why.member --why)"
check_same "in its stage persist" persist "$(lat a .why.stage --why)"
check "which is as slow as the disk" test "$(p a persist p50)" -ge 100000
check "in words" grep -q "waited last for a (own log)$" <(swblockctl latency vol/a --why)
finish
