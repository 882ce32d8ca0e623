#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A disk that cannot be read at attach is refused with words, at once.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

dm a "${swb_disks[0]}"
lower[a]=$dm_dev
fresh a
need remove_member a
bad_range a 0 2048
text=$(timeout 30 swblockctl add "${lower[a]}" --minor 10 2>&1)
check_same "unreadable superblocks" 1 $?
check "the refusal has words" test "$(wc -w <<<"$text")" -ge 4
at=$(($(dm_heal a; swbdisk get "${lower[a]}" ring_offset) / 512))
bad_range a "$at" 2048
text=$(timeout 30 swblockctl add "${lower[a]}" --minor 10 2>&1)
check_same "an unreadable log is no empty log" 1 $?
check "the refusal has words, too" test "$(wc -w <<<"$text")" -ge 4
dm_heal a
check_opens H a "with the disk healed"
finish
