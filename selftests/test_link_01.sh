#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A peer that sends garbage, half a header or nothing, or hangs up, costs only its
# link: on the primary and on the replica, and the next link is as good as ever.
# timeout: 240
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"

two best_effort
need swblockctl tune vol/a --link-deadline 3s
need swblockctl tune vol/b --link-deadline 3s
need load_write a -n 30

# tormented MEMBER PEER KIND WHAT-ENDS-IT
tormented()
{
	fake_peer "$1" "$2" "$3"
	check "$1 ends the link of a peer that is $3" \
		poll_until 20 grep -q "^$1 END" "$swb_tmp/fake.out"
	check "and is detached" poll_until 10 detached "$1" "$2"
	check_same "$1, $3: for this reason" "$4" "$(peer "$1" "$2" .reason)"
	wait "$fake_pid"
}

for m in "a b" "b a"; do
	read -r me other <<<"$m"
	tormented "$me" "$other" garbage bad_magic
	tormented "$me" "$other" noise bad_magic
	tormented "$me" "$other" half timeout
	tormented "$me" "$other" silent timeout
	tormented "$me" "$other" close peer_closed
done
check "the primary still writes" load_write a -n 10 -l 2 -f 31
check "a good link works at once" level a b
check "data is untouched" load_verify a
finish
