#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""swblockd with sanitizers, a kernel that is a file, and a store of its own."""
import contextlib
import glob
import json
import os
import re
import shutil
import signal
import subprocess
import time

import taplib
from taplib import Sandbox, OUT, ok, done

VOLUME = "11111111-2222-4333-8444-555555555555"
FRESH = "aaaaaaaa-0000-4000-8000-0000000000ff"
MIB = 1 << 20


def replica(node):
    """Replica id of the member on a node."""
    return f"aaaaaaaa-0000-4000-8000-00000000000{ord(node) - ord('a') + 1}"


class Cluster(Sandbox):
    """Daemons of nodes a, b, c around one fake kernel and one store."""

    def __init__(self, **env):
        super().__init__()
        self.env.update({"SWB_FAKE_SHARED": "1", **env})
        self.store = self.path("store.db")
        self.procs = {}
        self.sequence = 0
        self.port = 20000 + os.getpid() % 20000

    def __exit__(self, *unused):
        for p in self.procs.values():
            with contextlib.suppress(ProcessLookupError):
                p.kill()
            p.wait()
        for node in "abc":
            if "Sanitizer" in self.log(node):
                ok(False, "no sanitizer report", self.log(node)[-3000:])
        super().__exit__()

    def config(self, node, extra=""):
        path = self.path(node + ".yaml")
        with open(path, "w", encoding="utf8") as f:
            f.write(f"""node: {node}
runtime_dir: {self.dir}/run
swblockctl: {OUT}/swblockctl-fake
store: {{address: {self.store}, timeout: 5s}}
links: {{listen: '127.0.0.1:{self.port + ord(node)}'}}
timing: {{silence: 3s, collect: 1s, turn: 100ms, poll: 200ms, order: 3s}}
log: {{level: debug}}
{extra}""")
        return path

    def start(self, *nodes, args=(), **env):
        for node in nodes:
            with open(self.path(node + ".log"), "a", encoding="utf8") as log:
                self.procs[node] = subprocess.Popen(
                    [f"{OUT}/swblockd-fake", "-c", self.config(node), *args],
                    env={**self.env, **env}, stderr=log, stdout=log)

    def kill(self, node, sig=signal.SIGKILL):
        self.procs[node].send_signal(sig)
        return self.procs[node].wait(timeout=20)

    def log(self, node):
        try:
            with open(self.path(node + ".log"), encoding="utf8") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def doc(self, what, key, value=None):
        p = subprocess.run([f"{OUT}/swbdoc", self.store, what, key],
                           input=value, capture_output=True, text=True,
                           check=False, timeout=30)
        return p.stdout if p.returncode == 0 else None

    def members(self, nodes, **more):
        return [{"replica": replica(n), "label": n, "node": n,
                 "data": self.path(n + ".img"), "wal": "", "format": True,
                 "format_force": False, **more} for n in nodes]

    def wish(self, nodes, **more):
        self.sequence += 1
        wish = {"sequence": self.sequence, "label": "db", "size_bytes": 32 * MIB,
                "mode": "sync_quorum" if len(nodes) > 2 else "sync_all",
                "policy": "written", "required": (1 << len(nodes)) - 1,
                "primary_only": False, "lease_ms": 2000, "shrink_ms": 0,
                "primary": None, "override": False, "stopped": False,
                "reason": "", "member": self.members(nodes), **more}
        self.doc("put", f"v/{VOLUME}/wish", json.dumps(wish))

    def record(self):
        text = self.doc("get", f"v/{VOLUME}/record")
        return json.loads(text) if text else {}

    def state(self, node):
        text = self.doc("get", f"v/{VOLUME}/state/{replica(node)}")
        return json.loads(text) if text else {}

    def settled(self):
        return self.record().get("phase") == "settled"

    def primary(self):
        last = self.record().get("last_granted")
        return "abc"[int(last[-1]) - 1] if last else "a"

    def up(self, nodes="abc", **env):
        for n in nodes:
            self.disk(n + ".img")
        self.wish(nodes)
        self.start(*nodes, **env)
        return wait(self.settled)

    def in_sync(self, n=2):
        peers = self.state(self.primary()).get("peer", [])
        return len([p for p in peers if p["state"] == "in_sync"]) == n


def wait(fn, seconds=40):
    """As long as these daemons may take."""
    return taplib.wait(fn, seconds)


