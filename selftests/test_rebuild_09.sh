#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The target's ring is a quarter of the source's: a copy under load ends all the same.
# timeout: 400
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/rebuild.sh"

require_tool fio
load_module
wal_size=4M format_member a
wal_size=1M format_member b
need add_member a
need add_member b
assign best_effort
need promote a
need link_members a b
poll_until 20 in_sync a b || die "not in sync"
write_more 30
away
random_writes a
check "ordered and linked" copy_to a b
check "in sync under load" poll_until 120 in_sync a b
stop_writes
check "still in sync" poll_until 30 in_sync a b
check_equal a b "both disks are equal"
check_clean a b
finish
