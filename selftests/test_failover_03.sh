#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The primary of three members is killed again and again under load, and promoted by
# hand: what clients saw fits one register a block, with every write that a barrier covered.
# timeout: 400
# tier: long
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/failover.sh"

# a round takes seconds under user-mode Linux, and a minute on an emulated processor
rounds=${SWB_ROUNDS:-$([ "$SWB_KERNEL" = uml ] && echo 6 || echo 3)}
note "SWB_ROUNDS=$rounds SWB_SEED=${SWB_SEED:=$RANDOM}"
RANDOM=$SWB_SEED
require_disks 3
size=16M wal_size=48M
for m in a b c; do
	dm "$m" "${swb_disks[$(index_of $m)]}" 96
	lower[$m]=$dm_dev
	wipe_disk "${lower[$m]}"
done
fresh a b c
assign sync_all --policy "${SWB_POLICY:-local}"
need promote a
primary=a
join a b c
clients_start -s "$SWB_SEED" -p 4000
clients_to a
hows=(disk wire both)
for round in $(seq "$rounds"); do
	writes_go_on 30 || die "round $round: no write is acknowledged"
	base=$(answers)
	poll_until 30 more_answers $((20 + RANDOM % 100)) || die "round $round: no load"
	dead=$primary
	need swbhist mark "$hist" kill "$gen"
	kill_member "$dead" "${hows[RANDOM % 3]}"
	take_over "$dead"
	clients_to "$next"
	for m in a b c; do
		[ "$m" = "$dead" ] || [ "$m" = "$next" ] || join "$next" "$m"
	done
	writes_go_on 30 || die "round $round: no write after the promotion"
	come_back "$dead"
done
pass "$rounds rounds"
clients_stop 30
options=()
[ "${SWB_POLICY:-local}" = local ] || options+=(-s)
judge "${options[@]}"
for m in a b c; do
	need remove_member $m --force
done
check "rmmod" poll_until 20 rmmod swblock
finish
