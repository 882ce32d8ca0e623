#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Either end is removed in the middle of a copy, under load, and the module is unloaded: nothing
# hangs, and the copy is made afterwards.
# timeout: 400
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/rebuild.sh"

wal_size=2M pair best_effort
write_more 30
away
throttle a 128K
random_writes a
check "ordered and linked" copy_to a b
check "under way" poll_until 20 under_way a b
check "the target goes" timeout 30 swblockctl remove vol/b --force
check "the writer goes on" kill -0 "$bg"
need add_member b
check "the copy begins again" link_members a b
check "under way" poll_until 20 under_way a b
check "the source goes" timeout 30 swblockctl remove vol/a --force
check_ended "its writer ends" "$bg" 30
check "the target has no link" poll_until 20 detached b a
check "the target goes" timeout 30 swblockctl remove vol/b
check "the module goes" poll_until 20 rmmod swblock
load_module
need add_member a
need add_member b
need promote a
check "ordered and linked" copy_to a b
check "in sync" poll_until 90 in_sync a b
check_equal a b "both disks are equal"
check_clean a b
finish
