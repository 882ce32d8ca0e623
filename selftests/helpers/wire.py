# SPDX-License-Identifier: GPL-2.0-only
"""Frames of the wire format, taken apart and spoilt on purpose.

A second reading of docs/design/wire-format.md: nothing is shared with the module.
"""
import os
import struct

MAGIC = 0x57425753
HEADER = struct.Struct("<IIHHIIIQQQQ4QQ")
NAMES = {1: "OPEN", 2: "FACTS", 3: "START", 4: "DATA", 5: "ACK", 6: "PING", 7: "CLOSE"}
TYPES = {v: k for k, v in NAMES.items()}
# offsets in the body of OPEN and FACTS
FACTS = {"volume": 0, "replica": 16, "peer": 32, "store": 48, "store_generation": 64,
         "adopted": 72, "log_end": 80, "last_epoch": 88, "durable": 96, "committed": 104,
         "extent_lo": 112, "extent_hi": 120, "extent_hi_epoch": 128, "base_lsn": 136,
         "bitmap_epoch": 144, "bitmap_lsn": 152, "log_start": 160, "extent_bytes": 168,
         "block_bytes": 176, "flags": 180, "lineage_count": 184, "lineage": 192}


def make_table():
    table = []
    for n in range(256):
        for _ in range(8):
            n = (n >> 1) ^ (0x82f63b78 if n & 1 else 0)
        table.append(n)
    return table


TABLE = make_table()


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc = TABLE[(crc ^ byte) & 0xff] ^ (crc >> 8)
    return crc ^ 0xffffffff


assert crc32c(b"123456789") == 0xe3069283


class Frame:
    """One frame; encode() makes header and body checksums right again."""

    def __init__(self, header, body=b"", payload=b""):
        (self.magic, self.crc, self.type, self.nrec, self.body_bytes, self.payload_bytes,
         self.body_crc, self.session, self.epoch, self.committed, self.flush_lsn,
         *rest) = HEADER.unpack(header)
        self.a = list(rest[:4])
        self.body = bytearray(body)
        self.payload = bytearray(payload)
        self.raw = bytes(header) + bytes(body) + bytes(payload)

    def header(self, crc=0):
        return HEADER.pack(self.magic, crc, self.type, self.nrec, self.body_bytes,
                           self.payload_bytes, self.body_crc, self.session, self.epoch,
                           self.committed, self.flush_lsn, *self.a, 0)

    def encode(self):
        self.body_crc = crc32c(self.body) if self.body else 0
        return self.seal()

    def seal(self):
        """The header's checksum only."""
        return self.header(crc32c(self.header())) + bytes(self.body) + bytes(self.payload)

    def name(self):
        return NAMES.get(self.type, str(self.type))

    def fact(self, name, size=8):
        return int.from_bytes(self.body[FACTS[name]:FACTS[name] + size], "little")

    def set_fact(self, name, value, size=8):
        self.body[FACTS[name]:FACTS[name] + size] = value.to_bytes(size, "little")

    def flip_fact(self, name):
        self.body[FACTS[name]] ^= 0x55


def receive(sock):
    """The next frame, or None at the end of the stream."""
    header = exactly(sock, HEADER.size)
    if header is None:
        return None
    frame = Frame(header)
    body = exactly(sock, frame.body_bytes)
    payload = exactly(sock, frame.payload_bytes)
    if body is None or payload is None:
        return None
    return Frame(header, body, payload)


def exactly(sock, n):
    data = bytearray()
    while len(data) < n:
        try:
            piece = sock.recv(n - len(data))
        except OSError:
            return None
        if not piece:
            return None
        data += piece
    return bytes(data)


def put(frame, what, offset, fmt):
    struct.pack_into(fmt, frame.body, offset, what)


# ---- ways to spoil a frame: each returns the bytes to send instead ------------

def spoil_field(field, change):
    def spoil(f):
        setattr(f, field, change(getattr(f, field)))
        return f.encode()
    return spoil


def spoil_arg(index, change):
    def spoil(f):
        f.a[index] = change(f.a[index])
        return f.encode()
    return spoil


def spoil_fact(name):
    def spoil(f):
        f.flip_fact(name)
        return f.encode()
    return spoil


def set_fact(name, change, size=8):
    def spoil(f):
        f.set_fact(name, change(f.fact(name, size)), size)
        return f.encode()
    return spoil


def spoil_record(fmt, offset, value):
    def spoil(f):
        put(f, value, offset, fmt)
        return f.encode()
    return spoil


def flip_byte(part, position):
    def spoil(f):
        data = bytearray(f.raw)
        data[part(f) + position] ^= 0xff
        return bytes(data)
    return spoil


def wrong_length(field, change):
    """The header lies about a length, with a good checksum."""
    def spoil(f):
        setattr(f, field, change(getattr(f, field)))
        return f.seal()
    return spoil


def up(x):
    return x + 1


def down(x):
    return x - 1


SPOIL = {
    "garbage": lambda f: os.urandom(len(f.raw)),
    "bad-magic": flip_byte(lambda f: 0, 1),
    "bad-header-crc": flip_byte(lambda f: 0, 40),
    "bad-body-crc": flip_byte(lambda f: HEADER.size, 9),
    "bad-payload": flip_byte(lambda f: HEADER.size + f.body_bytes, 100),
    "type-99": spoil_field("type", lambda x: 99),
    "type-ack": spoil_field("type", lambda x: 5),
    "nrec-0": wrong_length("nrec", lambda x: 0),
    "nrec-129": wrong_length("nrec", lambda x: 129),
    "body-longer": wrong_length("body_bytes", lambda x: x + 24),
    "body-huge": wrong_length("body_bytes", lambda x: 0xffffffff),
    "payload-shorter": wrong_length("payload_bytes", lambda x: x - 512),
    "payload-huge": wrong_length("payload_bytes", lambda x: 0xfffffff0),
    "session": spoil_field("session", up),
    "epoch-older": spoil_field("epoch", down),
    "epoch-newer": spoil_field("epoch", up),
    "lsn-gap": spoil_arg(0, up),
    "lsn-again": spoil_arg(0, down),
    "record-epoch-newer": spoil_arg(1, up),
    "record-epoch-older": spoil_arg(1, down),
    "record-epoch-0": spoil_arg(1, lambda x: 0),
    "record-range": spoil_record("<Q", 0, 1 << 40),
    "record-unaligned": spoil_record("<I", 8, 1000),
    "record-type": spoil_record("<B", 16, 7),
    "record-flags": spoil_record("<B", 17, 1),
    "ack-beyond": spoil_arg(0, lambda x: x + 1000),
    "ack-disorder": spoil_arg(2, lambda x: x + 1000),
    "volume": spoil_fact("volume"),
    "replica": spoil_fact("replica"),
    "peer": spoil_fact("peer"),
    "store": spoil_fact("store"),
    "size": set_fact("extent_bytes", lambda x: x + 4096),
    "size-less": set_fact("extent_bytes", lambda x: x - 4096),
    "block-size": set_fact("block_bytes", lambda x: 5632 - x - 1024, 4),
    "adopted-newer": set_fact("adopted", up),
    "lineage-count": set_fact("lineage_count", lambda x: 65, 4),
    "lineage-lsn": set_fact("lineage", lambda x: 1 << 60),
    "log-end": set_fact("log_end", lambda x: (1 << 64) - 1),
    "from": spoil_arg(0, up),
    "truncate-to": spoil_arg(1, up),
}
