#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Forced removal under running I/O ends that I/O and frees everything.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

require_tool fio
lone
background fio --name=t --filename="$(bd a)" --size=32M --direct=1 --bs=4k --rw=randrw \
	--ioengine=libaio --iodepth=16 --time_based --runtime=60
poll_until 20 sh -c "[ \$(awk '{ print \$5 }' /sys/block/swblock10/stat) -gt 100 ]" ||
	die "fio does not write"
check "remove --force" timeout 30 swblockctl remove vol/a --force
check_ended "fio ends" $bg 40
check "by an error" test "$ended" != 0
check_not "the device is gone" test -e /sys/block/swblock10
check "rmmod" poll_until 20 rmmod swblock
load_module
letter=$(add_letter a)
check "the log is whole (case $letter)" grep -q '^[HIJK]$' <<<"$letter"
finish
