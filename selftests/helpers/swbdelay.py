#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A slow line: swbdelay.py LISTEN-PORT TO-PORT MS, both on loopback.

Whatever comes back from TO-PORT arrives MS later; nothing is lost, and as much
is on the way as there may be. Says "ready" when it listens.
"""
import collections
import selectors
import socket
import sys
import time

BYTES = 1 << 16


class Way:
    """One direction of one connection: what is under way, and until when."""

    def __init__(self, out, delay):
        self.out, self.delay = out, delay
        self.queue = collections.deque()

    def put(self, data):
        self.queue.append((time.monotonic() + self.delay, data))

    def due(self):
        """Send what is due. False: nobody takes it any more."""
        now = time.monotonic()
        while self.queue and self.queue[0][0] <= now:
            when, data = self.queue.popleft()
            try:
                sent = self.out.send(data)
            except BlockingIOError:
                sent = 0
            except OSError:
                return False
            if sent < len(data):
                self.queue.appendleft((when, data[sent:]))
                break
        return True


def main():
    listen, to, delay = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]) / 1000
    sel = selectors.DefaultSelector()
    srv = socket.create_server(("127.0.0.1", listen))
    sel.register(srv, selectors.EVENT_READ)
    other, way = {}, {}

    def close(s):
        for one in (s, other.get(s)):
            if one in way:
                sel.unregister(one)
                way.pop(one)
                other.pop(one)
                one.close()

    print("ready", flush=True)
    while True:
        for key, _ in sel.select(0.02 if way else None):
            s = key.fileobj
            if s is srv:
                near, _ = srv.accept()
                try:
                    far = socket.create_connection(("127.0.0.1", to), 5)
                except OSError:
                    near.close()
                    continue
                other[near], other[far] = far, near
                way[near], way[far] = Way(far, 0), Way(near, delay)
                for one in (near, far):
                    one.setblocking(False)
                    sel.register(one, selectors.EVENT_READ)
            elif s in way:
                try:
                    data = s.recv(BYTES)
                except BlockingIOError:
                    continue
                except OSError:
                    data = b""
                if data:
                    way[s].put(data)
                else:
                    close(s)
        for s in list(way):
            if s in way and not way[s].due():
                close(s)


main()
