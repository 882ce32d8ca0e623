#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# With a required peer gone the ring fills, writers wait by name, and go on when it returns.
# timeout: 120
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

wal_size=1M pair sync_all
need swblockctl unlink vol/a b
background load_write a -n 600 -b 0
check "the ring fills" poll_until 40 has_condition a ring_full
check "the volume says whom it waits for" poll_until 15 has_condition a waiting_peer
check "and that it is degraded" has_condition a degraded
check "writers wait" kill -0 "$bg"
check "some are parked or in flight" sh -c \
	"[ \$(swblockctl status -j vol/a | jq '.members[0] | .parked + .inflight') -gt 0 ]"
check "status answers at once" timeout 10 swblockctl status
check "the peer is linked again" link_members a b
check_ended "writers go on" $bg 60
check_same "without an error" 0 "$ended"
check "the condition is gone" poll_until 20 lacks_condition a ring_full
check "the peer is in sync again" poll_until 30 in_sync a b
check "everything is there" load_verify a
finish
