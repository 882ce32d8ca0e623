#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# With both superblock slots torn nothing is assumed: case A.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

fresh a
must remove_member a
must swbdisk tear "${lower[a]}" both
check_refused A a "both slots torn"
must swbdisk zap "${lower[a]}" 0
check_refused A a "one slot torn, the other one empty"
check_not "nothing was attached" attached a
check "format makes it usable again" swblockctl format "${lower[a]}" --volume vol \
	--replica a --size 64M --force
check_opens H a "after format"
finish
