#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Exit codes tell usage, absence, refusal and a missing module apart.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

rmmod swblock 2>/dev/null
check_code 6 "no module: status" swblockctl status
check_code 6 "no module: add" swblockctl add "${swb_disks[0]}"
check "the text says how to load it" sh -c 'swblockctl status 2>&1 | grep -q "insmod\|modprobe"'
lone
check_code 2 "usage" swblockctl promote
check_code 3 "no such member" swblockctl promote vol/b
check_code 4 "refused: an impossible configuration" swblockctl assign vol --mode sync_quorum
check_code 2 "an empty required set" swblockctl assign vol --required ,
format_member b
need add_member b
check_code 4 "refused: not a member" promote b
check_code 5 "timeout: nobody connects" swblockctl link vol/a b --listen 127.0.0.1:7801 --timeout 1
check_code 0 "success" swblockctl status
SWBLOCK_STORE=$swb_tmp/none.db
check_code 1 "no store" promote a
check_not "a garbled store" sh -c "echo garbage >$swb_tmp/bad.db;
	swblockctl promote vol/a --store $swb_tmp/bad.db"
finish
