#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The kernel panics: the host must say fail and run the rest in a new guest.
. "$SWB_TOP/selftests/lib.sh"

pass "about to panic"
echo c >/proc/sysrq-trigger
finish
