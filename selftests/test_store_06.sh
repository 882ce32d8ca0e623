#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 400
# tier: long
# Two daemons of one host: the second one is refused; with a runtime directory of its own
# it acts as well, on the same member, and the primary still falls over once and whole.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/cluster.sh"

lease_ms=2000 silence=3s
cluster_up
old=$primary
find_others
twin=${others[0]}
check_code 1 "a second daemon of a host is refused" \
	timeout 30 swblockd -c "$swb_tmp/$twin.yaml"
sed -e "s|runtime_dir:.*|runtime_dir: $swb_tmp/run2|" -e 's|listen:.*|listen: 127.0.0.1:7999|' \
	"$swb_tmp/$twin.yaml" >"$swb_tmp/twin.yaml"
mkdir -p "$swb_tmp/run2"
swblockd -c "$swb_tmp/twin.yaml" >"$swb_tmp/twin.log" 2>&1 &
defer kill -KILL $!
check "the twin reads the store" poll_until 30 grep -q 'store is there' "$swb_tmp/twin.log"
epoch=$(rec .epoch)
need load_write "$old" -n 20
check_same "it fences nobody" "$epoch" "$(rec .epoch)"
kill_daemon "$old"
need remove_member "$old" --force
await 90 "another member takes over" some_primary "$old"
check "all data is there" load_verify "$primary"
check "it takes writes" load_write "$primary" -l 2 -f 21 -n 10
start_daemon "$old"
await 90 "everybody is in sync" all_in_sync
check_history
finish
