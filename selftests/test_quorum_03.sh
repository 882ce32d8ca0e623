#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Seven members in one kernel: three that are dead cost nothing; the primary dies as the
# fourth, which is one too many; one of the dead comes back and makes up the evidence.
# timeout: 240
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/quorum.sh"

quorum 7
need load_write a -n 60 -b 4
for name in e f g; do
	need remove_member "$name" --force
done
check "three are dead: barriers go on" load_write a -l 2 -f 61 -n 100 -b 4
check "nobody is waited for" lacks_condition a waiting_peer
need remove_member a --force
text=$(promote b -j 2>&1)
check_same "three of seven are no evidence" 4 $?
check "the refusal names the case" grep -q 'case H' <<<"$text"
need add_member e
check "the fourth makes it sufficient" promote b
for name in c d e; do
	must link_members b "$name"
done
for name in c d e; do
	check "$name is in sync" poll_until 20 in_sync b "$name"
done
check "nothing that was acknowledged is lost" load_verify b
check "barriers succeed on four of seven" barrier b
finish
