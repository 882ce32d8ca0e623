#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The bits outlive a crash of the primary, and a page of them that is spoilt counts as all
# ones: the delta then copies more, never less.
# timeout: 400
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/rebuild.sh"

load_opts=(-k 2048)
dm a "${swb_disks[0]}"
lower[a]=$dm_dev
wal_size=2M pair best_effort
write_more 30
away
blocks=$(st a .bitmap.blocks)
crash a
need add_member a
check "as many bits as before" test "$(st a .bitmap.blocks)" -ge "$blocks"
need promote a
check "ordered and linked" copy_to a b
check "in sync" poll_until 60 in_sync a b
check_same "by a delta" delta "$(peer a b .rebuild.kind)"
check_equal a b "both disks are equal"

away
need remove_member a
need swbdisk flip "${lower[a]}" $(($(swbdisk get "${lower[a]}" bitmap_offset) + 100))
need add_member a
check_same "a spoilt page is all ones" $((64 * 256)) "$(st a .bitmap.blocks)"
need promote a
check "ordered and linked" copy_to a b
check "in sync" poll_until 60 in_sync a b
check_same "still a delta" delta "$(peer a b .rebuild.kind)"
check_same "of everything" "$(st a .size_bytes)" "$(peer a b .rebuild.done_bytes)"
check_equal a b "both disks are equal"
check "the bits go" poll_until 20 st_is a .bitmap.blocks 0
check_clean a b
finish
