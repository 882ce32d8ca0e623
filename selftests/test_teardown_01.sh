#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# remove and rmmod refuse while the device is open; forced, the opener gets errors.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

lone
exec 4<>"$(bd a)"
check_not "rmmod is refused" rmmod swblock
text=$(remove_member a 2>&1)
check_same "remove is refused" 1 "$(($? != 0))"
check "and says that it is open" grep -qi 'open\|busy\|use' <<<"$text"
check_same "the volume is as it was" primary "$(st a .role)"
check "forced" timeout 30 swblockctl remove vol/a --force
check_not "the old opener gets an error" dd if=/dev/zero of=/dev/fd/4 bs=4k count=1 status=none
exec 4<&-
check_not "the member is gone" attached a
check "rmmod works now" poll_until 20 rmmod swblock
finish
