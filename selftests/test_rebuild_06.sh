#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The source is lost in the middle of a copy: the void target is refused as a candidate, another
# member takes over and ends the copy from its own blocks.
# timeout: 300
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/rebuild.sh"

require_disks 3
dm a "${swb_disks[0]}"
lower[a]=$dm_dev
load_module
for m in a b c; do
	wal_size=2M format_member "$m"
	need add_member "$m"
done
assign best_effort
need promote a
need link_members a b
need link_members a c
poll_until 20 in_sync a b || die "b is not in sync"
poll_until 20 in_sync a c || die "c is not in sync"
write_more 30
away
throttle a 128K
check "ordered and linked" copy_to a b
check "under way" poll_until 20 under_way a b
check "c holds everything" poll_until 20 in_sync a c
crash a
check_not "the void member is refused" promote b --primary-gone --override --reason test --yes
check "c takes over" promote c --primary-gone --override --reason test --yes
check_holds c "with every barrier"
check "b is still void" void b
check "c copies to it" copy_to c b
check "in sync" poll_until 90 in_sync c b
check_equal c b "both disks are equal"
check_clean b c
finish
