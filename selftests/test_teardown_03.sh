#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Removal while writers wait for ring space lets them go with an error.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

wal_size=1M pair sync_all
need swblockctl unlink vol/a b
background load_write a -n 0 -b 0
check "the ring is full" poll_until 40 has_condition a ring_full
check_not "polite removal is refused" remove_member a
check "forced removal" timeout 30 swblockctl remove vol/a --force
check_ended "the writer ends" $bg 30
check_same "with an I/O error" 3 "$ended"
check "the replica can go" remove_member b
check "rmmod" poll_until 20 rmmod swblock
finish
