#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""format: what it makes, what it refuses, and that it looks before it writes."""
import os
import shutil
import struct
import subprocess

from taplib import MIB, Sandbox, done, ok, skip

SLOTS = (0, 65536)


def slot(path, n):
    with open(path, "rb") as f:
        f.seek(SLOTS[n])
        return f.read(4096)


def error_of(r):
    return r.json["error"]["code"]


def test_layout(box):
    disk = box.disk("a.img")
    with open(disk, "r+b") as f:        # dirt where zeroes must be
        for at in (MIB + 100, 5 * MIB + 5, 63 * MIB):
            f.seek(at)
            f.write(b"dirt")
    r = box.ctl("format", "--file", disk, "--volume", "db", "--replica", "a",
                "-j")
    ok(r.code == 0, "a blank image is formatted", r)
    j = r.json
    ok(j["size_bytes"] == 58 * MIB and j["wal"]["bytes"] == 4 * MIB and
       j["bitmap_offset"] == 5 * MIB and j["extent_offset"] == 6 * MIB and
       j["wal"]["offset"] == MIB,
       "log and extent are where disk.h says", j)
    gens = [struct.unpack_from("<Q", slot(disk, n), 16)[0] for n in (0, 1)]
    ok(gens == [2, 1] and all(slot(disk, n)[:8] == b"SWBLOCK1" for n in (0, 1)),
       "both slots are written, generation & 1 says where", gens)
    data = open(disk, "rb").read()
    ok(not any(data[MIB:5 * MIB]) and not any(data[6 * MIB:]),
       "ring start and extent read as zeroes")
    pages = [data[at:at + 4096] for at in range(5 * MIB, 6 * MIB, 4096)]
    ok(all(p[:4] == b"SWBB" and not any(p[32:]) for p in pages),
       "all pages of the bitmap, with room to grow, without a bit")
    ok(box.ctl("add", disk).code == 0, "and it can be attached")


def test_like(box):
    a, b = box.disk("a.img"), box.disk("b.img", 128)
    ja = box.ctl("format", "--file", a, "--volume", "db", "--replica", "a",
                 "--block-size", "4096", "-j").json
    jb = box.ctl("format", "--file", b, "--like", a, "--replica", "b", "-j").json
    ok(all(ja[k] == jb[k] for k in ("volume", "volume_label", "size_bytes",
                                    "block_bytes")),
       "--like takes volume, size and block size", (ja, jb))
    ok(ja["replica"] != jb["replica"], "but never the replica's identity")
    c = box.disk("c.img")
    r = box.ctl("format", "--file", c, "--like", a, "--replica", "a", "-j")
    ok(r.code == 2, "nor its label", r)
    small = box.disk("s.img", 32)
    r = box.ctl("format", "--file", small, "--like", a, "--replica", "s", "-j")
    ok(r.code == 1 and error_of(r) == "BAD_DEVICE", "a smaller disk is refused", r)
    r = box.ctl("format", "--file", small, "--like", box.disk("n.img"), "-j")
    ok(r.code == 1 and "case C" in r.json["error"]["message"],
       "so is a pattern without superblock", r)


def test_sizes(box):
    for mib, args, good in ((64, [], True), (4, [], False), (1, [], False),
                            (8, [], True), (4, ["--wal-size", "1M"], True),
                            (64, ["--size", "10M"], True),
                            (64, ["--size", "60M"], False),
                            (64, ["--size", "1000001"], False),
                            (64, ["--wal-size", "1000"], False),
                            (64, ["--wal-size", "64M"], False),
                            (2048, [], True)):
        disk = box.disk("x.img", mib)
        r = box.ctl("format", "--file", disk, *args, "-j")
        ok((r.code == 0) == good, f"{mib} MiB {' '.join(args)}", r)
        if not good:
            ok(not any(slot(disk, 0)) and not any(slot(disk, 1)),
               "and nothing was written")
        os.unlink(disk)
    disk = box.disk("y.img", 2048)
    r = box.ctl("format", "--file", disk, "-j")
    ok(r.json["wal"]["bytes"] == 64 * MIB, "the log is 64 MiB at most by default", r)


