#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A replica that was away catches up while the primary is written to without a pause:
# in sync with no gap at the hand-over, and equal to the primary afterwards.
# timeout: 200
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"

wal_size=192M pair best_effort
need swblockctl unlink vol/a b
need remove_member b
need load_write a -n 150 -b 8
need add_member b
load_background a -n 0 -l 2 -f 151 -b 8
sleep 1
check "linked under load" link_members a b
check_same "as one that is behind on the same lineage" J "$(peer a b .case)"
check "in sync under load" poll_until 60 in_sync a b
acks=$(grep -c ^ack "$swb_tmp/acks")
check "the writer was not held up" poll_until 20 sh -c \
	"[ \$(grep -c ^ack $swb_tmp/acks) -gt $((acks + 5)) ]"
kill "$bg"
check_ended "the writer ends" "$bg" 20
check "still in sync" poll_until 20 in_sync a b
check "demote" swblockctl demote vol/a
check "promote the other" promote b
check "it has everything" load_verify b
check_same "no invariant was seen broken" 0 \
	"$(($(st a .stats.asserts) + $(st b .stats.asserts)))"
finish
