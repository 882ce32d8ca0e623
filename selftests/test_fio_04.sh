#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A peer catches up under load without a gap, and verifies after a promotion.
# timeout: 200
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

require_tool fio
wal_size=32M pair sync_all --required a
need swblockctl unlink vol/a b
job="--name=t --offset=0 --size=4M --bs=4k --rw=randwrite --verify=crc32c --randseed=6
	--direct=1 --ioengine=libaio --iodepth=4"
# shellcheck disable=SC2086 # words
background fio $job --filename="$(bd a)" --do_verify=0 --end_fsync=1 --rate_iops=300
poll_until 20 sh -c "[ \$(swblockctl status -j vol/a | jq '.members[0].stats.writes') -gt 100 ]" ||
	die "no writes"
check "linked in mid-write" link_members a b
check_same "the case is plain catch-up" J "$(peer a b .case)"
check_ended "fio ends" $bg 120
check_same "well" 0 "$ended" || cat "$swb_tmp/bg.out"
check "the peer is in sync" poll_until 60 in_sync a b
check "nothing is behind" poll_until 20 peer_is a b .behind_records 0
check "the other node is promoted, by the evidence of both" promote b --required b
# shellcheck disable=SC2086
check "everything verifies on the other node" fio $job --filename="$(bd b)" --verify_only=1 \
	--verify_fatal=1
finish
