#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# explain names facts, case and rejected cases for recovery, certificate and peer.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

pair sync_all
text=$(swblockctl explain vol/a)
check "local recovery has its letter" grep -q 'case H' <<<"$text"
check "the certificate has its letter" grep -q 'case A' <<<"$text"
check "a fresh peer is behind on the same lineage: J, or equal: I" sh -c \
	"swblockctl explain vol/a b | grep -q 'case [IJ]'"
check "what was asked before is listed" grep -q 'not D:' <<<"$text"
check "facts are numbers" grep -Eq 'peer_log_end +[0-9]+' <<<"$text"
need load_write a -n 10
need swblockctl unlink vol/a b
need load_write a -n 10 -b 0
need link_members a b
check "behind: case J" poll_until 10 peer_is a b .case J
poll_until 20 in_sync a b || die "not in sync"
need swblockctl unlink vol/a b
need link_members a b
check "equal: case I" poll_until 10 peer_is a b .case I
check "each letter of the JSON has a sentence" jq -e \
	'[.decisions[] | select(.case) | .text | length > 10] | all' \
	<<<"$(swblockctl explain vol/a -j)"
check_code 3 "an unknown peer" swblockctl explain vol/a zz
finish
