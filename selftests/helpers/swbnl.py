# SPDX-License-Identifier: GPL-2.0-only
"""Plain generic netlink to swblock, for tests that must hand in odd sockets.

Numbers come from the uapi header, so nothing here has to follow it.
"""
import os
import re
import socket
import struct

TOP = os.environ.get("SWB_TOP") or os.path.dirname(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NETLINK_GENERIC = 16
GENL_ID_CTRL = 16
CTRL_GETFAMILY = 3
REQUEST, ACK, DUMP = 1, 4, 0x300
NLMSG_ERROR, NLMSG_DONE = 2, 3


def read_enums():
    """name -> number of every constant of the uapi header's enums."""
    path = os.path.join(TOP, "kmod/uapi/linux/swblock.h")
    with open(path, encoding="ascii") as f:
        text = re.sub(r"/\*.*?\*/", "", f.read(), flags=re.S)
    found = {}
    for body in re.findall(r"enum\s+\w+\s*\{(.*?)\}", text, flags=re.S):
        value = -1
        for item in filter(None, (i.strip() for i in body.split(","))):
            name, _, number = (s.strip() for s in item.partition("="))
            value = int(number, 0) if number else value + 1
            found[name] = value
    return found


K = read_enums()
REASONS = {v: k[len("SWBLOCK_REASON_"):].lower() for k, v in K.items()
           if k.startswith("SWBLOCK_REASON_")}


def attr(kind, data):
    body = struct.pack("=HH", 4 + len(data), kind) + data
    return body + b"\0" * (-len(body) % 4)


def u32(name, value):
    return attr(K["SWBLOCK_A_" + name], struct.pack("=I", value))


def u64(name, value):
    return attr(K["SWBLOCK_A_" + name], struct.pack("=Q", value))


def raw(name, data):
    return attr(K["SWBLOCK_A_" + name], data)


def attrs(data):
    """(kind, bytes) of each attribute in @data."""
    pos = 0
    while pos + 4 <= len(data):
        length, kind = struct.unpack_from("=HH", data, pos)
        if length < 4:
            return
        yield kind & 0x3fff, data[pos + 4:pos + length]
        pos += (length + 3) & ~3


class Refused(Exception):
    pass


class Swblock:
    """The family; its requests wait for their answer."""

    def __init__(self):
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_GENERIC)
        self.sock.bind((0, 0))
        self.seq = 0
        self.family = GENL_ID_CTRL
        for reply in self.request(CTRL_GETFAMILY, attr(2, b"swblock\0")):
            self.family = struct.unpack("=H", dict(attrs(reply))[1])[0]

    def request(self, cmd, payload, flags=ACK):
        self.seq += 1
        body = struct.pack("=BBH", cmd, 1, 0) + payload
        self.sock.send(struct.pack("=IHHII", 16 + len(body), self.family,
                                   REQUEST | flags, self.seq, 0) + body)
        replies = []
        while True:
            data = self.sock.recv(1 << 18)
            while len(data) >= 16:
                length, kind = struct.unpack_from("=IH", data)
                if kind == NLMSG_DONE:
                    return replies
                if kind == NLMSG_ERROR:
                    err = -struct.unpack_from("=i", data, 16)[0]
                    if err:
                        raise Refused(os.strerror(err))
                    return replies
                replies.append(data[20:length])
                data = data[(length + 3) & ~3:]

    def order(self, cmd, *pieces):
        return self.request(K["SWBLOCK_CMD_" + cmd], b"".join(pieces))

    def member(self, name):
        """(id, replica uuid) of an attached member VOLUME/REPLICA."""
        volume, _, replica = name.partition("/")
        for reply in self.request(K["SWBLOCK_CMD_VOLUME_GET"], b"", DUMP):
            a = dict(attrs(reply))
            if (a.get(K["SWBLOCK_A_VOLUME_LABEL"], b"").rstrip(b"\0").decode() == volume and
                    a.get(K["SWBLOCK_A_REPLICA_LABEL"], b"").rstrip(b"\0").decode() == replica):
                return (struct.unpack("=I", a[K["SWBLOCK_A_VOLUME_ID"]])[0],
                        a[K["SWBLOCK_A_REPLICA_UUID"]])
        raise Refused("no member " + name)

    def link(self, volume_id, peer_uuid, fd, cookie=1):
        self.order("LINK", u32("VOLUME_ID", volume_id), raw("PEER_UUID", peer_uuid),
                   u32("FD", fd), u64("COOKIE", cookie))
