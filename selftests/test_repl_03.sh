#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# An old primary comes back with records that nobody else took: it cuts its dead tail
# (case K), catches up, and the dead records never show again.
# timeout: 200
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"

pair sync_all
need load_write a -n 60 -b 5
need swblockctl unlink vol/a b
# no barrier can succeed now: these are promised to nobody
need load_write a -l 2 -f 61 -n 40 -b 0
dead=$(st a .log.head_lsn)
need remove_member a --force
check "the other is promoted" promote b --primary-gone --required b
check "with every barrier" load_verify b -A 60
common=$(st b .log.head_lsn)
check "the old primary is ahead on a dead branch" test "$dead" -gt "$common"
rm -f "$swb_tmp/history" "$swb_tmp/acks"
# the dead branch is of another life than what b writes now
echo "life 1 from 1" >"$swb_tmp/history"
need load_write b -l 3 -f 61 -n 30 -b 5
need add_member a
check_same "it opens its log" H "$(st a .local_case)"
check "linked" link_members b a
check_same "its dead tail is cut" K "$(peer b a .case)"
check "level again" poll_until 30 in_sync b a
check_same "both logs end alike" "$(st b .log.head_lsn)" "$(st a .log.head_lsn)"
check "demote" swblockctl demote vol/b
check "promote the old one" promote a --required a,b
check "no dead record shows" load_verify a
need remove_member a
need add_member a
check "promoted after another restart" promote a --required a,b
check "no dead record comes back" load_verify a
finish
