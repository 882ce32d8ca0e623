#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# After all that: no trace of the tests before, the runner must say pass.
. "$SWB_TOP/selftests/lib.sh"

check_not "no process of another test" pgrep -fx "sleep 1000"
check_not "no mount of another test" grep -q /run/mnt /proc/mounts
check_not "no dm device of another test" test -e /dev/mapper/left-behind
check_not "no splat of another test" sh -c 'dmesg | grep -q fake/test_meta'
finish
