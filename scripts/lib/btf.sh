# SPDX-License-Identifier: GPL-2.0-only
# BTF of a module: types by which BPF programs find its tracepoints. It is made on top
# of the BTF of the very kernel the module is for. Sourced by scripts/build-module.
# shellcheck shell=bash

has_btf()
{
	readelf -SW "$1" 2>/dev/null | grep -q ' \.BTF '
}

# btf_wanted KDIR: does that kernel take BTF of modules?
btf_wanted()
{
	grep -qs '^CONFIG_DEBUG_INFO_BTF_MODULES=y' "$1/include/config/auto.conf"
}

bytes_of()
{
	od -An -j "$2" -N "$3" -t "u$3" "$1" | tr -d ' '
}

# What a bzImage is wrapped around: setup sectors, a loader, and in it the kernel.
# Documentation/x86/boot.rst has the offsets.
kernel_of()
{
	local image=$1 sectors from len tmp=$2

	[ "$(dd if="$image" bs=1 skip=514 count=4 status=none)" = HdrS ] || return 1
	sectors=$(bytes_of "$image" 497 1)
	from=$(((${sectors/#0/4} + 1) * 512 + $(bytes_of "$image" 584 4)))
	len=$(bytes_of "$image" 588 4)
	tail -c "+$((from + 1))" "$image" | head -c "$len" >"$tmp"
	case $(od -An -N 4 -t x1 "$tmp" | tr -d ' ') in
	fd377a58) xz -dc --single-stream "$tmp" ;;
	28b52ffd) head -c -4 "$tmp" | zstd -qdc ;;
	1f8b*) head -c -4 "$tmp" | gzip -dc ;;
	*) return 1 ;;
	esac
}

# btf_base RELEASE KDIR: prints a file that has the kernel's BTF, or fails.
btf_base()
{
	local release=$1 kdir=$2 out=$SWB_CACHE/btf/$1 image tmp

	if has_btf "$kdir/vmlinux"; then
		echo "$kdir/vmlinux"
		return 0
	fi
	if [ "$(uname -r)" = "$release" ] && [ -r /sys/kernel/btf/vmlinux ]; then
		echo /sys/kernel/btf/vmlinux
		return 0
	fi
	image=$SWB_CACHE/kernels/$release/boot/vmlinuz-$release
	[ -r "$image" ] || image=/boot/vmlinuz-$release
	[ -r "$image" ] || return 1
	if [ ! -s "$out" ] || [ "$image" -nt "$out" ]; then
		mkdir -p "$SWB_CACHE/btf"
		tmp=$(mktemp -d "$SWB_CACHE/btf/tmp-XXXX")
		kernel_of "$image" "$tmp/packed" >"$tmp/vmlinux" &&
			objcopy --dump-section ".BTF=$tmp/btf" "$tmp/vmlinux" "$tmp/copy" &&
			[ -s "$tmp/btf" ] && mv "$tmp/btf" "$out"
		rm -rf "$tmp"
	fi
	[ -s "$out" ] && echo "$out"
}

# btf_add MODULE RELEASE KDIR: what the kernel's own build does where it finds vmlinux.
# The module has no kfunc, so there are no ids to resolve. Fails with a reason.
btf_add()
{
	local base tmp=$1.btf said

	! has_btf "$1" || return 0
	if ! btf_wanted "$3"; then
		echo "this kernel takes no BTF of modules"
		return 1
	fi
	if ! command -v pahole >/dev/null; then
		echo "no pahole (package dwarves)"
		return 1
	fi
	if ! base=$(btf_base "$2" "$3"); then
		echo "no kernel image $2 to take its BTF from"
		return 1
	fi
	cp "$1" "$tmp"
	if ! said=$(LLVM_OBJCOPY=objcopy pahole -J --btf_gen_floats --lang_exclude=rust \
			--btf_base "$base" "$tmp" 2>&1) || ! has_btf "$tmp"; then
		rm -f "$tmp"
		echo "pahole: ${said:-no .BTF was made}"
		return 1
	fi
	# a half-written module must never be found under its name
	mv "$tmp" "$1"
}

# btf_drop MODULE: as if it had never been made
btf_drop()
{
	! has_btf "$1" || objcopy --remove-section=.BTF "$1"
}
