#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A member that is not primary has no capacity and refuses writers, with the reason.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

fresh a
check_same "no role after attach" none "$(st a .role)"
check "the condition says so" has_condition a no_role
check_same "no capacity without a role" 0 "$(blockdev --getsize64 "$(bd a)")"
check "opening for reading is answered at once" timeout 10 dd if="$(bd a)" of=/dev/null \
	bs=4k count=1 status=none
open_rw()
{
	python3 -c 'import os, sys
try:
    os.close(os.open(sys.argv[1], os.O_RDWR))
except OSError as e:
    sys.exit(e.errno)' "$(bd a)"
}
dmesg_mark
check_code 30 "opening for writing gives EROFS" open_rw
check "the log says why" sh -c \
	"dmesg | grep -i 'swblock10.*role\|swblock10.*primary\|vol/a.*role\|vol/a.*primary'"
assign best_effort
need promote a
check "as primary it opens" open_rw
check_same "and has its size" $((64 << 20)) "$(blockdev --getsize64 "$(bd a)")"
check "demote" swblockctl demote vol/a
check_code 30 "after demotion EROFS again" open_rw
check_same "and no capacity" 0 "$(blockdev --getsize64 "$(bd a)")"
finish
