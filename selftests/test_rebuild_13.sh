#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Blocks of 512 bytes: writes to parts of a granule come in the middle of a copy, and the rest
# of the granule is copied all the same.
# timeout: 400
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/rebuild.sh"

load_module
format_member a --block-size 512
wal_size=1M format_member b
need add_member a
need add_member b
[ "$(st a .block_bytes)" = 512 ] || skip "no blocks of 512 bytes here"
assign best_effort
need promote a
need link_members a b
poll_until 20 in_sync a b || die "not in sync"
write_more 30
away
need dd if=/dev/urandom of="$(bd a)" bs=1M count=12 oflag=direct conv=notrunc status=none
poll_until 30 written_back a
throttle a 512K
check "ordered and linked" copy_to a b
check "under way" poll_until 20 under_way a b
for i in $(seq 40); do
	dd if=/dev/urandom of="$(bd a)" bs=512 seek=$((i * 601 + i % 8)) count=$((1 + i % 3)) \
		oflag=direct conv=notrunc status=none || fail "write $i"
done
throttle a 0
check "in sync" poll_until 60 in_sync a b
check_equal a b "both disks are equal"
check_clean a b
finish
