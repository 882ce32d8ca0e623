#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A volume with 512-byte blocks and its log on another device recovers from a crash.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

dm a "${swb_disks[0]}"
lower[a]=$dm_dev
dm w "${swb_disks[1]}"
wal[a]=$dm_dev
lone --block-size 512
need load_write a -B 512 -n 200 -b 5 -k 1024
background load_write a -B 512 -l 2 -f 201 -n 0 -b 5 -k 1024
poll_until 20 grep -qs '^ack 2 2[1-9]' "$swb_tmp/acks" || die "no barrier in time"
# the latch has no place to go: a power cut, not a broken disk
dm_cut a
dm_cut w
need remove_member a --force
check_ended "the writer ends" $bg 30
dm_heal a
dm_heal w
letter=$(add_letter a)
check "recovery (case $letter)" grep -q '^[HIJK]$' <<<"$letter"
need promote a
check "a prefix with every barrier" load_verify a -B 512 -k 1024
finish
