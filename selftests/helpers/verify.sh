# SPDX-License-Identifier: GPL-2.0-only
# What tests of comparisons share. Source it after volume.sh.
# shellcheck shell=bash
# shellcheck disable=SC2154 # shared with lib.sh, volume.sh and the tests

# verify OPTION...: compare all replicas of vol with its primary a, and wait
verify()
{
	timeout 80 swblockctl verify vol/a --wait --timeout 75 "$@"
}

# flip_block MEMBER BLOCK: a block of its extent changes under it
flip_block()
{
	local at

	need poll_until 20 written_back "$1"
	at=$(($(swbdisk get "${lower[$1]}" extent_offset) + $2 * 4096))
	need swbdisk flip "${lower[$1]}" $((at + 100))
}
