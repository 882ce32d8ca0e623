#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Each promotion is one epoch: won, granted, opened and settled, and never used twice.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

lone
e=$(st a .epoch)
check_same "the adopted epoch is the opened one" "$e" "$(st a .opened)"
check_same "the certificate was accepted" A "$(st a .promote_case)"
check "the store says the same" sh -c \
	"swblockctl authority vol -j | grep -q '\"epoch\": *$e'"
check "promoted again" promote a
check "in a newer epoch" test "$(st a .epoch)" -gt "$e"
need load_write a -n 20
need remove_member a
need add_member a
check_same "after a restart there is no role" none "$(st a .role)"
check_same "but the epoch is kept" $((e + 1)) "$(st a .epoch)"
check "and promoted once more" promote a
check_same "in the next epoch" $((e + 2)) "$(st a .epoch)"
check "with all data" load_verify a
finish
