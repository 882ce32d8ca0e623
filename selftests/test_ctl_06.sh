#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# monitor shows each change once, in order, as text and as JSON lines.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

load_module
swblockctl monitor -j --for 60s >"$swb_tmp/events" &
mon=$!
poll_until 10 test -s "$swb_tmp/events" || note "monitor is silent at the start"
pair sync_all
need load_write a -n 4
need swblockctl unlink vol/a b
need swblockctl demote vol/a
need remove_member a
need remove_member b
check "the last event arrives" poll_until 20 sh -c \
	"[ \$(jq -r 'select(.event == \"removed\") | .seq' $swb_tmp/events | wc -l) = 2 ]"
kill -INT $mon
check_ended "monitor ends when asked to" $mon 10
kinds=$(jq -r .event "$swb_tmp/events" | sort -u | tr '\n' ' ')
for k in ready report role peer conditions removed; do
	check "there is an event of kind $k" grep -qw "$k" <<<"$kinds"
done
# shellcheck disable=SC2016 # jq has variables, too
check "sequence numbers are dense" jq -s -e \
	'[.[] | select(.members == null) | .seq] as $s | $s == [range($s[0]; $s[0] + ($s | length))]' \
	"$swb_tmp/events"
check "every event has words and a time" jq -s -e \
	'[.[] | select(.members == null)] | all(.time_ns > 0 and .event)' "$swb_tmp/events"
swblockctl monitor -n 1 >"$swb_tmp/text" &
mon=$!
poll_until 10 test -s "$swb_tmp/text"
add_member a >/dev/null
check_ended "as text, ended by a count" $mon 20
check "it names member and event" grep -q 'ready' "$swb_tmp/text"
finish
