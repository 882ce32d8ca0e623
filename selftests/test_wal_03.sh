#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A torn last group is cut and named: header case I, payload case J; what precedes it stays.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

frozen_log a 40
n=$(wc -l <"$swb_tmp/groups")
last=$(group_field -1 pos)
want=$(($(group_field -1 first_lsn) - 1))
must swbdisk group-flip "${lower[a]}" "$last" payload
check_opens J a "payload of the last of $n groups is torn"
check_same "the log ends before it" "$want" "$(st a .log.head_lsn)"
check_same "and is durable to there" "$want" "$(st a .log.durable_lsn)"
need remove_member a

frozen_log a 40
last=$(group_field -1 pos)
want=$(($(group_field -1 first_lsn) - 1))
must swbdisk group-flip "${lower[a]}" "$last" header
check_opens I a "header of the last group is torn"
check_same "the log ends before it" "$want" "$(st a .log.head_lsn)"
need remove_member a
letter=$(add_letter a)
check "the same bytes are met again (case $letter)" grep -q '^[HIK]$' <<<"$letter"
check_same "the end did not move" "$want" "$(st a .log.head_lsn)"
finish
