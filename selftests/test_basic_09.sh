#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A volume whose log lies on another device works, and is refused without it.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

require_disks 2
load_module
wal[a]=${swb_disks[1]}
size=64M wal_size=8M format_member a
check "add with its log" add_member a
assign best_effort
need promote a
check "writes" load_write a -n 200
check "reads" load_verify a
low=$(basename "$(readlink -f "${wal[a]}")")
check "the log device shows its holder" test -e "/sys/block/$low/holders/swblock10"
must remove_member a
wal[a]=
check_refused D a "without its log"
wal[a]=${swb_disks[0]}
check_not "with its own data device as the log" add_member a
wal[a]=${swb_disks[1]}
check "with its log again" add_member a
need promote a
check "everything is there" load_verify a
finish
