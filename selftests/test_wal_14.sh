#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The smallest ring there is: whoever finds no room gets room, however the records
# lie. History that only might be useful must not keep a record from its place, also
# when the rest of the ring before it has to be skipped.
# timeout: 240
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

require_tool fio
# one write of so many units of 512 bytes; its group has one more, the header
put()
{
	timeout 20 dd if=/dev/urandom of="$(bd a)" bs="$(($1 * 512))" count=1 oflag=direct \
		conv=notrunc status=none
}
# The ring of 2048 units: the open record, 41, 7 times 250: the next record starts at
# 1792 and needs 257. What is kept (500) and the 256 that are skipped must make way.
lay_out()
{
	local i

	put 40 || return
	for i in 1 2 3 4 5 6 7; do
		put 249 || return
	done
	put 256
}
mix()
{
	timeout 100 fio --name=mix --filename="$(bd a)" --size=32M --rw=randwrite \
		--bsrange=4k-128k --ioengine=libaio --iodepth="$1" --direct=1 --io_size=8M \
		--randseed="$2" --output="$swb_tmp/fio.out"
}

wal_size=1M
lone
need swblockctl tune vol/a --io-deadline 10s
check "the largest record behind the worst gap" lay_out
check "one at a time" mix 1 1
check "eight at a time" mix 8 2
check_same "no invariant was seen broken" 0 "$(st a .stats.asserts)"
need remove_member a
members=()
pair sync_all
check "two members, eight at a time" mix 8 3
check "still in sync" poll_until 20 in_sync a b
check "a barrier" sync "$(bd a)"
finish
