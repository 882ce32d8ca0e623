#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Five members: two that are dead cost nothing; with a third one gone barriers wait
# under a named condition, and go on when it is back.
# timeout: 150
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/quorum.sh"

quorum 5 --policy received
need load_write a -n 60 -b 4
need remove_member d --force
need remove_member e --force
check "two are dead: barriers go on" load_write a -l 2 -f 61 -n 60 -b 4
check "nobody is waited for" lacks_condition a waiting_peer
committed=$(st a .log.committed_lsn)
need swblockctl unlink vol/a c
background barrier a 4001
check "three are gone: the volume says that it waits" poll_until 10 has_condition a waiting_peer
check_waits "the barrier waits" "$bg" 2
check "C stands still" test "$(st a .log.committed_lsn)" -le $((committed + 1))
must link_members a c
check_ended "with c back the barrier ends" "$bg" 20
check_same "well" 0 "$ended"
check "nobody is waited for" poll_until 10 lacks_condition a waiting_peer
check "everything is there" load_verify a
finish
