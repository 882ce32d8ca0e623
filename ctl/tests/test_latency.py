#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""latency: percentiles by stage and peer, and who holds p99. The kernel is a file."""
import re

from taplib import Sandbox, done, ok

MS = 1000000


def rows(r):
    return {(s["stage"], s["member"]): s for s in r.json["stages"]}


def near(value, true):
    """An upper edge: not below, and at most a quarter above."""
    return true < value <= true + true / 4


def test_table(box):
    r = box.ctl("latency", "db", SWB_FAKE_SLOW="b")
    ok(r.code == 0 and r.out.startswith("db/a  /dev/swblock"),
       "a volume means its primary", r)
    ok(re.search(r"^  stage +member +count +p50 +p90 +p99 +p99\.9$", r.out, re.M),
       "the heading", r)
    ok(re.search(r"^  persist +- +1000 ", r.out, re.M), "a stage of the host", r)
    ok(re.search(r"^  peer-persist +b +1000 +\d+\.\dms ", r.out, re.M),
       "a stage of a peer", r)
    ok("3 records could not be timed" in r.out, "what was missed is said", r)
    order = [line.split()[0] for line in r.out.splitlines()[2:-1]]
    ok(order == ["admit", "append", "persist", "ship", "peer-receive", "peer-persist",
                 "complete", "read"], "in the order of a write's way", order)
    ok("p99 of" not in r.out, "no explanation unless asked for", r)


def test_numbers(box):
    got = rows(box.ctl("latency", "a", "-j", SWB_FAKE_SLOW="b"))
    p = got["peer-persist", "b"]
    ok(p["count"] == 1000 and p["sum_ns"] == 1000 * 80 * MS, "count and sum", p)
    ok(all(near(p[k], 80 * MS) for k in ("p50_ns", "p90_ns", "p99_ns", "p999_ns")),
       "percentiles are upper edges", p)
    ok(sum(b["count"] for b in p["buckets"]) == 1000 and
       p["buckets"][0]["from_ns"] <= 80 * MS < p["p50_ns"], "buckets", p)
    ok(got["read", None]["count"] == 7, "reads", got["read", None])


def test_peer(box):
    got = rows(box.ctl("latency", "a", "--peer", "b", "-j"))
    ok(got and all(m == "b" for _, m in got), "--peer: nothing else", list(got))
    r = box.ctl("latency", "a", "--peer", "x")
    ok(r.code == 3, "a peer that does not exist", r)
    r = box.ctl("latency", "x")
    ok(r.code == 3, "a member that does not exist", r)


def test_why(box):
    r = box.ctl("latency", "a", "--why", "-j", SWB_FAKE_SLOW="b")
    w = r.json["why"]
    ok((w["of"], w["member"], w["stage"], w["stage_member"]) ==
       ("complete", "b", "peer-persist", "b"), "the slow peer is named", w)
    ok(near(w["p99_ns"], 81 * MS) and near(w["stage_p99_ns"], 80 * MS) and
       (w["slow"], w["held"]) == (30, 30), "and its numbers", w)
    r = box.ctl("latency", "a", "--why", SWB_FAKE_SLOW="b")
    ok("waited last for b\n" in r.out and "peer-persist of b, p99 " in r.out,
       "in words", r)
    r = box.ctl("latency", "a", "--why", "-j")
    w = r.json["why"]
    ok((w["member"], w["stage"], w["stage_member"]) == ("a", "persist", None),
       "the own log, when that was last", w)
    r = box.ctl("latency", "a", "--why")
    ok("waited last for a (own log)" in r.out, "in words", r)
    r = box.ctl("latency", "b", "--why")
    ok(r.code == 0 and "no write has completed yet" in r.out and
       "nothing was measured yet" in r.out, "a replica has nothing to explain", r)


with Sandbox() as sandbox:
    sandbox.pair()
    sandbox.ctl("promote", "a")
    test_table(sandbox)
    test_numbers(sandbox)
    test_peer(sandbox)
    test_why(sandbox)
done()
