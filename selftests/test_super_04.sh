#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Two slots of one generation that differ are not chosen between: case B.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

fresh a
assign best_effort
need promote a
must remove_member a
g=$(swbdisk get "${lower[a]}" generation)
must swbdisk set "${lower[a]}" old generation="$g"
check_refused B a "same generation, different content"
check_not "nothing was attached" attached a
must swbdisk set "${lower[a]}" both generation="$g"
check_refused B a "again, with good checksums"
finish
