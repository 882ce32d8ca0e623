#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Prefixes of all writes to the disk, cut at flushes: each recovers to what was acknowledged.
# timeout: 240
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

require_module dm-log-writes
require_disks 4
base=${swb_disks[0]} log=${swb_disks[1]} copy=${swb_disks[2]}
load_module
size=12M wal_size=1M
format_member a
need add_member a
assign best_effort
need remove_member a
wipe_disk "$copy"
need dd if="$base" of="$copy" bs=1M count=20 status=none
sectors=$((24 * 2048))
must dmsetup create swbt-log --noudevsync --table "0 $sectors log-writes $base $log"
defer dmsetup remove --force --noudevsync swbt-log
lower[a]=/dev/mapper/swbt-log
need add_member a
need promote a
from=1
for _ in $(seq 10); do
	need load_write a -l 1 -f $from -n 10 -b 10 -k 512
	from=$((from + 10))
	must dmsetup message swbt-log 0 mark "ack-$((from - 1))"
done
need remove_member a
must dmsetup remove --noudevsync swbt-log
swbreplay list "$log" >"$swb_tmp/log" || die "the log cannot be read"
total=$(wc -l <"$swb_tmp/log")
check "there is a log ($total entries)" test "$total" -gt 50
head -1 "$swb_tmp/history" >"$swb_tmp/life" && mv "$swb_tmp/life" "$swb_tmp/history"

# where to cut: behind each third mark, and at some places between
mapfile -t points < <(awk '$2 ~ /^mark/ && $5 ~ /^ack/ && ++n % 3 == 0 { print $1 + 1 }
	$2 ~ /flush|fua/ && ++m % 17 == 5 { print $1 + 1 }' "$swb_tmp/log" | sort -n | head -n 6)
dd if="$copy" of="$swb_tmp/base" bs=1M count=20 status=none
rm -f "$swb_tmp/acks"
lower[a]=$copy
for at in "${points[@]}"; do
	need dd if="$swb_tmp/base" of="$copy" bs=1M conv=fsync status=none
	must swbreplay replay "$log" "$copy" 0 "$at"
	acked=$(head -n "$at" "$swb_tmp/log" | sed -n 's/.* ack-\([0-9]*\).*/\1/p' | tail -n 1)
	letter=$(add_letter a)
	if ! grep -q '^[HIJK]$' <<<"$letter"; then
		fail "cut at $at of $total: recovery says $letter"
		continue
	fi
	cp "$SWBLOCK_STORE" "$swb_tmp/store"
	need promote a
	check "cut at $at of $total, acknowledged ${acked:-0} (case $letter)" \
		swbload verify "$(bd a)" -H "$swb_tmp/history" -A "${acked:-0}" -k 512
	need remove_member a
	cp "$swb_tmp/store" "$SWBLOCK_STORE"
done
finish
