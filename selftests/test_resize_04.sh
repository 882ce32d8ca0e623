#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What cannot be is refused with a sentence: smaller, larger than the device, the primary
# before a replica, or with a member away; nothing has changed then.
# timeout: 150
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/quorum.sh"

size=32M pair sync_all
before=$(st a .size_bytes)
refused()
{
	local text

	text=$(swblockctl resize "$2" --size "$3" 2>&1) && { fail "$1"; return; }
	pass "$1"
	check "$1: says why" grep -Eqi "$4" <<<"$text" || quoted "$text"
}
refused "a replica does not shrink" vol/b 16M shrink
refused "nor does the primary" vol/a 16M shrink
refused "beyond the device" vol/b 100G 'too small'
refused "the primary before its replica" vol/a 64M 'grows last'
refused "no multiple of a block" vol/b 67108865 'block size'
check "the replica grows" swblockctl resize vol/b --size 48M
refused "the primary beyond its replica" vol/a 64M 'grows last'
need swblockctl unlink vol/a b
need poll_until 10 detached a b
refused "with a member away" vol/a 48M 'grows last'
check_same "the primary is as it was" "$before" "$(st a .size_bytes)"
level a b || die "no link"
check "with all there it grows" swblockctl resize vol/a --size 48M
check "again: nothing to do" swblockctl resize vol/a --size 48M
finish
