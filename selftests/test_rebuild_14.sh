#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Budgets: a peer that is not required, takes records and gets nowhere is given up with the
# reason, and the writers of the primary are none the worse for it.
# timeout: 400
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/rebuild.sh"

dm b "${swb_disks[1]}"
lower[b]=$dm_dev
defer dm_thaw b
wal_size=32M pair best_effort
need swblockctl tune vol/a --catchup-stall 2s
write_more 30
dm_freeze b
check "the primary writes on" timeout 60 swbload write "$(bd a)" -n 40 -b 8
check "the peer is given up" poll_until 30 peer_is a b .state needs_rebuild
check_same "with the reason" budget "$(peer a b .reason)"
check "and writes on" timeout 60 swbload write "$(bd a)" -l 2 -f 41 -n 40 -b 8
dm_thaw b
need swblockctl tune vol/a --catchup-stall 0
poll_until 20 detached b a
check "ordered and linked" copy_to a b
check "in sync" poll_until 60 in_sync a b
check_equal a b "both disks are equal"
check_clean a b
finish
