#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Writes that sometimes fail never break a barrier that succeeded.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

require_module dm-flakey
dm a "${swb_disks[0]}"
lower[a]=$dm_dev
lone
need swblockctl tune vol/a --io-deadline 3s
read -ra words <<<"${dm_under[a]}"
background load_write a -n 0 -b 3
poll_until 20 grep -qs '^ack 1 9' "$swb_tmp/acks" || die "no barriers"
must dm_table a "0 ${words[1]} flakey ${words[3]} 0 1 1 1 error_writes"
check_ended "the writer meets an error" $bg 40
check_same "and ends with it" 3 "$ended"
need remove_member a --force
dm_heal a
letter=$(add_letter a)
case $letter in
[HIJK])
	need promote a
	check "a prefix with every barrier (case $letter)" load_verify a ;;
*)
	check "the latch was saved: case F" grep -q 'case F' <<<"$letter"
	# the disk is good after all: look at what it holds, as a person would
	must swbdisk set "${lower[a]}" both flags=0
	letter=$(add_letter a)
	check "recovery (case $letter)" grep -q '^[HIJK]$' <<<"$letter"
	need promote a
	check "a prefix with every barrier" load_verify a ;;
esac
finish
