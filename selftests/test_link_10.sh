#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# LINK takes a connected stream socket to another member and nothing else; each refusal
# has its errno and leaves the running link alone.
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"

pair best_effort
session=$(peer a b .session)
python3 - <<'EOP' >"$swb_tmp/odd.out" 2>&1
import errno
import os
import socket
import sys
sys.path.insert(0, os.environ["SWB_TOP"] + "/selftests/helpers")
import swbnl

nl = swbnl.Swblock()
a, uuid_a = nl.member("vol/a")
b, uuid_b = nl.member("vol/b")


def refused(what, code, fd, volume=a, peer=uuid_b):
    try:
        nl.link(volume, peer, fd)
        print("not ok", what, "was taken")
    except swbnl.Refused as e:
        good = str(e) == os.strerror(code)
        print("ok" if good else "not ok", what, "-", e)


tcp = socket.create_server(("127.0.0.1", 0))
refused("closed descriptor", errno.EBADF, 999)
refused("file", errno.ENOTSOCK, os.open("/dev/null", os.O_RDWR))
refused("listener", errno.ENOTCONN, tcp.fileno())
loose = socket.socket()
refused("fresh TCP socket", errno.ENOTCONN, loose.fileno())
fresh = socket.socket(socket.AF_UNIX)
refused("fresh unix socket", errno.ENOTCONN, fresh.fileno())
datagram = socket.socketpair(type=socket.SOCK_DGRAM)
refused("datagram", errno.EPROTOTYPE, datagram[0].fileno())
packets = socket.socketpair(type=socket.SOCK_SEQPACKET)
refused("packets", errno.EPROTOTYPE, packets[0].fileno())
udp = socket.socket(type=socket.SOCK_DGRAM)
udp.connect(("127.0.0.1", 9))
refused("UDP", errno.EPROTOTYPE, udp.fileno())
refused("netlink", errno.EPROTOTYPE, nl.sock.fileno())
one, two = socket.socketpair()
refused("unknown member", errno.ENOENT, one.fileno(), peer=bytes(range(16)))
refused("this member itself", errno.EINVAL, one.fileno(), peer=uuid_a)
refused("unknown volume", errno.ENODEV, one.fileno(), volume=4711)
EOP
check_same "every odd descriptor was judged" 12 "$(grep -c ok "$swb_tmp/odd.out")"
grep -q '^not ok\|Trace' "$swb_tmp/odd.out" && quoted "$(cat "$swb_tmp/odd.out")"
check_not "and refused with its errno" grep '^not ok\|Trace' "$swb_tmp/odd.out"
check_same "the link is the one it was" "$session" "$(peer a b .session)"
check "and in sync" in_sync a b

python3 - <<'EOP' >"$swb_tmp/odd.out" 2>&1
import os
import socket
import sys
sys.path.insert(0, os.environ["SWB_TOP"] + "/selftests/helpers")
import swbnl

nl = swbnl.Swblock()
a, uuid_a = nl.member("vol/a")
b, uuid_b = nl.member("vol/b")
one, two = socket.socketpair()
nl.link(a, uuid_b, one.fileno())
try:
    nl.link(b, uuid_a, one.fileno())
    print("taken twice")
except swbnl.Refused as e:
    print(e)
# descriptors in the stream: dropped, and no word of the kernel about it
try:
    socket.send_fds(two, [b"x"], [0, 1, 2])
except OSError:
    pass
EOP
check_same "one socket serves one link" "$(python3 -c 'import errno, os
print(os.strerror(errno.EBUSY))')" "$(cat "$swb_tmp/odd.out")"
check "level afterwards" level a b
finish
