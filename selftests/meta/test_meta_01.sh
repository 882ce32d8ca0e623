#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A test in which all is well: the runner must say pass.
. "$SWB_TOP/selftests/lib.sh"

require_disks 2
check "a scratch disk can be written" dd if=/dev/urandom of="${swb_disks[0]}" bs=64k count=1
check_not "a failing command is noticed" false
check_code 3 "an exit code is noticed" sh -c 'exit 3'
check_same "the runner names the test" test_meta_01 "$SWB_TEST"
check "a state is waited for" poll_until 5 test -d "$SWB_STATE"
finish
