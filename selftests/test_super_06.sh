#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A log device that is missing, blank or of another member is refused: case D.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

require_disks 4
load_module
wal[a]=${swb_disks[2]}
format_member a
wal[b]=${swb_disks[3]}
format_member b
check_opens H a "with its own log device"
must remove_member a
wal[a]=
check_refused D a "without the log device"
wal[a]=${swb_disks[3]}
check_refused D a "with the log device of another member"
wipe_disk "${swb_disks[2]}"
wal[a]=${swb_disks[2]}
check_refused D a "with a blank log device"
place b
lower[a]=${wal[b]}
wal[a]=
check_not "a log device is no member" add_member a
check_opens H b "the other member is not hurt"
finish
