#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Budgets change while a peer stands still: a larger one keeps its pin, a smaller one takes it
# at once, without a write and without a restart.
# timeout: 400
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/rebuild.sh"
. "$SWB_TOP/selftests/helpers/retention.sh"

wal_size=8M pair best_effort
need swblockctl tune vol/a --catchup-max 1M
still
fill 768
check "768 KiB of 1 MiB" poll_until 10 holds_above $((700 << 10))
need swblockctl tune vol/a --catchup-max 4M
check_same "the larger budget shows" $((4 << 20)) "$(st a .catchup_max_bytes)"
fill 1024
check "more than the first budget is held now" poll_until 10 holds_above $((1700 << 10))
# several ticks
sleep 2
check "and still is" peer_is a b .reason none || say_peer
need swblockctl tune vol/a --catchup-max 256K
check "a smaller one takes the pin, with nobody writing" poll_until 20 given_up budget || say_peer
kill -CONT "$proxy_pid"
stop_proxy
need swblockctl tune vol/a --catchup-max 0
check_same "no budget again" 0 "$(st a .catchup_max_bytes)"
check "ordered and linked" copy_to a b
check "in sync" poll_until 60 in_sync a b
check_equal a b "both disks are equal"
check_clean a b
finish
