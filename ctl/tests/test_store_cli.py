#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""swblockctl with either store: the same volume, the same swaps, the same words."""
import os
import shutil
import socket
import subprocess
import sys
import time

from taplib import OUT, Sandbox, done, ok


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def life_of_a_record(box, name):
    """Described, granted, settled; looked at."""
    box.pair()
    r = box.ctl("promote", "a")
    ok(r.code == 0, f"{name}: a member is promoted", r)
    rec = box.record()
    ok(rec["phase"] in ("granted", "settled") and rec["epoch"] == 1,
       f"{name}: the record says so", rec)
    actions = [h["action"] for h in box.history()]
    ok(actions[-1] == "assign" and "win" in actions and "grant" in actions,
       f"{name}: and so does its history", actions)
    r = box.ctl("assign", "other", "--members", "a,b", "--mode", "sync_all", "-j")
    ok(r.code == 3, f"{name}: a volume that is not there", r)
    r = box.ctl("store", "check", "--write", "-j")
    ok(r.code == 0 and r.json["backend"] == name and r.json["reads"]["count"] == 15
       and r.json["writes"]["median_us"] > 0, f"{name}: checked", r)
    r = box.ctl("store", "check")
    ok(r.code == 0 and "generation 1" in r.out and "reads" in r.out,
       f"{name}: checked, for people", r)
    r = box.ctl("store", "dump", "-j")
    keys = [d["key"][0] for d in r.json["documents"]]
    ok(r.code == 0 and keys == sorted(keys) and {"g", "h", "l", "v"} <= set(keys),
       f"{name}: dumped", r)
    r = box.ctl("store", "dump", "l/")
    ok(r.code == 0 and r.out.split() == ["l/db", rec["volume"]],
       f"{name}: a part of it", r)
    r = box.ctl("authority", "--new-generation", "--reason", "test", "--yes", "-j")
    ok(r.code == 0 and r.json["store_generation"] == 2, f"{name}: a new generation", r)
    r = box.ctl("authority", "db", "--retire")
    ok(r.code == 0 and box.ctl("authority", "db").code == 3 and
       len(box.ctl("store", "dump", "l/").out.split()) == 2,
       f"{name}: a label is given free", r)


def out_of_reach(box):
    port = free_port()
    for args in (["authority"], ["store", "check"], ["store", "dump"]):
        start = time.monotonic()
        r = box.ctl(*args, "--store", f"etcd:127.0.0.1:{port}", "-j")
        ok(r.code == 1 and r.json["error"]["code"] == "STORE_ERROR" and
           time.monotonic() - start < 15, " ".join(args) + ": nobody answers", r)
    r = box.ctl("store", "check", "--store", "etcd:nonsense", "-j")
    ok(r.code == 1 and "HOST:PORT" in r.json["error"]["message"],
       "an address that is none", r)


def late_libraries(box):
    """What brings thirty libraries with it is asked for by those who need it."""
    for soname in ("libcurl-gnutls.so.4", "libgnutls.so.30"):
        with open(box.path(soname), "w", encoding="ascii") as f:
            f.write("no library")
    hidden = {"LD_LIBRARY_PATH": box.dir}
    # of the one with a fake kernel the daemon is a part, whose libraries need GnuTLS
    box.program = os.path.join(OUT, "swblockctl")
    r = box.ctl("authority", "-j", **hidden)
    ok(r.code == 0, "nothing else needs libcurl or GnuTLS", r)
    r = box.ctl("store", "check", "--store", "etcd:127.0.0.1:1", "-j", **hidden)
    ok(r.code == 1 and "install libcurl3-gnutls" in r.json["error"]["message"],
       "an etcd store without libcurl: what to install", r)


def main():
    with Sandbox() as box:
        life_of_a_record(box, "sqlite")
        out_of_reach(box)
        late_libraries(box)
    if not shutil.which("etcd"):
        for _ in range(11):
            print("ok # SKIP no etcd")
        done()
    with Sandbox() as box:
        client, peer = free_port(), free_port()
        url = f"http://127.0.0.1:{client}"
        with open(box.path("etcd.log"), "wb") as log:
            p = subprocess.Popen(
                ["etcd", "--data-dir", box.path("etcd"), "--listen-client-urls", url,
                 "--advertise-client-urls", url, "--log-level", "error",
                 "--listen-peer-urls", f"http://127.0.0.1:{peer}",
                 "--initial-advertise-peer-urls", f"http://127.0.0.1:{peer}",
                 "--initial-cluster", f"default=http://127.0.0.1:{peer}"],
                stdout=log, stderr=log)
        try:
            box.env["SWBLOCK_STORE"] = f"etcd:127.0.0.1:{client}"
            end = time.monotonic() + 20
            while time.monotonic() < end:
                r = box.ctl("authority", "-j")
                if "no authority store" in r.out:
                    break
                time.sleep(0.2)
            ok("no authority store" in r.out, "etcd: an empty cluster holds no store", r)
            life_of_a_record(box, "etcd")
        finally:
            p.kill()
            p.wait()


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    done()
