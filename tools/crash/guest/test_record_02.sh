#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Records longer workloads drawn by lot, and short ones on a ring of 512-byte units.
# timeout: 1200
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/record.sh"

# sampled SEED COUNT LENGTH
sampled()
{
	awk -v seed="$1" -v n="$2" -v len="$3" 'BEGIN {
			srand(seed); letters = "wwwwmmmmmzzzuuppplllfc"
			while (n--) {
				s = ""
				for (i = 0; i < len; i++)
					s = s substr(letters, 1 + int(rand() * length(letters)), 1)
				print s
			}
		}'
}

require_module dm-log-writes
require_disks 2
lone_recorded 512
{
	sampled 1 60 4
	sampled 2 40 24
	printf '%s\n' wmrwf wwwrm mzrpw
} | record_run "$SWB_STATE/sampled-512.rec" 512 || die "no recording"
pass "recorded"
finish
