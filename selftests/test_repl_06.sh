#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The ring fills up while a required peer is dead: writers wait with a named condition,
# nothing hangs but them, and when the peer is back everything drains.
# timeout: 200
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"

wal_size=2M pair sync_all
need load_write a -n 20
need remove_member b
load_background a -l 2 -f 21 -n 300 -b 0
check "the ring fills up" poll_until 60 has_condition a ring_full
check "the writer waits" kill -0 "$bg"
check "status answers" timeout 10 swblockctl status vol/a
check "reads are answered" timeout 20 dd if="$(bd a)" of=/dev/null bs=4k count=16 \
	iflag=direct status=none
check_same "nothing above C was written back" true \
	"$(st a '.log.extent_hi <= .log.committed_lsn')"
need add_member b
check "the peer is back" link_members a b
check_ended "the writer goes on to its end" "$bg" 90
check_same "and was never refused" 0 "$ended"
check "in sync" poll_until 30 in_sync a b
check "the condition is gone" poll_until 20 lacks_condition a ring_full
need swblockctl demote vol/a
check "promote the other" promote b
check "it has everything" load_verify b
finish
