#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 240
# A declared disk that is not blank is left alone and the reason is shown; one that
# may be overwritten is taken.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/cluster.sh"

require_tool mkfs.ext4
waits_for()
{
	doc "state/$(replica a)" | jq -r .waits | grep -q "$1"
}

load_module
mkdir -p "$swb_tmp/run"
mode=best_effort
place a
wipe_disk "${lower[a]}"
need mkfs.ext4 -q -F "${lower[a]}" 64M
before=$(dd if="${lower[a]}" bs=1M count=8 status=none | md5sum)
wish a
start_daemon a
check "the daemon refuses" poll_until 40 grep -q 'holds.*ext4' "$swb_tmp/a.log"
check "the state says why" poll_until 20 waits_for ext4
check_same "the file system is untouched" "$before" \
	"$(dd if="${lower[a]}" bs=1M count=8 status=none | md5sum)"
format_force=true
wish a
await 60 "the volume comes up" some_primary
check "and is used" load_write "$primary" -n 10
finish
