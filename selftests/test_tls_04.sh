#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# On an encrypted link an alert, a key update and a record that is no frame each end the
# link and nothing else; a recording of a link's beginning, played again, is refused.
# timeout: 400
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/tls.sh"

require_tool python3
require_ktls
wire
make_key "$swb_tmp/key"
two best_effort
need load_write a -n 20 -b 4
tls_addr=127.0.0.1:7800

# a's end is held by a program that then sends KIND in it
misbehaving()
{
	local kind=$1 reason=$2 deaf

	swblockctl link vol/b a --listen "$tls_addr" --no-wait --key "$swb_tmp/key" \
		>"$swb_tmp/listen.out" 2>&1 &
	listener=$!
	rm -f "$swb_tmp/order"
	mkfifo "$swb_tmp/order"
	"$SWB_TOP/ctl/build/guest_misfit" vol/a b "$tls_addr" "$swb_tmp/key" "$kind" \
		<"$swb_tmp/order" >"$swb_tmp/record.out" 2>&1 &
	deaf=$!
	exec 8>"$swb_tmp/order"
	check "$kind: linked" poll_until 10 grep -q linked "$swb_tmp/record.out"
	wait "$listener"
	check "$kind: in sync" poll_until 20 in_sync a b
	echo now >&8
	exec 8>&-
	wait "$deaf"
	check_same "$kind: it is sent" 0 $? || quoted "$(cat "$swb_tmp/record.out")"
	check "$kind: b ends the link" poll_until 10 detached b a
	check "$kind: so does a" poll_until 10 detached a b
	check_same "$kind: for this reason" "$reason" "$(peer b a .reason)"
	check "$kind: the volume goes on" load_write a -l "$life" -f "$first" -n 5 -b 4
	life=$((life + 1)) first=$((first + 5))
	check "$kind: a good link at once" level a b
}

life=2 first=21
for row in "alert socket_error" "keyupdate socket_error" "data bad_magic"; do
	read -r kind reason <<<"$row"
	misbehaving "$kind" "$reason"
done

# what a said, from its first byte on, said again to another listener of b
cat >"$swb_tmp/tape.py" <<'EOP'
import select, socket, sys
at, to, mode = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
if mode == "record":
    door = socket.create_server(("127.0.0.1", at))
    print("ready", flush=True)
    near, _ = door.accept()
    far = socket.create_connection(("127.0.0.1", to))
    tape = open(sys.argv[4], "wb", buffering=0)
    while True:
        for s in select.select([near, far], [], [])[0]:
            data = s.recv(65536)
            if not data:
                sys.exit()
            if s is near:
                tape.write(data)
            (far if s is near else near).sendall(data)
far = socket.create_connection(("127.0.0.1", to))
try:
    far.sendall(open(sys.argv[4], "rb").read())
    far.settimeout(10)
    while far.recv(65536):
        pass
except OSError:
    pass
EOP
swblockctl link vol/b a --listen 127.0.0.1:7801 --no-wait --key "$swb_tmp/key" \
	>"$swb_tmp/listen.out" 2>&1 &
listener=$!
python3 "$swb_tmp/tape.py" 7802 7801 record "$swb_tmp/tape" >"$swb_tmp/tape.out" 2>&1 &
tape=$!
poll_until 10 grep -q ready "$swb_tmp/tape.out" || die "no recorder"
check "a link through a recorder" \
	swblockctl link vol/a b --connect 127.0.0.1:7802 --key "$swb_tmp/key" --sync
wait "$listener"
need load_write a -l "$life" -f "$first" -n 5 -b 0
check_not "the recording has no frame in clear" grep -aq SWBW "$swb_tmp/tape"
check "but a handshake and more" test "$(stat -c %s "$swb_tmp/tape")" -gt 1000
session=$(session_of a)
swblockctl link vol/b a --listen 127.0.0.1:7803 --no-wait --key "$swb_tmp/key" \
	>"$swb_tmp/listen.out" 2>&1 &
listener=$!
poll_until 10 grep -q waiting "$swb_tmp/listen.out"
python3 "$swb_tmp/tape.py" 0 7803 play "$swb_tmp/tape"
wait "$listener"
check_same "played again it is refused" 1 $?
check "as a replay" grep -q '(altered)' "$swb_tmp/listen.out"
quoted "$(cat "$swb_tmp/listen.out")"
check_same "the link is the one it was" "$session" "$(session_of a)"
check "and in sync" in_sync a b
kill "$tape"
check "level" level a b
check "data is whole" load_verify a
finish
