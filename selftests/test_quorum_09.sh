#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Under policies received and written a plain write completes with a majority, the
# primary among them; without one it waits, with a condition. Not so under local.
# timeout: 150
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/quorum.sh"

for policy in received written; do
	members=()
	quorum 3 --policy "$policy"
	need swblockctl unlink vol/a b
	check "$policy: one peer is enough" put_block "$(bd a)" 1 x
	need swblockctl unlink vol/a c
	background put_block "$(bd a)" 2 y
	check "$policy: without a peer the volume waits" poll_until 10 has_condition a waiting_peer
	check_waits "$policy: so does the write" "$bg" 1
	must link_members a c
	check_ended "$policy: it ends when there is one" "$bg" 20
	check_same "$policy: well" 0 "$ended"
	for name in a b c; do
		need remove_member "$name" --force
	done
done
members=()
quorum 3 --policy local
need swblockctl unlink vol/a b
need swblockctl unlink vol/a c
check "local: a write waits for nobody" put_block "$(bd a)" 3 z
finish
