#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The disk_failed latch keeps a member out until it is formatted anew: case F.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

fresh a
old=$(st a .replica)
must remove_member a
must swbdisk set "${lower[a]}" both flags=2
check_refused F a "latched disk"
check_refused F a "latched disk, a second time"
check "format clears it" swblockctl format "${lower[a]}" --volume vol --replica a \
	--size 64M --force
check_opens H a "after format"
check "it is a new replica" test "$(st a .replica)" != "$old"
finish
