#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A newer link replaces an older one as an ordinary event, twenty times under load,
# and not one acknowledged write is lost or held up for long.
# timeout: 240
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"

pair sync_all --policy written
proxy_start
check "the proxy's link takes over" poll_until 15 in_sync a b
must link_members a b
check "the older link is told why it ended" poll_until 10 said '^[ab] CLOSE .*reason=replaced$'
check "and its line goes down" poll_until 10 said '^over'
poll_until 15 in_sync a b
load_background a -n 400 -b 8
for ((i = 0; i < 20; i++)); do
	link_members a b || fail "link $i"
	sleep 0.2
done
check_ended "the writer ends" "$bg" 90
check_same "and was never refused" 0 "$ended"
check "in sync at the end" poll_until 30 in_sync a b
check "the primary has every write" load_verify a
need swblockctl demote vol/a
check "promote the other" promote b
check "the replica has every write" load_verify b
finish
