#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# sync_all: the primary dies in the middle of writing; the other member, promoted, has
# a prefix of the writes with every acknowledged barrier in it, and goes on.
# timeout: 150
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"

require_disks 2
dm a "${swb_disks[0]}"
lower[a]=$dm_dev
pair sync_all
load_write a -n 0 -b 4 -z >"$swb_tmp/writer.out" 2>&1 &
writer=$!
poll_until 30 sh -c "[ \$(grep -c ^ack $swb_tmp/acks) -ge 25 ]" || die "no barriers in time"
crash a
check_ended "the writer ends" "$writer" 30
check "the replica is promoted" promote b --primary-gone --required b
check "it has a prefix with every barrier" load_verify b -z
check "it goes on" load_write b -l 2 -f $(($(load_verify b -z -q) + 1)) -n 50 -b 4 -z
check "and holds what was written" load_verify b -z
check_same "no invariant was seen broken" 0 "$(st b .stats.asserts)"
finish
