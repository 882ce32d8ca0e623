#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Another link deadline holds for links that are up: a line that stands still for longer than
# the old one, in the middle of sending, is not given up.
# timeout: 120
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"

# more than sockets and proxy take
flood()
{
	dd if=/dev/urandom of="$(bd a)" bs=1M count=24 oflag=direct status=none
}

wal_size=32M two best_effort --policy local
need swblockctl tune vol/a --link-deadline 2s
need swblockctl tune vol/b --link-deadline 2s
proxy_start
poll_until 20 in_sync a b || die "not in sync"
session=$(peer a b .session)
need swblockctl tune vol/a --link-deadline 60s
need swblockctl tune vol/b --link-deadline 60s
kill -STOP "$proxy_pid"
check "writes go on" flood
sleep 7
check_same "the line is still up" "$session" "$(peer a b .session)"
kill -CONT "$proxy_pid"
check "in sync by the same session" poll_until 30 in_sync a b
check_same "it is the same" "$session" "$(peer a b .session)"
stop_proxy
finish
