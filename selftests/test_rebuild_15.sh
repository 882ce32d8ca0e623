#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# An old primary's extent holds newer values than the point to which it would have to go back
# (S8): no cut makes that true again, so it is refused, case G, until all of it is copied.
# timeout: 400
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/rebuild.sh"

pair best_effort
write_more 20
need swblockctl unlink vol/a b
need poll_until 10 detached a b
# committed by a alone, and written back into its extent
for n in 4000 4001 4002; do
	need put_block "$(bd a)" "$n" x
done
# while it is primary: without a role it writes back no more than it has announced
check "it is in a's extent" poll_until 30 written_back a
need swblockctl demote vol/a
need remove_member a
need promote b --override --reason "a is gone" --yes
need put_block "$(bd b)" 4003 y
need add_member a
link_members b a
check "a needs a copy" poll_until 20 peer_is b a .state needs_rebuild
check_same "as its extent is newer than what both have: case G" G "$(peer b a .case)"
check "ordered and linked" copy_to b a
check "in sync" poll_until 60 in_sync b a
check_equal b a "both disks are equal"
need swblockctl demote vol/b
check "promote a" promote a
check_same "what b never had is gone" 0 "$(get_block "$(bd a)" 4000)"
check_same "what b wrote is there" y "$(get_block "$(bd a)" 4003)"
check_clean a b
finish
