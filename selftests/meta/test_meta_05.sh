#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 5
# A test that never ends, with a child that ignores signals: the runner must say fail.
. "$SWB_TOP/selftests/lib.sh"

bash -c 'trap "" TERM INT HUP; while :; do sleep 100; done' &
pass "about to hang"
sleep 1000
finish
