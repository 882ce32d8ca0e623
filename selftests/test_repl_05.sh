#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Ack policies: a plain write completes when it is in the local log (local), in the
# peer's memory too (received), or in the peer's log as well (written).
# timeout: 240
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"

dm b "${swb_disks[1]}"
lower[b]=$dm_dev
defer dm_thaw b
write_one()
{
	put_block "$(bd a)" "$1" p
}

# with POLICY COMPLETES-WHILE-THE-PEER'S-DISK-HANGS COMPLETES-WITHOUT-THE-PEER
with()
{
	local policy=$1

	assign sync_all --policy "$policy"
	need promote a
	need link_members a b
	poll_until 20 in_sync a b || die "$policy: not in sync"
	check "$policy: a write completes" timeout 20 dd if=/dev/zero of="$(bd a)" bs=4k \
		count=1 oflag=direct conv=notrunc status=none
	dm_freeze b
	background write_one 10
	if [ "$2" = yes ]; then
		check_ended "$policy: the peer's disk hangs, the write completes" "$bg" 4
	else
		check_waits "$policy: the peer's disk hangs, the write waits" "$bg" 3
	fi
	dm_thaw b
	check_ended "$policy: the disk is back, the write is done" "$bg" 20
	poll_until 20 in_sync a b || die "$policy: not in sync"
	need swblockctl unlink vol/a b
	poll_until 5 detached a b
	background write_one 11
	if [ "$3" = yes ]; then
		check_ended "$policy: without the peer the write completes" "$bg" 4
	else
		check_waits "$policy: without the peer the write waits" "$bg" 3
		check "$policy: the volume says so" has_condition a waiting_peer
	fi
	need link_members a b
	check_ended "$policy: the peer is back, the write is done" "$bg" 20
	poll_until 20 in_sync a b || die "$policy: not in sync"
}

fresh a b
with local yes yes
with received yes no
with written no no
finish
