#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Three members: barriers succeed, also on two of them, whichever two; then each of
# them, promoted, shows everything.
# timeout: 150
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/quorum.sh"

quorum 3 --policy written
check "load with barriers" load_write a -n 100 -b 4
check_same "no condition is shown" 0 "$(st a '.conditions | length')"
need swblockctl unlink vol/a b
check "b is away: barriers go on" load_write a -l 2 -f 101 -n 100 -b 4
check "the volume says that it is degraded" has_condition a degraded
check "and waits for nobody" lacks_condition a waiting_peer
check "b comes back by its log" level a b
check "degraded no more" poll_until 10 lacks_condition a degraded
need swblockctl unlink vol/a c
check "c is away: barriers go on" load_write a -l 3 -f 201 -n 100 -b 4
check "c comes back" level a c
here=$(digest a)
need swblockctl demote vol/a
for name in b c; do
	check "promote $name" promote "$name"
	must link_members "$name" a
	check_same "$name shows the same, block by block" "$here" "$(digest "$name")"
	check "$name has every acknowledged barrier" load_verify "$name"
	must link_members "$name" "$([ "$name" = b ] && echo c || echo b)"
	check "the others follow $name" poll_until 20 in_sync "$name" \
		"$([ "$name" = b ] && echo c || echo b)"
	need swblockctl demote "vol/$name"
done
finish
