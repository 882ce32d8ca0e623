#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A budget is no licence: in sync_all a member that stands still keeps its pin beyond every
# budget, writers wait for it by name, and with it back all of them end well.
# timeout: 400
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/quorum.sh"
. "$SWB_TOP/selftests/helpers/rebuild.sh"
. "$SWB_TOP/selftests/helpers/retention.sh"

wal_size=1M pair sync_all
need swblockctl tune vol/a --catchup-max 128K --catchup-stall 1s --io-deadline 1h
still
head=$(st a .log.head_lsn)
background barrier a
barrier=$bg
check "a barrier waits for the peer, linked as it is" poll_until 15 has_condition a waiting_peer
check "with room in the ring" lacks_condition a ring_full
background load_write a -n 600 -b 0
check "the ring fills" poll_until 60 has_condition a ring_full
check "the volume says whom it waits for" poll_until 15 has_condition a waiting_peer
sleep 3
check "beyond both budgets it is not given up" peer_is a b .reason none || say_peer
check "its history is there" log_reaches "$head"
check "writers wait" kill -0 "$bg"
kill -CONT "$proxy_pid"
check_ended "with it back they go on" "$bg" 60
check_same "without an error" 0 "$ended"
check_ended "the barrier, too" "$barrier" 30
check_same "without an error as well" 0 "$ended"
check "nobody is waited for" poll_until 10 lacks_condition a waiting_peer
check "in sync" poll_until 30 in_sync a b
check_same "nothing was copied" 0 "$(st a .stats.rebuild_bytes)"
stop_proxy
level a b || fail "level"
check "everything is there" load_verify a
check_clean a b
finish
