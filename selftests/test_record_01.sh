#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The flight record of a primary tells how it came to its role and its peer in sync, goes on
# when the ring has wrapped, stays readable when the member was removed, and conforms.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

require_tool conform
pair sync_all

check "the record of a member can be printed" swblockctl record "$VOL/a"
swblockctl record "$VOL/a" >"$swb_tmp/text"
check "it begins with the first step" grep -q '^0 ' "$swb_tmp/text"
check "the certificate stands in it, with its letter" \
	grep -Eq ' certified .* \| promote @[A-Z]' "$swb_tmp/text"
check "so does the role" grep -q ' | role primary' "$swb_tmp/text"
check "and the decision about the peer" grep -Eq '\| peer 1 (catching_up|in_sync) @[A-Z]' \
	"$swb_tmp/text"
check "and the peer in sync" grep -Eq '\| peer 1 in_sync' "$swb_tmp/text"

check "to a file" swblockctl record "$VOL/a" -o "$swb_tmp/a.swbrec"
check "whose steps are done again alike" conform "$swb_tmp/a.swbrec"
swblockctl record --read "$swb_tmp/a.swbrec" >"$swb_tmp/again"
check_same "a file is printed as the kernel's is" "$(head -n 20 "$swb_tmp/text" | md5sum)" \
	"$(head -n 20 "$swb_tmp/again" | md5sum)"

first_step()
{
	swblockctl record "$VOL/a" -j | jq '.steps[0].number'
}

wrapped()
{
	dd if=/dev/zero of="$(bd a)" bs=4k count=200 oflag=dsync status=none
	[ "$(first_step)" -gt 0 ]
}

check "under load the ring wraps" poll_until 120 wrapped
check "with all that is left in one piece" test "$(swblockctl record "$VOL/a" -j |
	jq '[.steps[].number] | . == [range(.[0]; .[0] + length)]')" = true
swblockctl record "$VOL/a" -o "$swb_tmp/wrapped.swbrec"
check "and done again alike" conform "$swb_tmp/wrapped.swbrec"

# records COUNT: so many members have one, removed ones included
records()
{
	rm -rf "$swb_tmp/all"
	mkdir "$swb_tmp/all"
	swblockctl record --all "$swb_tmp/all" &&
		[ "$(find "$swb_tmp/all" -name '*.swbrec' | wc -l)" = "$1" ]
}

check "the records of all members" records 2
need swblockctl remove "$VOL/b" --force
check "that of a member that was removed is still there" poll_until 20 records 2
check_same "one member is attached" 1 "$(swblockctl status -j | jq '.members | length')"
collect_records		# before b's is forgotten
echo 0 >/sys/module/swblock/parameters/records_kept
check "until it is to be forgotten" poll_until 20 records 1

# root without the capability
answer=$(setpriv --bounding-set -net_admin swblockctl record --all "$swb_tmp/all" 2>&1)
check_not "only for who may administer the network" test -z "$answer"
check "and it is said" grep -qi 'permi\|privilege\|CAP_NET_ADMIN' <<<"$answer"
finish
