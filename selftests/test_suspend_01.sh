#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Suspended, a volume admits nothing: reads, writes and barriers wait with a condition,
# what was admitted completes; resumed, all of it goes on, and nothing was lost.
# timeout: 150
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/quorum.sh"

pair sync_all --policy written
need load_write a -n 40 -b 4
load_background a -l 2 -f 41 -n 0 -b 4
check "suspend under load" swblockctl suspend vol/a
check "the volume says so" has_condition a suspended_admin
check "what was admitted completes" poll_until 10 st_is a .inflight 0
head=$(st a .log.head_lsn)
sleep 1
check_same "nothing is admitted" "$head" "$(st a .log.head_lsn)"
check "the writer waits" test -d "/proc/$bg"
dd if="$(bd a)" of=/dev/null bs=4k count=1 iflag=direct status=none &
reader=$!
check_waits "a read waits" "$reader" 1
check "the replica holds everything" test "$(peer a b .durable_lsn)" -ge "$head"
check "suspend again changes nothing" swblockctl suspend vol/a
check "resume" swblockctl resume vol/a
check_ended "the read ends" "$reader" 10
check_same "well" 0 "$ended"
check "the writer goes on" poll_until 10 test "$(st a .log.head_lsn)" -gt "$head"
check "no condition is left" lacks_condition a suspended_admin
kill "$bg"
check_ended "the writer ends" "$bg" 20
check "everything is there" load_verify a
check_not "a replica has nothing to suspend" swblockctl suspend vol/b
finish
