#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The verbs of declared volumes: create, set, members, health, events, nodes.

No daemon runs: what daemons would write is put into the store by hand.
"""
import json
import sqlite3

from taplib import Sandbox, done, ok

NODES = "a:/dev/x1,b:/dev/x2,c:/dev/x3"
BOOT = "00000000-1111-4222-8333-444444444444"


def put(box, key, value):
    """A document, as a daemon would leave it."""
    db = sqlite3.connect(box.path("authority.db"))
    with db:
        change = db.execute("SELECT change FROM store").fetchone()[0] + 1
        db.execute("INSERT OR REPLACE INTO doc (key, value, revision) VALUES (?, ?, ?)",
                   (key, json.dumps(value), change))
        db.execute("UPDATE store SET change = ?", (change,))
    db.close()


def hosts(box, *names):
    """A store, and hosts that show a sign of life."""
    box.member("x")
    assert box.ctl("assign", "db", "--members", "x", "--mode", "best_effort").code == 0
    for n in names:
        put(box, f"n/{n}", {"node": n, "boot": BOOT, "instance": BOOT, "counter": 1,
                            "address": "127.0.0.1:7800", "version": "0.1"})


def wish_of(box, name):
    r = box.ctl("status", name, "-j")
    return r.json["volumes"][0]["wish"]


def create(box, *more, name="vol", nodes=NODES):
    return box.ctl("volume", "create", name, "--size", "64M", "--nodes", nodes,
                   "--no-wait", *more)


def test_create_refuses(box):
    hosts(box, "a", "b", "c")
    for what, args, code in (
            ("no name", ["volume", "create"], 2),
            ("no nodes", ["volume", "create", "v", "--size", "1G"], 2),
            ("no size", ["volume", "create", "v", "--nodes", NODES], 2),
            ("odd size", ["volume", "create", "v", "--nodes", NODES, "--size", "10k"], 2),
            ("no disk", ["volume", "create", "v", "--size", "1G", "--nodes", "a,b"], 2),
            ("a node twice", ["volume", "create", "v", "--size", "1G",
                              "--nodes", "a:/dev/x,a:/dev/y"], 2),
            ("a silent host", ["volume", "create", "v", "--size", "1G",
                               "--nodes", "a:/dev/x,z:/dev/y"], 3),
            ("quorum of two", ["volume", "create", "v", "--size", "1G", "--mode",
                               "sync_quorum", "--nodes", "a:/dev/x,b:/dev/y"], 4),
            ("a mode that is none", ["volume", "create", "v", "--size", "1G", "--mode",
                                     "quorum", "--nodes", NODES], 2),
            ("a lease of a blink", ["volume", "create", "v", "--size", "1G", "--lease",
                                    "1ms", "--nodes", NODES], 2),
            ("a name that is taken", ["volume", "create", "db", "--size", "1G",
                                      "--nodes", NODES], 4),
            ("half a verb", ["volume"], 2),
            ("a verb misspelt", ["volume", "crate"], 2)):
        r = box.ctl(*args)
        ok(r.code == code and r.err.startswith("swblockctl: error: "), what, r)
    r = box.ctl("volume", "list", "-j")
    ok(len(r.json["volumes"]) == 1, "nothing was made by any of them", r)


def test_create(box):
    hosts(box, "a", "b", "c")
    r = create(box, "--dry-run")
    ok(r.code == 0 and "if b fails: goes on" in r.out, "a plan says what failures mean", r)
    ok(box.ctl("status", "vol").code != 0, "and makes nothing")
    r = create(box, "-j")
    ok(r.code == 0 and r.json["wish"]["mode"] == "sync_quorum", "three get sync_quorum", r)
    w = wish_of(box, "vol")
    ok(w["sequence"] == 1 and [m["node"] for m in w["member"]] == ["a", "b", "c"] and
       len({m["replica"] for m in w["member"]}) == 3, "the wish is in the store", w)
    r = box.ctl("authority", "vol", "-j").json["volumes"][0]
    ok(r["phase"] == "new" and r["config"]["mode"] == "sync_quorum" and
       [m["replica"] for m in r["config"]["members"]] ==
       [m["replica"] for m in w["member"]], "and a record that nobody was granted", r)
    ok(create(box).code == 4, "a second one of that name is refused")
    r = create(box, "-j", name="two", nodes="a:/dev/y1,b:/dev/y2")
    ok(r.json["wish"]["mode"] == "sync_all", "two get sync_all", r)
    r = create(box, "-j", name="log", nodes="a:/dev/y1+/dev/nvme0n1")
    ok(r.json["wish"]["member"][0]["wal"] == "/dev/nvme0n1" and
       r.json["wish"]["mode"] == "best_effort", "a log of its own; one gets best_effort", r)


def test_set(box):
    hosts(box, "a", "b", "c")
    create(box)
    for what, args, code in (
            ("it never shrinks", ["--size", "32M"], 4),
            ("a size that is none", ["--size", "much"], 2),
            ("a member that is none", ["--prefer", "z"], 3)):
        r = box.ctl("volume", "set", "vol", *args, "--no-wait")
        ok(r.code == code, what, r)
    ok(wish_of(box, "vol")["sequence"] == 1, "refusals change nothing")
    r = box.ctl("volume", "set", "vol", "--mode", "sync_all", "--size", "128M",
                "--prefer", "b", "--reason", "more room", "--no-wait")
    w = wish_of(box, "vol")
    ok(r.code == 0 and w["sequence"] == 2 and w["mode"] == "sync_all" and
       w["size_bytes"] == 128 << 20 and w["reason"] == "more room" and
       w["primary"] == w["member"][1]["replica"], "one step, all of it", w)
    box.ctl("volume", "set", "vol", "--stop", "--no-wait")
    ok(wish_of(box, "vol")["stopped"], "--stop")
    r = box.ctl("volume", "set", "db", "--mode", "sync_all")
    ok(r.code == 4 and "by hand" in r.err, "a volume run by hand is none of its business", r)
    r = box.ctl("volume", "set", "vol", "--start", "--timeout", "1")
    ok(r.code == 5 and "not there yet" in r.err, "without daemons it ends by the timeout", r)


def test_members(box):
    hosts(box, "a", "b", "c", "d")
    create(box)
    r = box.ctl("volume", "add", "vol", "d:/dev/x4", "--no-wait")
    w = wish_of(box, "vol")
    ok(r.code == 0 and len(w["member"]) == 4 and w["required"] == 15, "add", r)
    ok(box.ctl("volume", "add", "vol", "d:/dev/x5", "--no-wait").code == 4, "not twice")
    ok(box.ctl("volume", "add", "vol", "z:/dev/x5", "--no-wait").code == 3, "no such host")
    r = box.ctl("volume", "drop", "vol", "b", "--no-wait")
    w = wish_of(box, "vol")
    ok(r.code == 0 and [m["label"] for m in w["member"]] == ["a", "c", "d"] and
       w["required"] == 7, "drop", w)
    r = box.ctl("volume", "drop", "vol", "a", "--no-wait")
    ok(r.code == 4 and "3 members" in r.err, "a majority of two says nothing", r)
    old = w["member"][1]["replica"]
    r = box.ctl("volume", "replace", "vol", "c", "c:/dev/x9", "--no-wait")
    w = wish_of(box, "vol")
    ok(r.code == 0 and w["member"][1]["replica"] != old and
       w["member"][1]["data"] == "/dev/x9", "a new disk is a new replica", w)
    r = box.ctl("promote", "vol/c", "--no-wait")
    ok(r.code == 2, "promote has no --no-wait: it is a verb of its own", r)
    r = box.ctl("volume", "move", "vol", "c", "--no-wait")
    ok(r.code == 0 and wish_of(box, "vol")["primary"] == w["member"][1]["replica"],
       "move", r)
    r = box.ctl("volume", "move", "vol", "c", "--override", "--no-wait")
    ok(r.code == 4 and "may lose" in r.err, "an override wants a reason and a yes", r)
    r = box.ctl("volume", "rebuild", "vol", "c", "--no-wait")
    ok(r.code == 4 and "no member serves" in r.err, "a job needs a primary", r)


def test_delete(box):
    hosts(box, "a", "b", "c")
    create(box)
    r = box.ctl("volume", "delete", "vol")
    ok(r.code == 4 and "--yes" in r.err, "it wants a yes", r)
    r = box.ctl("volume", "delete", "vol", "--dry-run")
    ok(r.code == 0 and "a:/dev/x1 keeps" in r.out and not wish_of(box, "vol")["stopped"],
       "--dry-run says what becomes of the disks", r)
    ok(box.ctl("volume", "delete", "db", "--yes").code == 4, "not one that is run by hand")
    ok(box.ctl("volume", "delete", "vox", "--yes").code == 3, "nor one that is none")
    r = box.ctl("volume", "delete", "vol", "--yes", "--reason", "no longer used", "-j")
    uuid = r.json["volume"]
    ok(r.code == 0 and r.json["disks"][2] == {"node": "c", "device": "/dev/x3"}, "nothing is attached: at once", r)
    ok(box.ctl("status", "vol").code != 0, "its name is free")
    r = box.ctl("volume", "list", "-j")
    ok([v["label"] for v in r.json["volumes"]] == ["db"], "it is not listed", r)
    r = box.ctl("health", "-j")
    ok(r.code == 0 and not r.json["volumes"], "and nobody worries", r)
    r = box.ctl("authority", uuid, "--history")
    ok(r.code == 0 and "no longer used" in r.out, "its record and history stay", r)
    r = create(box)
    ok(r.code == 0 and box.ctl("volume", "list", "-j").json["volumes"][1]["volume"] != uuid,
       "a new one of that name is another volume", r)


def test_health_events(box):
    hosts(box, "a", "b", "c")
    r = box.ctl("health")
    ok(r.code == 0, "nothing declared, nothing wrong", r)
    create(box)
    r = box.ctl("health", "vol", "-j")
    codes = {f["code"] for f in r.json["volumes"][0]["findings"]}
    ok(r.code == 2 and "no_primary" in codes and "not_attached" in codes,
       "no primary is critical", r)
    r = box.ctl("health", "db")
    ok(r.code == 3, "by hand is unknown", r)
    r = box.ctl("health", "--store", "/nowhere/x.db")
    ok(r.code == 3, "no store is unknown", r)
    r = box.ctl("events", "vol", "-j")
    lines = [json.loads(x) for x in r.out.splitlines()]
    ok(r.code == 0 and lines[0]["action"] == "create" and lines[0]["volume"] == "vol",
       "events begin with the creation", r)
    last = lines[-1]["id"]
    r = box.ctl("events", "vol", "--since", last, "-j")
    ok(r.out == "", "nothing since the last one", r)
    r = box.ctl("events", "vol", "--follow", "--for", "1s")
    ok(r.code == 0 and "create" in r.out, "--follow ends with --for", r)
    r = box.ctl("explain", "vol", "-j")
    ok(r.code == 0 and r.json["phase"] == "new" and len(r.json["members"]) == 3 and
       r.json["consequences"][0]["if_fails"] == "a", "explain of a volume", r)
    r = box.ctl("node", "list", "-j")
    ok([n["node"] for n in r.json["nodes"]] == ["a", "b", "c"], "node list", r)
    put(box, "n/a", {"node": 5})
    r = box.ctl("node", "list", "-j")
    ok(r.code == 0 and len(r.json["nodes"]) == 2, "a damaged sign of life is none", r)


for case in (test_create_refuses, test_create, test_set, test_members,
             test_delete, test_health_events):
    with Sandbox() as sandbox:
        case(sandbox)
done()
