# SPDX-License-Identifier: GPL-2.0-only
# Paths and kernel versions that every script agrees on. Sourced, never run.
# shellcheck shell=bash
# shellcheck disable=SC2034 # the variables are for the scripts that source this

SWB_TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
SWB_CACHE=${SWB_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/swblock}
SWB_SERIES="6.1 6.12"

die()
{
	echo "$(basename "$0"): $*" >&2
	exit 1
}

# The release that the installed headers belong to: the guest kernel has to be
# the very same one, or insmod refuses the module for its vermagic.
kernel_release()
{
	local meta=linux-headers-amd64

	[ "$1" = 6.1 ] || meta=linux-headers-$1-amd64
	dpkg-query -W -f='${Depends}\n' "$meta" 2>/dev/null |
		grep -o 'linux-headers-[0-9][^ ,]*' | head -n 1 |
		sed 's/^linux-headers-//'
}

# Where the guest kernel of a series lies: boot/vmlinuz-*, lib/modules/*.
kernel_dir()
{
	echo "$SWB_CACHE/kernels/$(kernel_release "$1")"
}

# The same for any kind of guest: names the directory below build/.
build_release()
{
	if [ "$1" = uml ]; then
		cat "$(uml_dir)/include/config/kernel.release"
	else
		kernel_release "$1"
	fi
}

# linux-source-6.1 has checkpatch, the kselftest headers and the UML kernel.
source_version()
{
	dpkg-query -W -f='${Version}' linux-source-6.1 2>/dev/null
}
source_dir()
{
	echo "$SWB_CACHE/linux-source-$(source_version)"
}
uml_dir()
{
	echo "$SWB_CACHE/uml-$(source_version)"
}
