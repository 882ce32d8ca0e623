#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What cannot be a quorum is refused with a sentence; what can is changed into and out
# of, in a new epoch each time, with the data in place.
# timeout: 150
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/quorum.sh"

pair sync_all
need load_write a -n 30 -b 4
text=$(swblockctl assign vol --mode sync_quorum 2>&1)
check_same "two members are refused" 4 $?
check "the text says how many" grep -q '3 to 7' <<<"$text"
format_member c
need add_member c
text=$(swblockctl assign vol --members a,b,c --mode sync_quorum --required a,b 2>&1)
check_same "a required set is refused" 4 $?
check "the text says why" grep -q 'every member votes' <<<"$text"
check "three members" swblockctl assign vol --members a,b,c --mode sync_quorum
must link_members a b
must link_members a c
check "b is in sync" poll_until 20 in_sync a b
check "c is in sync" poll_until 20 in_sync a c
need swblockctl unlink vol/a b
check "barriers succeed without b" load_write a -l 2 -f 31 -n 30 -b 4
check "back to sync_all" swblockctl assign vol --members a,c --mode sync_all --policy written
must link_members a c
check "c is in sync" poll_until 20 in_sync a c
check "everything is there" load_verify a
finish
