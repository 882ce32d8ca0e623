#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A dead member does not fill the ring: what is written while it is away is many rings
# long, writers never wait, and when it is back it says what it needs.
# timeout: 150
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/quorum.sh"

wal_size=2M quorum 3 --policy received
need remove_member c --force
wraps=$(st a .stats.ring_wraps)
check "many rings full of writes" dd if=/dev/zero of="$(bd a)" bs=1M count=48 oflag=direct \
	conv=fsync,notrunc
check "and small ones" load_write a -n 300 -b 8
check "the ring went round" test "$(st a .stats.ring_wraps)" -ge $((wraps + 3))
check "it is not full" lacks_condition a ring_full
check_same "no request ran into its deadline" 0 "$(st a .stats.deadlines)"
need add_member c
link_members a c
check_same "it needs a rebuild" needs_rebuild "$(peer a c .state)"
check_same "by case L: the log no longer reaches back, the bitmap does" L "$(peer a c .case)"
check "the volume says so" has_condition a needs_rebuild
check "and goes on" load_write a -l 2 -f 301 -n 40 -b 4
check "everything is there" load_verify a
finish
