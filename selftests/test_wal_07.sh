#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Append, crash, recover, append, crash: no tail of an older life comes back.
# timeout: 120
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

frozen_log a 60
cut=$(($(wc -l <"$swb_tmp/groups") - 20))
must swbdisk group-flip "${lower[a]}" "$(group_field $cut pos)" payload
check_opens J a "20 groups before the end one is torn"
end=$(st a .log.head_lsn)
check_same "the log is cut there" $(($(group_field $cut first_lsn) - 1)) "$end"
need add_member b
for life in 2 3 4; do
	need promote a
	need remove_member b
	# same sizes as in the life before: whole old groups lie behind the new ones
	swbload write "$(bd a)" -s 1 -l $life -f 1 -n 5 -b 0 >/dev/null
	want=$(st a .log.head_lsn)
	poll_until 10 st_is a .log.durable_lsn "$want"
	need remove_member a --force
	letter=$(add_letter a)
	check "life $life: the scan stops (case $letter)" grep -q '^[HK]$' <<<"$letter"
	check_same "life $life: at the newest record of this life" "$want" "$(st a .log.head_lsn)"
	need add_member b
done
finish
