#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Promotion needs a majority of the members: refused with case H without it, the member
# that holds less is refused with case G, the better one is accepted.
# timeout: 150
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/quorum.sh"

quorum 3
need load_write a -n 40 -b 4
need swblockctl unlink vol/a c
need load_write a -l 2 -f 41 -n 40 -b 4
need remove_member a --force
need remove_member b
text=$(promote c -j 2>&1)
check_same "one of three is refused" 4 $?
check "as case H" grep -q 'case H' <<<"$text"
check "the text names who is missing" grep -q 'a, b\|b, a' <<<"$text"
need add_member b
text=$(promote c -j 2>&1)
check_same "the lesser of two is refused" 4 $?
check "as case G" grep -q 'case G' <<<"$text"
check_not "nothing became writable" test "$(st c .role)" = primary
check "the better one is promoted" promote b
must link_members b c
check "the lesser one catches up" poll_until 20 in_sync b c
check "nothing that was acknowledged is lost" load_verify b
finish
