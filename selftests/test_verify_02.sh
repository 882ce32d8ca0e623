#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A block that changed on a replica's disk is found, exactly that, and repaired; then the
# replica, promoted, shows what the primary had.
# timeout: 200
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/quorum.sh"
. "$SWB_TOP/selftests/helpers/verify.sh"

size=16M pair sync_all
need load_write a -n 200 -b 4
flip_block b 777
verify >"$swb_tmp/verify.out" 2>&1
check_same "the difference is an error" 4 $?
check "exactly these sectors" grep -q "sectors 6216 to 6223 differ" "$swb_tmp/verify.out" ||
	quoted "$(cat "$swb_tmp/verify.out")"
check_same "one block" 1 "$(st a .stats.verify_mismatches)"
check "repair" verify --repair
check_same "one piece was written" 1 "$(st a .stats.verify_repairs)"
check "no difference is left" verify
check "nothing was lost" load_verify a
here=$(digest a)
need swblockctl demote vol/a
check "promote the replica" promote b
check_same "it is equal, block by block" "$here" "$(digest b)"
finish
