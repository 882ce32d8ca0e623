#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Volumes of 512 and of 4096 byte blocks take single blocks at both ends.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

for size_b in 512 4096; do
	members=()
	lone --block-size $size_b
	check_same "$size_b: logical block size" $size_b \
		"$(cat /sys/block/swblock10/queue/logical_block_size)"
	head -c $size_b /dev/urandom >"$swb_tmp/one"
	for at in 0 1 7 $(((64 << 20) / size_b - 1)); do
		must dd if="$swb_tmp/one" of="$(bd a)" bs=$size_b seek=$at count=1 \
			oflag=direct conv=notrunc status=none
		check "$size_b: a lone block at $at" cmp -n $size_b -i 0:$((at * size_b)) \
			"$swb_tmp/one" "$(bd a)"
	done
	if [ $size_b = 4096 ]; then
		check_not "half a block is refused" dd if=/dev/zero of="$(bd a)" \
			bs=512 count=1 oflag=direct status=none
	fi
	check_not "beyond the end is refused" dd if=/dev/zero of="$(bd a)" bs=$size_b \
		seek=$(((64 << 20) / size_b)) count=1 oflag=direct status=none
	must remove_member a
	need add_member a
	need promote a
	check "$size_b: the last block survives" cmp -n $size_b \
		-i 0:$(((64 << 20) - size_b)) "$swb_tmp/one" "$(bd a)"
	must remove_member a
done
finish
