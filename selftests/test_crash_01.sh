#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What the log sends to its disk is recorded: every crash in it recovers to a prefix of the writes.
# timeout: 300
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/record.sh"

require_module dm-log-writes
require_disks 2
require_tool swbcrash
lone_recorded 4096
for a in w m u z; do
	for b in f w c r; do
		echo "$a$b"w
	done
done | record_run "$swb_tmp/small.rec" 4096 || die "no recording"
check "every crash in it recovers to a prefix" swbcrash run --images 20000 "$swb_tmp/small.rec" ||
	cp "$swb_tmp/small.rec" "$SWB_STATE"
finish
