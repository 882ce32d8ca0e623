#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Exchanged slots are told apart by generation, not by place.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

lone
need load_write a -n 60
e=$(st a .epoch)
must remove_member a
must swbdisk swap "${lower[a]}"
check_opens H a "slots exchanged"
check_same "the newest one counts" "$e" "$(st a .epoch)"
need promote a
check "everything written is there" load_verify a
must remove_member a
check_opens H a "once more"
check "the epoch did not fall" test "$(st a .epoch)" -gt "$e"
finish
