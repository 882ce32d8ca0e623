#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A peer that missed many small writes catches up from the primary's ring, after a restart of
# the primary with nothing in memory: neighbouring groups travel together, and what arrives is
# the same, around a change of epoch and from the middle of a group.
# timeout: 240
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"

# small FIRST COUNT: one record, one group each, contents from the place
small()
{
	dd if=/dev/urandom of="$(bd a)" bs=4k seek="$1" count="$2" oflag=direct conv=notrunc \
		status=none
}

wal_size=16M pair best_effort
need small 0 40
need swblockctl unlink vol/a b
need poll_until 10 detached a b
need small 20 300
check "zeroes among them" blkdiscard -z -o 65536 -l 131072 "$(bd a)"
check "and large ones" dd if=/dev/urandom of="$(bd a)" bs=256k seek=8 count=8 oflag=direct \
	conv=notrunc,fsync status=none
need remove_member a
need add_member a
assign best_effort
need promote a
need small 4000 300
need swblockctl demote vol/a
need remove_member a
need add_member a
assign best_effort
need promote a
groups=$(st a '.log.head_lsn - .log.start_lsn')
note "$groups records are in the log"
f0=$(st a .stats.frames_sent)
must link_members a b
check "in sync" poll_until 60 in_sync a b
check_same "by the log, without a cut" J "$(peer a b .case)"
check "by far fewer frames than groups" test $(($(st a .stats.frames_sent) - f0)) -lt 200
note "$(($(st a .stats.frames_sent) - f0)) frames"
here=$(digest a)
need swblockctl demote vol/a
check "promote the replica" promote b
check_same "it is equal, block by block" "$here" "$(digest b)"
finish
