#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The bare .ko is inserted on a fresh boot, answers on its family and leaves again.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

rmmod swblock 2>/dev/null
check "insmod of the bare file" insmod "$SWB_KO"
check_same "the module is there" live "$(cat /sys/module/swblock/initstate)"
check "the family answers" swblockctl info
info=$(swblockctl info -j)
check_same "no volume yet" 0 "$(jq -r .members <<<"$info")"
check "abi and protocol range are told" \
	jq -e '.abi >= 1 and .proto_min >= 1 and .proto_max >= .proto_min' <<<"$info"
check_not "a second insmod is refused" insmod "$SWB_KO"
check "rmmod" rmmod swblock
check_code 6 "without the module: its own exit code" swblockctl status
for i in 1 2 3 4 5; do
	insmod "$SWB_KO" && rmmod swblock || die "round $i of insmod and rmmod"
done
pass "insmod and rmmod again and again"
finish
