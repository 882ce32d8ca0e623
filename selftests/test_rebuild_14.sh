#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A budget: a copy that gets nowhere is given up with the reason, the order is used up with it,
# and the writers of the primary are none the worse for it.
# timeout: 400
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/rebuild.sh"

wal_size=2M pair best_effort
write_more 30
away
throttle a 1K
need swblockctl tune vol/a --catchup-stall 2s
check "ordered and linked" copy_to a b
check "it is given up" poll_until 30 peer_is a b .state needs_rebuild
check_same "with the reason" budget "$(peer a b .reason)"
check "the copy is void" void b
write_more 20
link_members a b
check "the order is used up" poll_until 10 peer_is a b .state needs_rebuild
throttle a 0
need swblockctl tune vol/a --catchup-stall 0
check "ordered and linked" copy_to a b
check "in sync" poll_until 60 in_sync a b
check_equal a b "both disks are equal"
check_clean a b
finish
