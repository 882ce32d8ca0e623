#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A member that sync_all requires is not rebuilt: the order is refused with a sentence that
# says what to do, and doing that works.
# timeout: 400
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/rebuild.sh"

wal_size=2M pair sync_all
text=$(swblockctl rebuild vol/a b 2>&1)
check_same "refused" 1 $?
check "the sentence says why and what to do" grep -q 'sync_all requires.*assign' <<<"$text"
text=$(swblockctl rebuild vol/b a 2>&1)
check_same "a replica copies to nobody" 1 $?
check "and says so" grep -q 'not primary' <<<"$text"
check "not required any more" swblockctl assign vol --members a,b --mode sync_all --required a
need promote a
write_more 30
away
check "now the order is taken" copy_to a b
check "in sync" poll_until 60 in_sync a b
check "required again" swblockctl assign vol --members a,b --mode sync_all --required a,b
need promote a
need link_members a b
check "in sync as a required one" poll_until 30 in_sync a b
write_more 20
check_equal a b "both disks are equal"
check_clean a b
finish