def test_check():
    """--check says what the file means, or where it is wrong."""
    with Cluster() as c:
        path = c.config("a")
        r = subprocess.run([f"{OUT}/swblockd-fake", "--check", "-c", path],
                           capture_output=True, text=True, check=False)
        ok(r.returncode == 0 and "node a would" in r.stdout, "--check explains", r)
        with open(path, "a", encoding="utf8") as f:
            f.write("lgo: {level: info}\n")
        r = subprocess.run([f"{OUT}/swblockd-fake", "--check", "-c", path],
                           capture_output=True, text=True, check=False)
        ok(r.returncode == 2 and re.search(r'a\.yaml:\d+:1: .*"log"', r.stderr),
           "--check finds the line and the word", r)


def test_volume_comes_up():
    """From a declaration and blank disks to a settled epoch with links."""
    with Cluster() as c:
        ok(c.up(), "a declared volume comes up", c.log("a"))
        ok(wait(c.in_sync), "its members are linked and in sync",
           c.log(c.primary()))
        ok(c.record()["wish_done"] == 1, "the declaration is taken up")
        epoch, serial = c.record()["epoch"], c.record()["serial"]
        time.sleep(3)
        ok((c.record()["epoch"], c.record()["serial"]) == (epoch, serial),
           "and then nothing is moved any more")


def test_lost_and_repeated_events():
    """The kernel is looked at again; an order told twice does no harm."""
    for env in ({"SWB_FAKE_DROP": "2"}, {"SWB_FAKE_DROP": "3"},
                {"SWB_FAKE_REPEAT": "1"}):
        with Cluster(**env) as c:
            ok(c.up(), f"{env}: the volume comes up", c.log("a"))
            ok(wait(c.in_sync), f"{env}: in sync", c.log("a"))
            if "SWB_FAKE_DROP" in env:
                ok("events of the module were lost" in c.log("a"),
                   f"{env}: the loss was seen")


def test_store_late():
    """A swap whose outcome is never told, and which happens later, is known again."""
    key = f"v/{VOLUME}/record"
    for ms in (700, 1500):
        with Cluster(SWB_STORE_FAULT=f"delayed {ms};key {key}") as c:
            ok(c.up("a"), f"every swap late by {ms} ms: the volume comes up",
               c.log("a")[-4000:])
            ok("did not say what became" in c.log("a"), "nobody was told")
            ok(c.record()["epoch"] == 1, "in one epoch, not in a circle of them",
               c.record().get("epoch"))


def test_store_put_back():
    """A store that knows less than a member is left alone until it is said (P17c)."""
    with Cluster() as c:
        c.up("a")
        shutil.copy(c.store, c.store + ".old")
        c.wish("a", policy="local")
        ok(wait(lambda: c.record()["epoch"] == 2 and c.settled()),
           "an epoch that the copy does not know", c.log("a")[-2000:])
        c.kill("a")
        os.replace(c.store + ".old", c.store)
        c.start("a")
        ok(wait(lambda: "restored from a backup" in c.log("a")),
           "a new run notices that", c.log("a")[-2000:])
        time.sleep(2)
        ok(c.record()["epoch"] == 1, "and wins nothing there", c.record())
        ok(wait(lambda: "new generation" in c.state("a").get("waits", "")),
           "the state says what it waits for", c.state("a"))
        subprocess.run([f"{OUT}/swblockctl-fake", "authority", "--new-generation",
                        "--reason", "a test", "--yes", "--store", c.store],
                       env=c.env, check=True, stdout=subprocess.DEVNULL)
        ok(wait(lambda: c.record()["epoch"] > 2 and c.settled()),
           "with a new generation it goes on, beyond what was promised",
           c.log("a")[-3000:])


def test_restart_changes_nothing():
    """A new run adopts what runs."""
    with Cluster() as c:
        c.up()
        wait(c.in_sync)
        epoch = c.record()["epoch"]
        p = c.primary()
        c.kill(p)
        c.start(p)
        ok(wait(lambda: c.log(p).count('"starting"') == 2 and
                "case=N" in c.log(p).split('"starting"')[2]),
           "it renews the lease of the primary that it found", c.log(p)[-2000:])
        time.sleep(2)
        ok(c.record()["epoch"] == epoch, "in the same epoch")
        ok(c.kill(p, signal.SIGTERM) == 0, "SIGTERM ends it well")
        ok("the volumes go on" in c.log(p), "and it says what becomes of them")


def test_second_instance():
    """One daemon for each node name."""
    with Cluster() as c:
        c.up("a")
        r = subprocess.run([f"{OUT}/swblockd-fake", "-c", c.path("a.yaml")],
                           env=c.env, capture_output=True, text=True,
                           check=False, timeout=20)
        ok(r.returncode == 1 and "another swblockd" in r.stderr,
           "a second one is refused", r)


