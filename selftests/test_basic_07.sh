#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Asynchronous I/O with and without NOWAIT writes what a later read verifies.
# timeout: 150
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

require_tool fio
lone
run()
{
	fio --name=t --filename="$(bd a)" --size=2M --direct=1 --bs=4k --rw=randwrite \
		--verify=crc32c --do_verify=1 --verify_fatal=1 --randseed=7 \
		--output="$swb_tmp/fio.out" "$@" || { cat "$swb_tmp/fio.out"; return 1; }
}
check "libaio, depth 8" run --ioengine=libaio --iodepth=8
if fio --name=p --ioengine=io_uring --filename="$(bd a)" --size=4k --rw=read \
	--direct=1 >/dev/null 2>&1; then
	check "io_uring, depth 16" run --ioengine=io_uring --iodepth=16
	# EAGAIN is an answer there: what would wait is handed back
	check "io_uring that must not wait writes or is sent away" run --ioengine=io_uring \
		--iodepth=16 --nowait=1 --ignore_error=EAGAIN,EAGAIN,EAGAIN --verify=0
else
	note "no io_uring here"
fi
check "pwritev2 that must not wait" run --ioengine=pvsync2 --nowait=1 \
	--ignore_error=EAGAIN,EAGAIN,EAGAIN --verify=0
check "what would wait otherwise is written" run --ioengine=libaio --iodepth=32
check_same "nothing is parked afterwards" 0 "$(st a .parked)"
finish
