#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The module commits without its peer (mutant all-is-one): the runner must say
# fail, as its steps are not those of the core.
SWB_KO=$SWB_TOP/build/mutant/$(uname -r)/swblock.ko
. "$SWB_TOP/selftests/lib.sh"
[ ! -e /sys/module/swblock ] || rmmod swblock
. "$SWB_TOP/selftests/meta/life.sh"
