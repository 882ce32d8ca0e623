#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# One check fails among others that pass: the runner must say fail.
. "$SWB_TOP/selftests/lib.sh"

pass "first"
check "second" false
pass "third"
finish
