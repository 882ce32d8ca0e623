#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 240
# The primary's daemon is killed and started again: it takes over the links that are up, and
# gives them new keys by order; the sessions go on.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/cluster.sh"

lease_ms=60000 silence=60s
cluster_up
find_others
epoch=$(rec .epoch)
sessions()
{
	local m

	for m in "${others[@]}"; do
		peer "$primary" "$m" .session
	done
}

handed()
{
	grep -c "a link was handed" "$swb_tmp/$1.log"
}

before=$(sessions) links=$(handed "$primary")
need load_write "$primary" -n 20
kill_daemon "$primary"
start_daemon "$primary"
id=$(printf %020d 1)
printf '{"id":1,"verb":"relink","target":"%s","state":"new","by":"test","text":"",
	"args":{},"result":null}' "$(replica "$primary")" |
	swbdoc "$store" put "v/$VUUID/order/$id" || die "set-up: order"
answered()
{
	[ "$(doc "order/$id" | jq -r .state)" != new ]
}

both_handed()
{
	[ "$(handed "$primary")" -ge "$((links + 2))" ]
}

await 60 "the order is answered" answered
check_same "for both links" "done 2 links" "$(doc "order/$id" | jq -r '.state + " " + .text')" ||
	show_logs
await 60 "both have a new socket" both_handed
check "writes go on" load_write "$primary" -l 2 -f 21 -n 20
check_same "the sessions are the same" "$before" "$(sessions)"
check_same "and so is the epoch" "$epoch" "$(rec .epoch)"
check "all data is there" load_verify "$primary"
finish
