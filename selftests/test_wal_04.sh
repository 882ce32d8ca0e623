#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A group that does not follow its predecessor ends the log: case K.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

frozen_log a 40
mid=$(($(wc -l <"$swb_tmp/groups") / 2))
want=$(($(group_field $mid first_lsn) - 1))
must swbdisk group-set "${lower[a]}" "$(group_field $mid pos)" prev_crc=+1
check_opens K a "chain broken at group $mid"
check_same "the log ends before the break" "$want" "$(st a .log.head_lsn)"
need remove_member a
letter=$(add_letter a)
check "whole groups behind the break stay dead (case $letter)" grep -q '^[HK]$' <<<"$letter"
check_same "the end did not move" "$want" "$(st a .log.head_lsn)"
finish
