#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A member that was away longer than the ring remembers needs a delta or rebuild: said with its
# letter, sticky within the epoch, and the primary is none the worse for it.
# timeout: 200
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"

wal_size=1M pair best_effort
need load_write a -n 10
need swblockctl unlink vol/a b
head=$(st b .log.head_lsn)
need load_write a -l 2 -f 11 -n 250 -b 8
check "history was trimmed" poll_until 30 sh -c \
	"[ \$(swblockctl status -j vol/a | jq '.members[0].log.start_lsn') -gt $((head + 1)) ]"
for try in first second; do
	link_members a b >"$swb_tmp/out" 2>&1
	check "the $try link: needs_rebuild" poll_until 10 peer_is a b .state needs_rebuild
	check_same "the $try link: with its letter" L "$(peer a b .case)"
done
check "the volume says so" has_condition a needs_rebuild
check "the replica took nothing" test "$(st b .log.head_lsn)" = "$head"
check "the primary serves" load_write a -l 3 -f 261 -n 20
check "and has everything" load_verify a
check "swblockctl explains the letter" sh -c "swblockctl explain vol/a b | grep -qi 'case L'"
finish
