#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# sync_all: after the primary's loss the other required member goes on without it.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"

pair sync_all
need load_write a -n 100 -b 5
need remove_member a --force
text=$(promote b --required b 2>&1)
check_same "b is promoted by its own report" 0 $?
check "the operator is told that a might still be read from" grep -q 'old data' <<<"$text" ||
	quoted "$text"
check "everything acknowledged is there" \
	swbload verify "$(bd b)" -H "$swb_tmp/history" -a "$swb_tmp/acks"
check "barriers need b alone now" swbload write "$(bd b)" -l 2 -f 101 -n 20 -b 5
finish
