# SPDX-License-Identifier: GPL-2.0-only
# Places of a disk that cannot be read until they are written again, as a drive with a
# bad sector has them: a snapshot whose origin has errors there. Its chunks are of
# 4 KiB, and a write of a whole chunk asks nothing of the origin. Source it after
# volume.sh.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # shared with lib.sh and volume.sh

require_module dm-snapshot

# spoilable NAME DISK: the member NAME will be on a disk that make_bad can spoil
spoilable()
{
	dm "$1" "$2"
	lower[$1]=$dm_dev
}

settle()
{
	poll_until 40 written_back "$1" || die "set-up: write-back of $1 is not complete"
}

# extent_block MEMBER BLOCK: number of that block of 4 KiB on the lower device
extent_block()
{
	echo $(($(swbdisk get "${lower[$1]}" extent_offset) / 4096 + $2))
}

# make_bad MEMBER COPY-DISK BLOCK [COUNT]: from now on these blocks of its extent
# cannot be read before they are written; once for each member
make_bad()
{
	local at words

	settle "$1"
	at=$(extent_block "$1" "$3")
	read -ra words <<<"${dm_under[$1]}"
	dm "$1-under" "${words[3]}" $((words[1] / 2048))
	bad_range "$1-under" $((at * 8)) $((${4:-1} * 8))
	must dm_table "$1" "0 $((words[1] / 2048 * 2048)) snapshot $dm_dev $2 N 8"
}

# lower_block MEMBER BLOCK: what its disk holds there, as get_block
lower_block()
{
	get_block "${lower[$1]}" "$(extent_block "$1" "$2")"
}
