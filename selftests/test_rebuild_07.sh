#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A newer epoch comes in the middle of a copy: the session ends, the order is used up, the copy
# stays void, and a new order ends it.
# timeout: 400
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/rebuild.sh"

wal_size=2M pair best_effort
write_more 30
away
throttle a 128K
check "ordered and linked" copy_to a b
check "under way" poll_until 20 under_way a b
check "a new epoch for the same primary" promote a
check "the copy is void" void b
link_members a b
check "the old order is used up" poll_until 10 peer_is a b .state needs_rebuild
write_more 20
throttle a 0
check "ordered and linked" copy_to a b
check "in sync" poll_until 60 in_sync a b
check_equal a b "both disks are equal"
check_clean a b
finish
