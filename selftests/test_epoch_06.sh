#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# When the lease ends I/O is held, not failed; a renewal lets it go on.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

fresh a
assign best_effort --lease 3s
need promote a
need load_write a -n 10
check "the lease ends" poll_until 15 has_condition a suspended_lease
background load_write a -l 2 -f 11 -n 10
check "a writer is held" poll_until 10 sh -c \
	"[ \$(swblockctl status -j vol/a | jq '.members[0] | .parked + .inflight') -gt 0 ]"
check "it does not fail" kill -0 "$bg"
check "status answers" timeout 10 swblockctl status
check_code 4 "a lease longer than the record allows" swblockctl lease vol/a --for 1h
check "renewed" swblockctl lease vol/a --for 3s
check_ended "the writer goes on" $bg 30
check_same "without an error" 0 "$ended"
need swblockctl lease vol/a --for 3s
check "everything is there" load_verify a
check "it ends again" poll_until 15 has_condition a suspended_lease
dd if="$(bd a)" of=/dev/null bs=4k count=1 iflag=direct status=none &
reader=$!
check "a reader is held as well" poll_until 10 sh -c \
	"[ \$(swblockctl status -j vol/a | jq '.members[0] | .parked + .inflight') -gt 0 ]"
check "and does not fail" kill -0 "$reader"
check "promoted again it has a lease again" promote a
check_ended "and the reader goes on" $reader 30
check_same "well" 0 "$ended"
finish
