#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Blocks that cannot be read are read and written at the same time, many times: a repair
# never brings back what was there before the write.
# timeout: 400
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/badread.sh"

require_disks 3
rounds=16
size=8M
spoilable a "${swb_disks[0]}"
pair sync_all
need swblockctl tune vol/a --io-deadline 30s
for ((i = 0; i < rounds; i++)); do
	need put_block "$(bd a)" $((200 + i)) o
done
make_bad a "${swb_disks[2]}" 200 $rounds

# both at once, as often as it takes: old or new for the reader, new afterwards
wrong=0
for ((i = 0; i < rounds; i++)); do
	at=$((200 + i))
	get_block "$(bd a)" $at >"$swb_tmp/seen" &
	reader=$!
	put_block "$(bd a)" $at n || wrong=$((wrong + 1))
	wait "$reader" || { wrong=$((wrong + 1)); note "block $at: the read failed"; }
	seen=$(cat "$swb_tmp/seen")
	case $seen in
	o | n) ;;
	*)	wrong=$((wrong + 1))
		note "block $at: read as $seen" ;;
	esac
done
check_same "every read and write went well, and saw old or new" 0 "$wrong"

bad=0
for ((i = 0; i < rounds; i++)); do
	got=$(get_block "$(bd a)" $((200 + i)))
	[ "$got" = n ] || { bad=$((bad + 1)); note "block $((200 + i)): $got"; }
done
check_same "every block shows the write" 0 $bad
note "$(st a .stats.reads_borrowed) borrowed, $(st a .stats.read_repairs) repaired"
check "blocks were borrowed" test "$(st a .stats.reads_borrowed)" -ge 1
settle a
here=$(digest a)
check "equal on both" timeout 90 swblockctl verify vol/a --wait --timeout 80
need swblockctl demote vol/a
need promote b
check_same "the replica, promoted, shows the same" "$here" "$(digest b)"
finish
