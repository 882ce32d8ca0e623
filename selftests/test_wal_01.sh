#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Power is lost in mid-write again and again: every acknowledged barrier survives.
# timeout: 120
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

dm a "${swb_disks[0]}"
lower[a]=$dm_dev
lone
from=1
for life in 1 2 3 4; do
	background load_write a -l $life -f $from -n 0 -b 4
	poll_until 20 sh -c "[ \$(grep -c '^ack $life ' $swb_tmp/acks) -ge 5 ]" ||
		die "life $life: no barrier in time"
	dm_cut a
	check "life $life: the member is given up" remove_member a --force
	check_ended "life $life: the writer ends" $bg 30
	check_same "life $life: by an I/O error" 3 "$ended"
	dm_heal a
	letter=$(add_letter a)
	check "life $life: recovery opens or cuts the log (case $letter)" \
		grep -q '^[HIJK]$' <<<"$letter"
	need promote a
	check "life $life: a prefix with every barrier" load_verify a
	from=$(($(load_verify a -q) + 1))
done
finish
