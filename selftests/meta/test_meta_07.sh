#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A reset in mid-write: the disks and SWB_STATE survive it, nothing else does.
. "$SWB_TOP/selftests/lib.sh"

disk=${swb_disks[0]}
pattern=$SWB_STATE/pattern
if [ "$SWB_PHASE" = 0 ]; then
	head -c 65536 /dev/urandom >"$pattern"
	must dd if="$pattern" of="$disk" bs=64k oflag=direct conv=fsync status=none
	touch /run/before-the-reset
	while :; do
		dd if=/dev/zero of="$disk" bs=64k seek=16 count=16 oflag=direct status=none
	done &
	reset_guest 1
fi

check_same "the phase is passed on" 1 "$SWB_PHASE"
check "what was written and flushed is there" cmp -n 65536 "$pattern" "$disk"
check_not "memory is forgotten" test -e /run/before-the-reset
finish
