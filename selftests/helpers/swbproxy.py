#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Stands between two members of this kernel and spoils what they say.

  swbproxy.py VOL/A VOL/B [--tcp] [--for SECONDS] [RULE...]
  swbproxy.py VOL/A VOL/B --fake garbage|silent|close|half|noise

RULE is SENDER:TYPE:N=ACTION: the Nth frame (from 1; * is each) of TYPE (or ANY)
that the member SENDER sends. ACTION is one of
  drop           it does not arrive          dup     it arrives twice
  cut            the line breaks before it   cut-after    ... behind it
  half           only its first half arrives, then the line breaks
  half-stall     only its first half arrives, then silence, line open
  stall          from here on silence in both directions, line open
  swap           it arrives behind the next one
  late           it, and what comes behind it, arrives 0.3 s later
or a name of wire.SPOIL. With --fake there is no B on the other side, but only
noise. One line is printed per frame: SENDER TYPE, its numbers; the reason is
spelt out for CLOSE. Ends when both lines are down.
"""
import argparse
import os
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import swbnl  # noqa: E402
import wire  # noqa: E402

LATE_S = 0.3


def connected(tcp):
    if not tcp:
        return socket.socketpair()
    listener = socket.create_server(("127.0.0.1", 0))
    one = socket.create_connection(listener.getsockname())
    two, _ = listener.accept()
    listener.close()
    return one, two


def say(*words):
    print(*words, flush=True)


class Proxy:
    def __init__(self, rules):
        self.rules = [self.parse(r) for r in rules]
        self.silent = threading.Event()
        self.down = threading.Event()
        self.socks = {}
        self.counts = {}

    @staticmethod
    def parse(rule):
        where, _, action = rule.partition("=")
        sender, kind, number = where.split(":")
        if action not in wire.SPOIL and action not in (
                "drop", "dup", "cut", "cut-after", "half", "half-stall", "stall", "swap", "late"):
            sys.exit("swbproxy: no action " + action)
        return sender, kind, None if number == "*" else int(number), action

    def action_for(self, sender, frame):
        for kind in (frame.name(), "ANY"):
            key = (sender, kind)
            self.counts[key] = self.counts.get(key, 0) + 1
        for who, kind, number, action in self.rules:
            if who == sender and kind in (frame.name(), "ANY") and \
                    number in (None, self.counts[(sender, kind)]):
                return action
        return None

    def break_line(self):
        self.down.set()
        for s in self.socks.values():
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def relay(self, sender, source, target):
        held = b""
        while True:
            frame = wire.receive(source)
            if frame is None:
                break
            self.tell(sender, frame)
            action = self.action_for(sender, frame)
            if action:
                say("#", sender, frame.name(), "->", action)
            data = self.apply(action, frame, target)
            if action == "swap":
                held = frame.raw
                continue
            if self.silent.is_set() or not data:
                continue
            try:
                target.sendall(data + held)
            except OSError:
                pass	# keep reading: a CLOSE may still come
            held = b""
            if action == "cut-after":
                self.break_line()
        if not self.silent.is_set():
            try:
                target.shutdown(socket.SHUT_WR)
            except OSError:
                pass
        say(sender, "END")

    def apply(self, action, frame, target):
        if action == "late":
            time.sleep(LATE_S)
        if action in (None, "cut-after", "late"):
            return frame.raw
        if action in wire.SPOIL:
            return wire.SPOIL[action](frame)
        if action == "dup":
            return frame.raw * 2
        if action in ("half", "half-stall"):
            try:
                target.sendall(frame.raw[:len(frame.raw) // 2])
            except OSError:
                pass
        if action in ("half-stall", "stall"):
            self.silent.set()
        if action in ("half", "cut"):
            self.break_line()
        return b""

    @staticmethod
    def tell(sender, f):
        words = [sender, f.name(), "session=%d" % f.session, "epoch=%d" % f.epoch]
        if f.type == wire.TYPES["CLOSE"]:
            words.append("reason=" + swbnl.REASONS.get(f.a[0], str(f.a[0])))
        elif f.type == wire.TYPES["DATA"]:
            words += ["lsn=%d" % f.a[0], "nrec=%d" % f.nrec, "bytes=%d" % f.payload_bytes]
        elif f.type == wire.TYPES["START"]:
            words += ["from=%d" % f.a[0], "cut=%d" % f.a[1], "target=%d" % f.a[2]]
        elif f.type == wire.TYPES["ACK"]:
            words += ["received=%d" % f.a[0], "written=%d" % f.a[1], "durable=%d" % f.a[2]]
        if f.flush_lsn:
            words.append("flush=%d" % f.flush_lsn)
        say(*words)

    def run(self, nl, one, two, tcp):
        threads = []
        ends = {}
        for me, peer in ((one, two), (two, one)):
            ours, kernels = connected(tcp)
            nl.link(me[0], peer[1], kernels.fileno())
            kernels.close()
            self.socks[me[2]] = ends[me[2]] = ours
        for me, peer in ((one, two), (two, one)):
            threads.append(threading.Thread(
                target=self.relay, args=(me[2], ends[me[2]], ends[peer[2]]), daemon=True))
        say("ready")
        for t in threads:
            t.start()
        return threads


def noise(sock, kind):
    """Be a peer that is none."""
    fake = os.urandom(4096)
    good = wire.HEADER.pack(wire.MAGIC, 0, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0)
    try:
        if kind == "garbage":
            sock.sendall(fake)
        elif kind == "noise":
            for _ in range(200):
                sock.sendall(fake)
        elif kind == "half":
            sock.sendall(good[:50])
    except OSError:
        pass
    if kind == "close":
        # half of it: what is unread at a close makes a reset of it
        sock.shutdown(socket.SHUT_WR)


def fake(nl, one, two, kind, tcp):
    ours, kernels = connected(tcp)
    nl.link(one[0], two[1], kernels.fileno())
    kernels.close()
    say("ready")
    noise(ours, kind)
    while True:
        frame = wire.receive(ours)
        if frame is None:
            break
        Proxy.tell(one[2], frame)
    say(one[2], "END")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("one")
    p.add_argument("two")
    p.add_argument("rules", nargs="*")
    p.add_argument("--tcp", action="store_true")
    p.add_argument("--for", dest="seconds", type=float, default=60)
    p.add_argument("--fake", choices=("garbage", "silent", "close", "half", "noise"))
    args = p.parse_args()
    nl = swbnl.Swblock()
    one, two = (nl.member(n) + (n.partition("/")[2],) for n in (args.one, args.two))
    if args.fake:
        fake(nl, one, two, args.fake, args.tcp)
        return
    proxy = Proxy(args.rules)
    end = time.monotonic() + args.seconds
    for t in proxy.run(nl, one, two, args.tcp):
        t.join(max(0.0, end - time.monotonic()))
    say("over")


if __name__ == "__main__":
    main()
