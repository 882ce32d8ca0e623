#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Zeroes, discards and writes over each other are recovered in their order.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

dm a "${swb_disks[0]}"
lower[a]=$dm_dev
lone
from=1
for life in 1 2; do
	need load_write a -l $life -f $from -n 150 -b 10 -z -k 256
	crash a
	letter=$(add_letter a)
	check "life $life: recovery (case $letter)" grep -q '^[HIJK]$' <<<"$letter"
	need promote a
	check "life $life: zeroes and writes are where they were" load_verify a -z -k 256
	from=$(($(load_verify a -z -k 256 -q) + 1))
done
finish
