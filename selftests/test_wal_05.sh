#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A log that steps back in epoch or leaves out LSNs is refused, not cut: case N.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

frozen_log a 40
must swbdisk group-set "${lower[a]}" "$(group_field -1 pos)" first_lsn=+5
check_refused N a "LSNs are left out"
must swbdisk group-set "${lower[a]}" "$(group_field -1 pos)" first_lsn=-5
check_opens H a "as it was"
need remove_member a

frozen_log a 40
must swbdisk group-set "${lower[a]}" "$(group_field -1 pos)" epoch=-1
check_refused N a "the epoch falls"
finish
