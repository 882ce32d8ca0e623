#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Handshake and link manager with a kernel that encrypts: keys of the cluster and of a
# volume, wrong keys, clear text, a recording of a handshake played again, silent
# strangers, peers that move, dial each other, and get new keys.
# timeout: 400
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/tls.sh"

require_ktls
ip link set lo up
for t in tls linker; do
	"$SWB_TOP/ctl/build/guest_test_$t" >"$swb_tmp/$t.out" 2>&1
	check_same "$t: ends well" 0 $?
	while read -r line; do
		case $line in
		"ok "*"# SKIP"*) fail "$t: left out: $line" ;;
		"ok "*) pass "$t: ${line#ok * - }" ;;
		"not ok "*) fail "$t: ${line#not ok * - }" ;;
		esac
	done <"$swb_tmp/$t.out"
	grep -q '^1\.\.' "$swb_tmp/$t.out" || { quoted "$(tail "$swb_tmp/$t.out")"; fail "$t breaks off"; }
done
finish
