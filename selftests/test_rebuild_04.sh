#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The link is lost in the middle of a copy, twice: the copy stays void and counts for nothing,
# goes on with the next link, and is whole in the end.
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
check "the copy is void" void b
need swblockctl unlink vol/a b
check "void without a link as well" void b
write_more 20
check "the order still stands" link_members a b
check "under way again" poll_until 20 under_way a b
check "status tells how far" sh -c "swblockctl status vol/a | grep -q '/s'"
need swblockctl unlink vol/b a
check "the other end lost it, too" poll_until 20 detached a b
throttle a 0
check "once more" link_members a b
check "in sync" poll_until 60 in_sync a b
check "the copy is whole" lacks_condition b inconsistent
check_equal a b "both disks are equal"
check_clean a b
finish
