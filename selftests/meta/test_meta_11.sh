#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The same life as test_meta_10 with the true module: the runner must say pass.
. "$SWB_TOP/selftests/lib.sh"
[ ! -e /sys/module/swblock ] || rmmod swblock
. "$SWB_TOP/selftests/meta/life.sh"
