#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Three members: a barrier waits for the required ones only; any of them carries on
# after the primary's end.
# timeout: 240
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"

require_disks 3
fresh a b c
assign sync_all
need promote a
need link_members a b
need link_members a c
check "b is in sync" poll_until 20 in_sync a b
check "c is in sync" poll_until 20 in_sync a c
check "writes and barriers" load_write a -n 60 -b 6
need swblockctl unlink vol/a c
load_background a -l 2 -f 61 -n 20 -b 4
sleep 2
check "a barrier waits for the third" kill -0 "$bg"
check "b alone does not make it" has_condition a waiting_peer
need link_members a c
check_ended "the writer ends" "$bg" 30
check_same "with success" 0 "$ended"
need remove_member a --force
check "c goes on after the primary's end" promote c --primary-gone --required b,c
need link_members c b
check "b follows it" poll_until 20 in_sync c b
check "c has everything" load_verify c
check "and writes" load_write c -l 3 -f 81 -n 40 -b 4
need swblockctl demote vol/c
check "b is promoted" promote b
check "and has everything" load_verify b
finish
