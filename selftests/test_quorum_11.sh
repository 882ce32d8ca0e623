#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A candidate has the longest log, but of an older epoch (S12): it is refused with case G, the
# one with the newer epoch's few records is promoted and has everything.
# timeout: 400
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/quorum.sh"

quorum 3
need load_write a -n 20 -b 4
need swblockctl unlink vol/a b
need swblockctl unlink vol/a c
need poll_until 10 detached a b
for n in $(seq 4000 4029); do
	need put_block "$(bd a)" "$n" x
done
need poll_until 20 st_is a '.log.durable_lsn == .log.head_lsn' true
long=$(st a .log.durable_lsn)
need remove_member a --force
check "two of three are evidence" promote b
must link_members b c
need poll_until 20 in_sync b c
need load_write b -l 2 -f 21 -n 4 -b 2
need remove_member b --force
need add_member a
check "the longest log is a's" test "$(st a .log.durable_lsn)" -gt "$(st c .log.durable_lsn)"
check_same "as it was" "$long" "$(st a .log.durable_lsn)"
text=$(promote a -j 2>&1)
check_same "it is refused" 4 $?
check "as case G" grep -q 'case G' <<<"$text"
check "the newer epoch's is promoted" promote c
check "and has everything" load_verify c
check "the long one is linked" level c a
check_same "and cut: case K" K "$(peer c a .case)"
check_same "what was never acknowledged is gone" 0 "$(get_block "$(bd c)" 4000)"
check "barriers succeed" load_write c -l 3 -f 25 -n 10 -b 2
check "nothing is lost" load_verify c
finish
