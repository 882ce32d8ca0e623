#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Everything at once, on every processor: writers, readers that verify, discards, a
# link that comes and goes, a replica that leaves and returns, and status readers.
# Nothing is lost, both members end equal, and no invariant was seen broken.
# timeout: 300
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"

require_tool fio blkdiscard
rounds=4
wal_size=32M pair sync_all

load_background a -n 0 -b 6 -z
writer=$bg
fio --name=v --filename="$(bd a)" --offset=16M --size=8M --bsrange=4k-64k --rw=randrw \
	--ioengine=libaio --iodepth=8 --direct=1 --verify=crc32c --verify_fatal=1 \
	--verify_backlog=64 --fsync=16 --loops=4 --output="$swb_tmp/fio.out" &
verifier=$!
while sleep 0.2; do
	blkdiscard -o $((40 << 20)) -l $((4 << 20)) "$(bd a)"
	swblockctl status -j
	swblockctl explain vol/a
done >"$swb_tmp/noise.out" 2>&1 &
noise=$!
defer kill "$writer" "$verifier" "$noise"

alive()
{
	! gone "$verifier"
}

leave_and_return()
{
	if [ $(($1 % 2)) = 1 ]; then
		swblockctl unlink vol/a b
	else
		remove_member b && add_member b
	fi && link_members a b && poll_until 90 in_sync a b
}

done_rounds=0 failed=
while [ "$done_rounds" -lt "$rounds" ] || alive; do
	done_rounds=$((done_rounds + 1))
	leave_and_return "$done_rounds" >"$swb_tmp/round.out" 2>&1 || {
		failed=1
		break
	}
done
check_same "the replica came back each time" '' "$failed" || quoted "$(cat "$swb_tmp/round.out")"
note "$done_rounds rounds, $(grep -c ^ack "$swb_tmp/acks") barriers"
wait "$verifier"
check_same "all that fio wrote verifies" 0 $? || quoted "$(tail -n 20 "$swb_tmp/fio.out")"
kill "$noise" "$writer"
check_ended "the writer ends" "$writer" 30
check_ended "the discards end" "$noise" 30
poll_until 10 sh -c '! pgrep -x blkdiscard' || die "a discard hangs"
check "a prefix with every barrier" load_verify a -z
check "demote" swblockctl demote vol/a
check "promote the other" promote b
check "it has everything" load_verify b -z
check_same "no invariant was seen broken" 0 \
	"$(($(st a .stats.asserts) + $(st b .stats.asserts)))"
need remove_member a
need remove_member b
check "both disks hold the same" swbwal compare "${lower[a]}" "${lower[b]}"
finish