def test_reload():
    """SIGHUP: a good file is taken, a bad one is told and left."""
    with Cluster() as c:
        c.up("a")
        c.config("a", "auto_rebuild: false\n")
        c.procs["a"].send_signal(signal.SIGHUP)
        ok(wait(lambda: "was read again" in c.log("a")), "a good file is taken")
        c.config("a", "auto_rebuild: maybe\n")
        c.procs["a"].send_signal(signal.SIGHUP)
        ok(wait(lambda: "was not changed" in c.log("a") and
                "neither true nor false" in c.log("a")), "a bad one is told")
        ok(c.procs["a"].poll() is None, "and it goes on")


def test_foreign_disk():
    """What is on a declared disk is left alone, and said."""
    with Cluster() as c:
        c.disk("a.img")
        subprocess.run(["mkfs.ext4", "-q", "-F", c.path("a.img")], check=True)
        with open(c.path("a.img"), "rb") as f:
            before = f.read()
        c.wish("a")
        c.start("a")
        ok(wait(lambda: "ext4" in c.state("a").get("waits", "")),
           "the state says what is in the way", c.log("a"))
        with open(c.path("a.img"), "rb") as f:
            ok(f.read() == before, "nothing was written")


def test_blank_disk():
    """A blank disk never becomes a member again that has lived: it is replaced."""
    with Cluster() as c:
        c.up()
        ok(wait(c.in_sync), "three members are in sync")
        lost = next(n for n in "abc" if n != c.primary())
        c.kill(lost)
        r = c.ctl("remove", f"db/{lost}", "--force")
        ok(r.code == 0, "its host fails", r)
        for force in (False, True):
            disk = c.disk(lost + ".img")
            c.wish("abc", member=c.members("abc", format_force=force))
            seen = c.state(lost).get("sequence", 0)
            c.start(lost)
            ok(wait(lambda s=seen: c.state(lost).get("sequence", 0) != s and
                    "volume replace" in c.state(lost).get("waits", "")),
               f"overwriting allowed {force}: its state says what to do",
               f"{c.state(lost)}\n{c.log(lost)[-2000:]}")
            with open(disk, "rb") as f:
                ok(not f.read().strip(b"\0"), "the blank disk is left alone")
            c.kill(lost)
        members = c.members("abc")
        members["abc".index(lost)]["replica"] = FRESH
        c.wish("abc", member=members)
        c.start(lost)
        ok(wait(lambda: c.settled() and c.in_sync() and
                FRESH in str(c.record().get("config"))),
           "a new replica takes its place and comes in sync",
           f"{c.record()}\n{c.log(lost)[-2000:]}")


def test_orders():
    """An order is answered, also one that nobody knows."""
    with Cluster() as c:
        c.up("a")
        for verb, state in (("dance", "failed"), ("relink", "failed")):
            c.doc("put", f"v/{VOLUME}/order/{1:020d}", json.dumps(
                {"id": 1, "verb": verb, "target": replica("a"), "state": "new",
                 "by": "test", "text": "", "args": {}, "result": None}))
            key = f"v/{VOLUME}/order/{1:020d}"
            ok(wait(lambda k=key, s=state:
                    json.loads(c.doc("get", k))["state"] == s),
               f"{verb}: {state}", c.doc("get", key))


def test_killed_at_every_point():
    """A run that dies anywhere is followed by one that goes on."""
    points = subprocess.run([f"{OUT}/swblockd-fake", "--fault-points"],
                            capture_output=True, text=True,
                            check=True).stdout.split()
    ok(len(points) >= 30, "there are fault points for every step")
    used = set()
    for path in glob.glob(os.path.join(os.path.dirname(__file__), "../*.c")):
        with open(path, encoding="utf8") as f:
            used |= set(re.findall(r'fault_point\("(\w+)", ', f.read()))
    ok(len(used) >= 12, "they are found in the sources", used)
    ok({f"{u}.before" for u in used} <= set(points), "and all of them are listed",
       sorted(u for u in used if u + ".before" not in points))
    hit = []
    for point in points:
        with Cluster() as c:
            c.disk("a.img")
            c.wish("a")
            c.start("a", args=("--faults",), SWBLOCKD_FAULT=f"{point}:kill")
            wait(lambda c=c: c.procs["a"].poll() is not None or c.settled(), 4)
            if c.procs["a"].poll() is None:
                continue
            hit.append(point)
            c.procs["a"].wait()
            c.start("a")
            ok(wait(c.settled), f"killed at {point}: the next run goes on",
               c.log("a")[-3000:])
    ok(len(hit) >= 16, f"{len(hit)} points were passed by this scenario", hit)


for test in (test_check, test_volume_comes_up, test_lost_and_repeated_events,
             test_store_late, test_store_put_back, test_restart_changes_nothing, test_second_instance, test_reload,
             test_foreign_disk, test_blank_disk,
             test_orders, test_killed_at_every_point):
    test()
done()
