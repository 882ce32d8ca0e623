#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# swblock-lat attaches by tp_btf to a module with BTF and as a raw tracepoint to one
# without, counts the same both ways, and says what is missing where it cannot attach.
# timeout: 300
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/trace.sh"
. "$SWB_TOP/selftests/helpers/bpf.sh"
. "$SWB_TOP/scripts/lib/btf.sh"

require_tool objcopy readelf setpriv
require_bpf

# refused WORDS [OPTION...]: it ends with 1 and says so
refused()
{
	local want=$1 rc=0 said

	shift
	said=$(timeout 20 "${as[@]}" swblock-lat -c 1 -i 0.1 "$@" 2>&1) || rc=$?
	echo "$rc: $said"
	[ "$rc" = 1 ] && grep -q "$want" <<<"$said"
}
as=()

# counts HOW [OPTION...]: attached like that, it counts 24 writes
counts()
{
	local how=$1

	shift
	lat_start json -j "$@"
	writes a 100 24
	check_ends "it ends ($how)" json
	check_same "attached by" "$how" "$(jq -rs '.[0].attach' "$swb_tmp/json")"
	check_same "each write was counted, $how" 24 "$(bpf_count json admit)"
	check_same "and completed, $how" 24 "$(bpf_count json complete)"
}

unload_module
check "no module: that is said" refused "not loaded"

cp "$SWB_KO" "$swb_tmp/plain.ko"
btf_drop "$swb_tmp/plain.ko"
need insmod "$swb_tmp/plain.ko"
check "this one has no BTF" test ! -e /sys/kernel/btf/swblock
check "tp_btf cannot be: that is said" refused "no BTF" --attach tp_btf
fresh a
assign best_effort
need promote a
counts raw_tp
counts raw_tp --attach raw_tp
as=(setpriv --reuid 65534 --clear-groups --bounding-set -all --inh-caps -all)
check "not root: that is said" refused "as root"
as=()
check "no directory of pins: that is said" refused "not below a BPF file system" \
	--pin "$swb_tmp/pins"
check "no such volume: that is said" refused "no member nobody" -V nobody
lat_start other
check "pins of another one: that is said" refused "another swblock-lat" --pin $bpffs/swblock
check_ends "it ends" other
need remove_member a --force
need rmmod swblock

check "the build gave the module BTF" has_btf "$SWB_KO"
load_module
check "and the kernel took it" test -e /sys/kernel/btf/swblock
need add_member a
need promote a
counts tp_btf
counts tp_btf --attach tp_btf
counts raw_tp --attach raw_tp
check "nobody is attached in the end" poll_until 20 programs_are 0
finish
