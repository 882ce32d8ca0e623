# SPDX-License-Identifier: GPL-2.0-only
# What tests of sync_quorum share: many members in one kernel, some of them on
# slices of one disk. Source it after volume.sh and link.sh.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # shared with lib.sh and volume.sh

# slice NAME DISK FROM-MIB MIB: a part of a disk becomes the place of a member
slice()
{
	must dmsetup create "swbt-$1" --noudevsync \
		--table "0 $(($4 * 2048)) linear $2 $(($3 * 2048))"
	defer dmsetup remove --force --noudevsync "swbt-$1"
	lower[$1]=/dev/mapper/swbt-$1
}

# quorum N [ASSIGN-OPTION...]: N members, a is primary, all are linked and in sync
quorum()
{
	local n=$1 names all=(a b c d e f g) name
	shift

	names=("${all[@]:0:$n}")
	if [ "$n" -gt 6 ]; then
		load_module
		slice f "${swb_disks[5]}" 0 128
		slice g "${swb_disks[5]}" 160 128
	fi
	fresh "${names[@]}"
	assign sync_quorum "$@"
	need promote a
	for name in "${names[@]:1}"; do
		must link_members a "$name"
	done
	for name in "${names[@]:1}"; do
		poll_until 20 in_sync a "$name" || die "$name does not come in sync"
	done
}

# barrier MEMBER [BLOCK]: one block and a flush
barrier()
{
	dd if=/dev/zero of="$(bd "$1")" bs=4k seek="${2:-4000}" count=1 oflag=direct \
		conv=fsync,notrunc status=none
}

# proxy_between A B [RULE...]: as proxy_start, between any two members
proxy_between()
{
	: >"$swb_tmp/proxy.out"
	"$SWB_TOP/selftests/helpers/swbproxy.py" "${proxy_opts[@]}" "$VOL/$1" "$VOL/$2" \
		"${@:3}" >"$swb_tmp/proxy.out" 2>&1 &
	proxy_pid=$!
	poll_until 20 said '^ready' || { quoted "$(cat "$swb_tmp/proxy.out")"; die "no proxy"; }
}
