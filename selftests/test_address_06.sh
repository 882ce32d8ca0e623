#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 400
# Without a key a daemon listens on loopback only: another address is refused with the line
# of the file, and the one that runs cannot be reached over another address of its host.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/cluster.sh"

require_tool socat ip
nodes=(a) mode=best_effort
ip link add swbd0 type dummy 2>/dev/null || skip "no dummy interfaces here"
defer ip link del swbd0
must ip addr add 10.9.8.7/24 dev swbd0
must ip link set swbd0 up
load_module
mkdir -p "$swb_tmp/run"
for address in 0.0.0.0:7790 10.9.8.7:7790 '[::]:7790'; do
	listen_at[a]="'$address'"
	write_config a
	check_code 2 "$address is refused" timeout 30 swblockd -c "$swb_tmp/a.yaml"
	check "$address: what to do is said" sh -c \
		"swblockd -c $swb_tmp/a.yaml 2>&1 | grep -q 'a.yaml:1:1: .*no links.key_file'"
done
unset 'listen_at[a]'
place a
wipe_disk "${lower[a]}"
wish a
start_daemon a
await 60 "on loopback it serves" some_primary
check "and says that it is loopback" grep -q 'this host only: there is no key' "$swb_tmp/a.log" || show_logs
check "its port is there" socat -u /dev/null "TCP:127.0.0.1:$(port a),connect-timeout=5"
check_not "but not over another address of the host" \
	socat -u /dev/null "TCP:10.9.8.7:$(port a),connect-timeout=5"
finish
