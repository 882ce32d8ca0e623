#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Five short outages in a row (S5): each is caught up from the log, case J, none counts against
# the next one, and nothing is ever copied.
# timeout: 400
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/rebuild.sh"
. "$SWB_TOP/selftests/helpers/retention.sh"

pair best_effort
for round in 1 2 3 4 5; do
	need swblockctl unlink vol/a b
	need poll_until 10 detached a b
	write_more 12
	need link_members a b
	check "outage $round: in sync again" poll_until 30 in_sync a b
	check_same "outage $round: by its log" J "$(peer a b .case)"
done
check "nothing is behind: 0 is 0" poll_until 10 not_behind a b
check_same "nothing was copied" 0 "$(st a .stats.rebuild_bytes)"
check_equal a b "both disks are equal"
check_clean a b
finish
