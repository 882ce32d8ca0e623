#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The target dies in the middle of a copy: it comes back void, nobody promotes it, and the
# copy is made again.
# timeout: 400
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/rebuild.sh"

dm b "${swb_disks[1]}"
lower[b]=$dm_dev
wal_size=2M pair best_effort
write_more 30
away
throttle a 128K
check "ordered and linked" copy_to a b
check "under way" poll_until 20 under_way a b
crash b
check_opens G b "it comes back void"
check "and says so" void b
check_not "it is no candidate" promote b --primary-gone
need promote a
write_more 20
throttle a 0
check "ordered and linked" copy_to a b
check "in sync" poll_until 60 in_sync a b
check "the copy is whole" lacks_condition b inconsistent
check_equal a b "both disks are equal"
need remove_member b
check_opens H b "after a restart it is a member as any"
check "whole" lacks_condition b inconsistent
check_clean a b
finish
