#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A guest is reset under fio: what was synced before verifies after the boot.
# timeout: 150
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

require_tool fio
keep=$SWB_STATE
first="--name=kept --filename=$(bd a) --offset=0 --size=4M --bs=4k --rw=randwrite
	--verify=crc32c --randseed=11 --direct=1 --ioengine=libaio --iodepth=8"
case $SWB_PHASE in
0)
	rm -f "$keep"/*
	wal_size=2M lone
	# shellcheck disable=SC2086 # words
	fio $first --do_verify=0 --end_fsync=1 >"$swb_tmp/fio.out" || die "fio"
	cp "$SWBLOCK_STORE" "$keep/authority.db"
	fio --name=more --filename="$(bd a)" --offset=16M --size=16M --bs=4k --rw=randwrite \
		--direct=1 --ioengine=libaio --iodepth=16 --time_based --runtime=60 \
		--fsync=32 >/dev/null 2>&1 &
	w=$(st a .stats.writes)
	poll_until 30 sh -c "[ \$(swblockctl status -j vol/a |
		jq '.members[0].stats.writes') -gt $((w + 300)) ]" || die "no writes"
	reset_guest 1 ;;
esac
cp "$keep/authority.db" "$SWBLOCK_STORE"
load_module
place a
members=(a)
letter=$(add_letter a)
check "recovery (case $letter)" grep -q '^[HIJK]$' <<<"$letter"
need promote a
# shellcheck disable=SC2086
check "what was synced verifies" fio $first --verify_only=1 --verify_fatal=1
finish
