#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Records the bounded workloads, 4096-byte blocks: all of three operations, and of four of some.
# timeout: 2400
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/record.sh"

# sequences LENGTH LETTERS: all of them
sequences()
{
	awk -v n="$1" -v letters="$2" 'function go(s) {
			if (length(s) == n) { print s; return }
			for (i[length(s)] = 1; i[length(s)] <= length(letters); i[length(s)]++)
				go(s substr(letters, i[length(s)], 1))
		}
		BEGIN { go("") }'
}

# A crash and an attach take seconds in an emulated guest: not next to everything.
bounded()
{
	sequences 3 wmfuzcpl
	sequences 4 wmfzc
	for a in w m f z; do
		for b in w m f z; do
			printf '%s\n' "r$a$b" "${a}r$b" "$a${b}r"
		done
	done
}

require_module dm-log-writes
require_disks 2
lone_recorded 4096
bounded | record_run "$SWB_STATE/bounded-4096.rec" 4096 || die "no recording"
pass "recorded"
finish
