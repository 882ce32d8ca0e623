#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A disk that vanishes under a primary ends its I/O; the member and the module can go.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

require_module scsi_debug sd_mod
rmmod scsi_debug 2>/dev/null
must modprobe scsi_debug dev_size_mb=96 max_luns=1 num_tgts=1
defer rmmod scsi_debug
sd()
{
	local d

	for d in /sys/bus/pseudo/drivers/scsi_debug/adapter*/host*/target*/*/block/*; do
		[ -e "$d" ] && echo "/dev/${d##*/}" && return
	done
	return 1
}
poll_until 10 sd || die "no scsi_debug disk"
lower[a]=$(sd)
lone
need load_write a -n 40 -b 5
need swblockctl tune vol/a --io-deadline 3s
background load_write a -l 2 -f 41 -n 0 -b 1
poll_until 10 grep -qs '^ack 2' "$swb_tmp/acks"
echo 1 >"/sys/block/${lower[a]#/dev/}/device/delete"
check_ended "the writer ends" $bg 60
check_same "with an I/O error" 3 "$ended"
check "the member says that its disk failed" poll_until 10 has_condition a disk_failed
check "remove" timeout 30 swblockctl remove vol/a --force
check "rmmod" poll_until 20 rmmod swblock
finish
