#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# sync_all: after the primary's loss the other required member goes on without it.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

pair sync_all
need load_write a -n 100 -b 5
need remove_member a --force
text=$(promote b -j 2>&1)
check_same "a might still be read from: refused" 4 $?
check "case N says so" grep -q 'case N' <<<"$text"
check "b is promoted when the operator says that a is gone" \
	promote b --primary-gone --required b
check "everything acknowledged is there" \
	swbload verify "$(bd b)" -H "$swb_tmp/history" -a "$swb_tmp/acks"
check "barriers need b alone now" swbload write "$(bd b)" -l 2 -f 101 -n 20 -b 5
finish
