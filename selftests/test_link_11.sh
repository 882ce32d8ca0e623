#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Removing a member, or the module's last one, with a live link under load: nobody
# hangs, the other end knows why, nothing is left behind.
# timeout: 240
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"

sockets()
{
	awk '$1 == "sockets:" { print $3 }' /proc/net/sockstat
}

few_sockets()
{
	[ "$(sockets)" -le "$before" ]
}

before=$(sockets)
wal_size=192M pair best_effort
load_background a -n 100000 -b 8
sleep 1
check "the replica is removed under load" timeout 20 swblockctl remove vol/b
check "the primary is detached" poll_until 10 detached a b
check_same "and knows why" removed "$(peer a b .reason)"
check_waits "the writer goes on" "$bg" 1
need add_member b
check "it comes back" level a b
check "the primary is removed by force under load" \
	timeout 30 swblockctl remove vol/a --force
check_ended "the writer ends" "$bg" 20
check "the replica is detached" poll_until 10 detached b a
check_same "and knows why" removed "$(peer b a .reason)"
check "the replica is removed" swblockctl remove vol/b
check "the module can go" unload_module

members=()
rm -f "$SWBLOCK_STORE"
pair best_effort
proxy_start
poll_until 15 in_sync a b
check "a member is removed while its peer stalls" timeout 20 swblockctl remove vol/b --force
check "so is the other" timeout 20 swblockctl remove vol/a --force
stop_proxy
check "the module can go again" unload_module
check "no socket is left" poll_until 10 few_sockets
finish
