#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The majority is gone: a barrier waits, the volume says for whom, the I/O deadline
# ends it with EIO; under policy local plain writes went on. With the majority back all is well.
# timeout: 150
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/quorum.sh"

quorum 3
need load_write a -n 20 -b 4
need swblockctl tune vol/a --io-deadline 3s
need swblockctl unlink vol/a b
need swblockctl unlink vol/a c
check "a plain write goes on" put_block "$(bd a)" 4001 x
background barrier a 4002
check "the volume says that it waits" poll_until 3 has_condition a waiting_peer
check_ended "the barrier ends at the deadline" "$bg" 20
check "with an error" test "$ended" != 0
check "it is counted" test "$(st a .stats.deadlines)" -ge 1
check_same "the primary is primary still" primary "$(st a .role)"
need swblockctl tune vol/a --io-deadline 60s
check "one comes back" level a c
check "barriers succeed again" load_write a -l 2 -f 21 -n 20 -b 4
check "nobody is waited for" poll_until 10 lacks_condition a waiting_peer
check "everything is there" load_verify a
finish