def test_separate_wal(box):
    a, w = box.disk("a.img"), box.disk("w.img", 16)
    j = box.ctl("format", "--file", a, "--wal", w, "-j").json
    ok(j["size_bytes"] == 62 * MIB and j["wal"]["bytes"] == 15 * MIB,
       "the log has its own device", j)
    same = slot(a, 0)[24:56] == slot(w, 0)[24:56]
    flags = [struct.unpack_from("<I", slot(p, 0), 88)[0] for p in (a, w)]
    ok(same and flags == [4, 8], "same identities, marked as WAL", flags)
    r = box.ctl("format", "--file", box.disk("b.img"), "--like", w, "-j")
    ok(r.code == 1, "a WAL device is no pattern for --like", r)


def test_refusals(box):
    a = box.disk("a.img")
    box.ctl("format", "--file", a, "--volume", "db", "--replica", "a")
    before = open(a, "rb").read(MIB)
    r = box.ctl("format", "--file", a, "-j")
    ok(r.code == 4 and error_of(r) == "SIGNATURE_FOUND" and
       "db/a" in r.json["error"]["message"], "a member is never overwritten", r)
    with open(a, "r+b") as f:
        f.write(bytes(4096))
    r = box.ctl("format", "--file", a, "-j")
    ok(r.code == 4, "not even with one slot left", r)
    with open(a, "r+b") as f:
        f.write(before[:4096])
        f.seek(500)
        f.write(b"torn")
    ok(box.ctl("format", "--file", a, "-j").code == 4, "nor with a torn slot")
    with open(a, "r+b") as f:
        f.write(before)
    ok(open(a, "rb").read(MIB) == before, "a refusal writes nothing")
    r = box.ctl("format", "--file", a, "--force", "-j")
    ok(r.code == 0 and slot(a, 0) != before[:4096], "--force overwrites", r)
    r = box.ctl("format", a, "-j")
    ok(r.code == 1 and "--file" in r.json["error"]["hint"],
       "an image needs --file", r)
    r = box.ctl("format", box.path("nothing"), "-j")
    ok(r.code == 3, "no such device", r)
    r = box.ctl("format", box.dir, "--file", "-j")
    ok(r.code == 1, "a directory", r)
    r = box.ctl("format", "/dev/null", "-j")
    ok(r.code == 1, "a character device", r)


def test_foreign_signatures(box):
    for tool, args, name in (("mkfs.ext4", ["-q", "-F"], "ext4"),
                             ("mkswap", [], "swap"), ("sfdisk", None, "dos")):
        disk = box.disk("f.img")
        if not shutil.which(tool, path=os.environ["PATH"] + ":/sbin:/usr/sbin"):
            skip(name, f"{tool} is not installed")
            continue
        env = dict(os.environ, PATH=os.environ["PATH"] + ":/sbin:/usr/sbin")
        if args is None:
            subprocess.run([tool, "-q", disk], input="label: dos\n,32M\n",
                           text=True, check=True, env=env, capture_output=True)
        else:
            subprocess.run([tool, *args, disk], check=True, env=env,
                           capture_output=True)
        r = box.ctl("format", "--file", disk, "-j")
        ok(r.code == 4 and name in r.json["error"]["message"],
           f"{name} is found and kept", r)
        os.unlink(disk)


def test_assume_zero(box):
    disk = box.disk("z.img")
    r = box.ctl("format", "--file", disk, "--assume-zero", "-j")
    ok(r.code == 0 and r.json["zeroed"] is False, "--assume-zero is said", r)


for test in (test_layout, test_like, test_sizes, test_separate_wal,
             test_refusals, test_foreign_signatures, test_assume_zero):
    with Sandbox() as fresh:
        test(fresh)
done()
