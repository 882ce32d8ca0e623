#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 400
# A host comes back with a blank disk: its daemon leaves it alone and says why, also where
# overwriting was declared; replaced by order, it is another replica, and is rebuilt.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/cluster.sh"

lease_ms=9000 silence=9s
cluster_up
find_others
lost=${others[0]} id=$(replica "${others[0]}")
need load_write "$primary" -n 40

says_replace()
{
	doc "state/$id" | jq -r .waits | grep -q "swblockctl volume replace $VOL $lost"
}

for format_force in false true; do
	kill_daemon "$lost"
	[ "$format_force" = true ] || need remove_member "$lost" --force
	need dd if=/dev/zero of="${lower[$lost]}" bs=1M oflag=direct status=none count=64
	swbdoc "$store" delete "v/$VUUID/state/$id" || true
	wish "${nodes[@]}"
	start_daemon "$lost"
	await 60 "overwriting declared $format_force: its state says what to do" says_replace
	check_same "the blank disk is left alone" 0 \
		"$(head -c 1M "${lower[$lost]}" | tr -d '\0' | wc -c)"
done
check "health says it, too" grep -q "volume replace" <<<"$(swblockctl health 2>&1)"
check "nobody waits for it" load_write "$primary" -l 2 -f 41 -n 20
check "replaced by order" swblockctl volume replace "$VOL" "$lost" \
	"$lost:${lower[$lost]}" --timeout 200
check_same "another replica" false "$(doc wish | jq --arg id "$id" \
	'any(.member[]; .replica == $id)')"
await 60 "everybody is in sync" all_in_sync
check "all data is there" load_verify "$primary"
check_history
finish
