#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""record: the newest steps as text, JSON and file. The kernel is a file."""
import os

from taplib import Sandbox, done, ok


def test_text(box):
    r = box.ctl("record", "db/a")
    lines = r.out.splitlines()
    ok(r.code == 0 and len(lines) == 3, "a line a step", r)
    ok(lines[0].startswith("0 12.000345 adopt_ordered epoch 7 -> ") and
       "save_super" in lines[0] and "| epoch 7" in lines[0],
       "number, time, fact, orders, and what became of it", lines[0])
    ok(lines[1].startswith("1 12.001345 super_saved -> notify_report a 3"),
       "an order with its number", lines[1])
    r = box.ctl("record", "a", "-n", "1")
    ok(r.out.splitlines() == lines[2:], "-n: the newest", r)
    return lines


def test_json(box, lines):
    r = box.ctl("record", "a", "-j")
    steps = r.json["steps"]
    ok([s["text"] for s in steps] == lines, "-j: the same lines", r)
    ok(steps[0]["event"] == "adopt_ordered" and steps[0]["peer"] is None and
       steps[1]["orders"][0] == "notify_report a 3" and steps[2]["number"] == 2,
       "and their parts", steps)


def test_file(box, lines):
    r = box.ctl("record", "a", "-o", "a.swbrec")
    ok(r.code == 0 and not r.out, "-o writes a file, and nothing else", r)
    r = box.ctl("record", "--read", "a.swbrec")
    ok(r.out.splitlines() == lines, "--read prints it, without a kernel", r)
    data = open(box.path("a.swbrec"), "rb").read()
    with open(box.path("bad"), "wb") as f:
        f.write(data[:-1] + bytes([data[-1] ^ 1]))
    r = box.ctl("record", "--read", "bad")
    ok(r.code != 0 and "checksum" in r.err, "a spoilt file is refused", r)
    with open(box.path("bad"), "wb") as f:
        f.write(data[:-8])
    r = box.ctl("record", "--read", "bad")
    ok(r.code != 0 and "bytes are missing" in r.err, "one cut short, too", r)
    r = box.ctl("record", "--read", "authority.db")
    ok(r.code != 0 and "no flight record" in r.err, "and something else", r)
    r = box.ctl("record", "--read", "x")
    ok(r.code != 0 and "x: No such file" in r.err, "a file that is not there", r)


def test_all(box):
    os.mkdir(box.path("all"))
    r = box.ctl("record", "--all", "all")
    files = sorted(os.listdir(box.path("all")))
    ok(r.code == 0 and len(files) == 2 and
       r.out.splitlines() == [f"all/{f}" for f in files], "--all: each member", r)
    r = box.ctl("record", "--all", "nowhere")
    ok(r.code != 0 and "nowhere/" in r.err, "a directory that is not there", r)
    r = box.ctl("record", "x")
    ok(r.code == 3, "a member that does not exist", r)


with Sandbox() as fresh:
    fresh.pair()
    said = test_text(fresh)
    test_json(fresh, said)
    test_file(fresh, said)
    test_all(fresh)
done()
