#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# New keys under load: the session goes over to another socket again and again, encrypted
# each time, while fio writes and verifies; it stays the same session, not one write fails,
# and the sockets before are given back.
# timeout: 400
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/tls.sh"

require_tool fio jq
require_ktls
wire
make_key "$swb_tmp/key"
two sync_all --policy written
check "linked over TLS" tls_link
check "in sync" poll_until 20 in_sync a b

# load FILE SECONDS: in the background; $bg
load()
{
	fio --name=load --filename="$(bd a)" --size=16M --rw=randwrite --bs=4k --iodepth=4 \
		--ioengine=libaio --direct=1 --time_based --runtime="$2" --fsync=32 \
		--verify=crc32c --verify_fatal=1 --do_verify=1 \
		--output-format=json --output="$1" >"$swb_tmp/fio.err" 2>&1 &
	bg=$!
}

# longest wait of a write, in milliseconds
longest()
{
	sed -n '/^{/,$p' "$1" | jq '[.jobs[0].write.clat_ns.max, .jobs[0].sync.lat_ns.max] | max / 1000000 | floor'
}

# sockets_of NAMESPACE: the ports that a's end of each has
sockets_of()
{
	ip netns exec "$1" ss -Htn state established | awk -v p=":${tls_addr##*:}\$" \
		'$3 ~ p { print $3 ">" $4 } $4 ~ p { print $3 ">" $4 }'
}

one_socket()
{
	[ "$(sockets_of swba | wc -l)" = 1 ] && [ "$(sockets_of swbb | wc -l)" = 1 ]
}

check "one socket" one_socket
session=$(session_of a)
first=$(sockets_of swba)
load "$swb_tmp/calm.json" 8
wait "$bg"
check_same "fio without a new link" 0 $?
# an emulated guest takes seconds for a handshake
load "$swb_tmp/new.json" "$([ "$SWB_KERNEL" = uml ] && echo 12 || echo 30)"
rounds=0
while kill -0 "$bg" 2>/dev/null && [ "$rounds" -lt 8 ]; do
	tls_link >"$swb_tmp/round.out" 2>&1 || { fail "link $rounds"; quoted "$(cat "$swb_tmp/round.out")"; }
	rounds=$((rounds + 1))
	sleep 0.5
done
wait "$bg"
check_same "fio ends well and reads back what it wrote" 0 $?
quoted "$(tail -n 3 "$swb_tmp/fio.err")"
note "longest wait $(longest "$swb_tmp/calm.json") ms without, $(longest "$swb_tmp/new.json") ms with $rounds new links"
check "there were new links" test "$rounds" -ge 3
check_same "all in the session of the first" "$session" "$(session_of a)"
check "the sockets before are given back" poll_until 20 one_socket
check "and the last one is not the first" test "$(sockets_of swba)" != "$first"
check_same "no write failed" 0 "$(sed -n '/^{/,$p' "$swb_tmp/new.json" | jq '.jobs[0].error')"
check "nobody waited for ten seconds" test "$(longest "$swb_tmp/new.json")" -lt 10000
check "it is still encrypted" sh -c "ip netns exec swbb ss -tnie | grep -q tcp-ulp-tls"
check "in sync" poll_until 20 in_sync a b
sum=$(digest a)
need swblockctl demote vol/a
check "the other is promoted" promote b
check_same "and is the same" "$sum" "$(digest b)"
finish
