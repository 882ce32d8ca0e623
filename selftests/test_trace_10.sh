#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Histograms are turned off in the middle, and on again: what ends meanwhile is not
# counted, nothing is counted twice, and no time is made up.
# timeout: 200
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/trace.sh"

histograms() { echo "$1" >/sys/module/swblock/parameters/histograms; }

pair sync_all
defer histograms Y
check_same "they are on" Y "$(cat /sys/module/swblock/parameters/histograms)"
writes a 0 10
acked() { [ "$(stage a peer-persist b)" = "$1" ]; }
check "ten are counted" poll_until 20 acked 10
barriers=$(stage a barrier)
histograms N
check_same "they are off" N "$(cat /sys/module/swblock/parameters/histograms)"
writes a 10 10
sync -d "$(bd a)"
check_same "no write of these" 10 "$(stage a complete)"
check_same "and no barrier" "$barriers" "$(stage a barrier)"
histograms Y
writes a 20 10
check "ten more are" poll_until 20 acked 20
check_same "as writes" 20 "$(stage a complete)"
check_same "as records of the log" 20 "$(stage a persist)"
check "and none took longer than the test" test "$(p a persist p999)" -lt 60000000
check_same "nothing is missed" 0 "$(lat a .missed)"
check_not "nonsense is refused" histograms maybe
finish
