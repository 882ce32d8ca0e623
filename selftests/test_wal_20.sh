#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The storage layer agrees with a model through random writes, restarts, cuts and tears.
# timeout: 180
. "$SWB_TOP/selftests/lib.sh"

ko=$(dirname "$SWB_KO")/walmodel/swb_walmodel.ko
[ -e "$ko" ] || skip "no swb_walmodel.ko: run selftests/walmodel/build"
require_disks 2

# One run of the model in the kernel; the seed is in the name of the check.
model()
{
	local seed=$RANDOM

	check "$1, seed $seed" insmod "$ko" data="${swb_disks[0]}" seed="$seed" \
		rounds=6 writes=600 "${@:2}"
	rmmod swb_walmodel 2>/dev/null
}

model "ring and extent on one disk"
model "a ring that is hardly larger than four groups" ring_kb=1024
model "512-byte blocks, ring on another disk" wal="${swb_disks[1]}" block=512 unit=512
model "512-byte blocks in 4096-byte units" block=512 threads=5
finish
