#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Records workloads on a disk of 4096-byte sectors: there a group header can tear inside.
# timeout: 1200
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/record.sh"

require_module dm-log-writes
require_disks 2
lone_recorded 4096 4096
for a in w m u z p f; do
	for b in w m f c p; do
		for c in w m p f; do
			echo "$a$b$c"
		done
	done
done | record_run "$SWB_STATE/unit-4096.rec" 4096 || die "no recording"
pass "recorded"
finish
