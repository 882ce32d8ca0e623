#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 400
# The file of the store is spoilt, then the file system below it is full: the daemons say
# so, the first holds I/O, the second does not; mended, both go on in the same epoch.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/cluster.sh"

lease_ms=3000
mkdir -p "$swb_tmp/small"
must mount -t tmpfs -o size=4m small "$swb_tmp/small"
defer umount -l "$swb_tmp/small"
store=$swb_tmp/small/store.db
export SWBLOCK_STORE=$store
cluster_up
epoch=$(rec .epoch)
# a journal that was there while the rest was filled leaves its place behind: fill that, too
full_and_still()
{
	dd if=/dev/zero bs=4k >>"$swb_tmp/small/fill" 2>/dev/null
	signs_stand_still
}
check "no sign of life can be written" poll_until 60 full_and_still
# longer than silence: nobody may be taken for gone, for nobody can speak
watch_lease 7 "$primary"
check_same "I/O is not held: reads renew the lease" 0 "$lease_held"
need load_write "$primary" -n 20
rm "$swb_tmp/small/fill"
check "signs of life come again" poll_until 30 signs_move
await 30 "the volume is settled" some_primary
check_same "nobody was fenced" "$epoch" "$(rec .epoch)" || show_logs

# pages of zeroes in the middle, in place; daemons stand still, so that it is one change
kill -STOP "${daemon_pid[@]}"
cp "$store" "$swb_tmp/good.db"
size=$(stat -c %s "$store")
dd if=/dev/urandom of="$store" bs=4096 seek=1 count=$((size / 4096 - 1)) conv=notrunc status=none
kill -CONT "${daemon_pid[@]}"
check "I/O is held" poll_until 60 has_condition "$primary" suspended_lease
check "a daemon says why" poll_until 30 grep -q 'malformed\|damaged' "$swb_tmp/$primary.log"
kill -STOP "${daemon_pid[@]}"
dd if="$swb_tmp/good.db" of="$store" bs=4096 conv=notrunc status=none
kill -CONT "${daemon_pid[@]}"
check "I/O goes on" poll_until 60 lacks_condition "$primary" suspended_lease
check "all data is there" load_verify "$primary"
check_same "in the same epoch" "$epoch" "$(rec .epoch)" || show_logs
check_history
finish
