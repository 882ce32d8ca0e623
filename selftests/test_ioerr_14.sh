#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A place that can be neither read nor written: its read is served, together with what the
# log has of it; then the repair fails as any write-back does, and the disk stays out,
# healed or not, until it is told otherwise.
# timeout: 240
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/badread.sh"

require_disks 2
size=16M
spoilable a "${swb_disks[0]}"
pair sync_all
need swblockctl tune vol/a --io-deadline 5s
need put_block "$(bd a)" 100 x
settle a
bad_range a $(($(extent_block a 100) * 8 + 4)) 4
head -c 1024 /dev/zero | tr '\0' n |
	dd of="$(bd a)" bs=512 seek=801 count=2 oflag=direct conv=notrunc status=none ||
	die "set-up: write"
check_same "the read is served, with what was written last" xnx "$(get_block "$(bd a)" 100)"
check "half of it was borrowed" test "$(st b .stats.reads_lent)" -ge 1
check "the disk is latched by the repair" poll_until 30 has_condition a disk_failed
check "its error is counted" test "$(st a .stats.disk_errors)" -ge 2
dm_heal a
check_code 4 "healed, it cannot be promoted" promote a
need remove_member a --force
check_refused F a "nor attached"
check "the replica takes over" promote b --required b --primary-gone
check_same "with the block" xnx "$(get_block "$(bd b)" 100)"
finish
