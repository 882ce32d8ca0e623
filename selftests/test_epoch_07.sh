#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# demote refuses while the device is open, and drains when it is not.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

lone
need load_write a -n 20
exec 4<>"$(bd a)"
text=$(swblockctl demote vol/a 2>&1)
check_not "refused while open" test $? = 0
check "with words" test "$(wc -w <<<"$text")" -ge 4
check_same "still primary" primary "$(st a .role)"
check "forced" swblockctl demote vol/a --force
check_same "the role is gone" false "$(st a '.role == "primary"')"
check_not "the old opener gets an error" dd if=/dev/zero of=/dev/fd/4 bs=4k count=1 status=none
check "it is a stale opener" has_condition a stale_openers
exec 4<&-
check "which goes when it closes" poll_until 10 lacks_condition a stale_openers
check "promoted again" promote a
check "opened anew the data is there" load_verify a
check "and demoted when closed" poll_until 10 swblockctl demote vol/a
finish
