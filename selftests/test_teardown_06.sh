#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# With a lower device that hangs the verbs return, rmmod refuses, and later all is clean.
# timeout: 120
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

dm a "${swb_disks[0]}"
lower[a]=$dm_dev
lone
need load_write a -n 20
need swblockctl tune vol/a --io-deadline 3s
defer dmsetup resume --noudevsync swbt-a
dm_freeze a
background swbload write "$(bd a)" -n 1 -b 1
check_ended "the writer ends by the deadline" $bg 60
check_same "with an I/O error" 3 "$ended"
check "status returns" timeout 10 swblockctl status
timeout 40 swblockctl remove vol/a --force --timeout 15 >"$swb_tmp/remove.out" 2>&1
rc=$?
check "remove --force returns (code $rc)" test "$rc" != 124
check "what remains is named, or gone" sh -c "! swblockctl status vol/a >/dev/null 2>&1 ||
	swblockctl status vol/a | grep -q 'zombie\|removing'"
check_not "rmmod refuses while a request is out" timeout 20 rmmod swblock
dm_thaw a
check "once the device answers the module can go" poll_until 40 rmmod swblock
load_module
letter=$(add_letter a)
check "the log is whole (case $letter)" grep -q '^[HIJK]$\|case F' <<<"$letter"
finish
