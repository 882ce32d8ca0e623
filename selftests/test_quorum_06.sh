#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A primary in the minority commits nothing (S20). The others elect another one; the
# old one comes back with its dead tail cut, and none of it is ever seen again (S2).
# timeout: 150
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/quorum.sh"

quorum 3
need load_write a -n 40 -b 4
need swblockctl tune vol/a --io-deadline 60s
need swblockctl unlink vol/a b
need swblockctl unlink vol/a c
need poll_until 10 detached a b
committed=$(st a .log.committed_lsn)
for n in 4000 4001 4002; do
	need put_block "$(bd a)" "$n" x
done
background barrier a 4003
check "the barrier of the minority waits" poll_until 10 has_condition a waiting_peer
check_same "C stands still" "$committed" "$(st a .log.committed_lsn)"
check "its records are in its log" test "$(st a .log.durable_lsn)" -ge $((committed + 3))
# power goes off at the old primary, before anybody can ask it
need remove_member a --force
check_ended "its barrier ends" "$bg" 20
check "with an error" test "$ended" != 0
check "two of three are evidence" promote b
must link_members b c
check "c is in sync" poll_until 20 in_sync b c
check_same "the minority's write is not there" 0 "$(get_block "$(bd b)" 4000)"
check "barriers succeed" load_write b -l 2 -f 41 -n 40 -b 4
need add_member a
check "the old primary comes back" level b a
check_same "by case K: its tail is cut" K "$(peer b a .case)"
check "everything is there" load_verify b
need swblockctl demote vol/b
check "promote the old primary" promote a
check_same "its own tail is not there" 0 "$(get_block "$(bd a)" 4001)"
check "what was acknowledged is" load_verify a
finish
