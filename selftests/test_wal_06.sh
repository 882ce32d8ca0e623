#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Records at or below the extent's mark that are gone are not cut away: cases L and M.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

lone
need load_write a -n 200 -b 20
# until write-back has begun
poll_until 20 sh -c "[ \$(swblockctl status -j vol/a | jq '.members[0].log.extent_hi') -gt 0 ]" ||
	die "no write-back"
need remove_member a
# forget the checkpoint: the log must be scanned from a group that is there
hi=$(swbdisk get "${lower[a]}" extent_hi)
check "the extent has a mark" test "$hi" -gt 0
must swbdisk set "${lower[a]}" both "extent_hi=$((hi + 1000))"
check_refused L a "the log ends below the extent's mark"
check_refused L a "and again"

frozen_log a 40
must swbdisk set "${lower[a]}" both extent_hi=3
must swbdisk group-flip "${lower[a]}" "$(group_field 1 pos)" header
check_refused M a "write-back was under way and the first group is gone"
finish
