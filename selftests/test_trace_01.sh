#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Each stage of a replicated write is counted once for each write, on the primary and
# for each peer; barriers and reads have their own counts, and nothing is missed.
# timeout: 200
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/trace.sh"

pair sync_all
check_same "nothing was written yet" 0 "$(stage a admit)"
writes a 100 64
for s in admit append persist; do
	check_same "$s" 64 "$(stage a $s)"
done
for s in ship peer-receive peer-persist ack; do
	check_same "$s of the peer" 64 "$(stage a $s b)"
done
check_same "each write has completed, under one of the two" 64 "$(stage a complete)"
check "C passes all of them" poll_until 20 stage_is a commit 64
check_same "no barrier yet, but what the tools made" "$(st a .stats.flushes)" \
	"$(stage a barrier)"

flushes=$(st a .stats.flushes)
need dd if=/dev/zero of="$(bd a)" bs=4k seek=300 count=1 oflag=direct conv=notrunc,fsync \
	status=none
check "a barrier" test "$(st a .stats.flushes)" -gt "$flushes"
check_same "each barrier" "$(st a .stats.flushes)" "$(stage a barrier)"
check "the peer was asked to flush" test "$(stage a peer-flush b)" -ge 1
check_same "writes by another counter" "$(st a .stats.writes)" "$(stage a admit)"

reads=$(stage a read)
need dd if="$(bd a)" of=/dev/null bs=4k skip=100 count=16 iflag=direct status=none
check_same "reads" "$((reads + 16))" "$(stage a read)"
check_same "reads by another counter" "$(st a .stats.reads)" "$(stage a read)"

check_same "the replica has its own share: append" "$(stage a append)" "$(stage b append)"
check_same "and persist" "$(stage a persist)" "$(stage b persist)"
check_same "but admits nothing" 0 "$(stage b admit)"
check_same "and ships nothing" 0 "$(stage b ship)"
check_same "nothing was missed" 0 "$(lat a .missed)"

check "percentiles are in order" test "$(lat a '[.stages[] |
	.p50_ns <= .p90_ns and .p90_ns <= .p99_ns and .p99_ns <= .p999_ns] | all')" = true
check "buckets add up to counts" test "$(lat a '[.stages[] |
	([.buckets[].count] | add) == .count] | all')" = true
check "a part is not longer than the whole, by medians" \
	test "$(p a persist p50)" -le "$(p a complete p999)"
check "written back" poll_until 20 written_back a
check "batches and checkpoints were timed" \
	test "$(stage a writeback)" -ge 1 -a "$(stage a checkpoint)" -ge 1
need remove_member b
need remove_member a --force
need add_member a
check_same "an attachment begins anew" 0 "$(stage a admit)"
finish
