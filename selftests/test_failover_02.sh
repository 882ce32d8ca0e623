#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A promotion that waives the evidence loses what barriers covered: the judge of
# failover loops must say so, or its silence elsewhere would mean nothing.
# timeout: 120
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/failover.sh"

dm a "${swb_disks[0]}" 96
lower[a]=$dm_dev
wipe_disk "${swb_disks[@]:0:2}"
pair sync_all
clients_start
clients_to a
writes_go_on 30 || die "no write is acknowledged"
need swblockctl assign "$VOL" --required a # its links end with the epoch
base=$(answers)
poll_until 40 more_answers 200 || die "a does not go on alone"
need swbhist mark "$hist" kill "$gen"
kill_member a both
check_not "b cannot be promoted" promote b --required b --primary-gone
need swblockctl promote "$VOL/b" --required b --primary-gone --override \
	--reason "to lose something" --yes
clients_to b
writes_go_on 30 || die "no write after the promotion"
base=$(answers)
poll_until 30 more_answers 100 || die "no load on b"
clients_stop 30
histcheck "$hist" >"$swb_tmp/verdict" 2>&1
check_same "histcheck refuses" 1 $?
check "and names a barrier" grep -q 'covered by *\(barrier\|itself\)' "$swb_tmp/verdict"
quoted "$(head -n 12 "$swb_tmp/verdict")"
finish
