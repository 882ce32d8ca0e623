#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# After a promotion the new primary verifies everything that fio had synced.
# timeout: 200
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

require_tool fio
dm a "${swb_disks[0]}"
lower[a]=$dm_dev
pair sync_all
job="--name=t --offset=0 --size=4M --bs=4k --rw=randwrite --verify=crc32c --randseed=5
	--direct=1 --ioengine=libaio --iodepth=8"
# shellcheck disable=SC2086 # words
fio $job --filename="$(bd a)" --do_verify=0 --end_fsync=1 >"$swb_tmp/fio.out" || die "fio"
background fio --name=more --filename="$(bd a)" --offset=16M --size=8M --bs=4k \
	--rw=randwrite --direct=1 --ioengine=libaio --iodepth=8 --time_based --runtime=60
poll_until 20 sh -c "[ \$(swblockctl status -j vol/a | jq '.members[0].inflight') -gt 0 ]"
dm_cut a
need remove_member a --force
check_ended "the writer ends" $bg 30
check "the other node is promoted" promote b --primary-gone --required b
# shellcheck disable=SC2086
check "what was synced verifies there" fio $job --filename="$(bd b)" --verify_only=1 \
	--verify_fatal=1
check "and it takes new writes" load_write b -n 20
finish
