#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# An unfinished copy attaches as void: it shows, and cannot be promoted: case G.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

lone
need load_write a -n 20
must remove_member a
must swbdisk set "${lower[a]}" both flags=1
check_opens G a "inconsistent copy"
check "the condition says so" has_condition a inconsistent
check_code 4 "it cannot be promoted" promote a
check_code 4 "not even by force of words" promote a --override --yes --reason "test"
check_same "it has no role" none "$(st a .role)"
check_same "and no capacity" 0 "$(blockdev --getsize64 "$(bd a)")"
finish
