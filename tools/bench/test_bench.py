# SPDX-License-Identifier: GPL-2.0-only
"""What becomes of figures: statistics, missing runs, traces, the page, the schema."""
import copy
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.join(HERE, "../..")
sys.path[:0] = [HERE, os.path.join(TOP, "tools")]
sys.dont_write_bytecode = True
import figures  # noqa: E402
import overhead  # noqa: E402
import plan  # noqa: E402
import report  # noqa: E402
from figures import Missing  # noqa: E402
from schema import faults  # noqa: E402

SCHEMA = json.load(open(os.path.join(TOP, "docs/schema/bench.json"), encoding="utf-8"))
count = {"n": 0, "bad": 0}


def ok(good, what, facts=None):
    count["n"] += 1
    count["bad"] += not good
    print(("ok" if good else "not ok"), count["n"], "- bench:", what)
    if not good and facts is not None:
        print("#", str(facts)[:2000].replace("\n", "\n# "))


def same(got, wanted, what):
    ok(got == wanted, what, f"got {got!r}, wanted {wanted!r}")


def missing(what, reason, function, *args):
    try:
        got = function(*args)
    except Missing as e:
        ok(reason in str(e), what, e)
        return
    ok(False, what, got)


def recorded(name):
    with open(os.path.join(HERE, "recorded", name), encoding="utf-8") as f:
        return f.read()


def cell(workload, target, number, iops, error=None):
    """A run that was whole, or one with an error."""
    run = {"iops": iops, "bytes_per_s": iops * 4096, "ios": iops * 2, "lat_mean_us": 1e6 / iops,
           "lat_p50_us": 1e6 / iops, "lat_p99_us": 3e6 / iops} if not error else None
    return {"round": number, "workload": workload, "target": target, "run": run, "error": error,
            "cost": None, "wraps": 3.5 if target in plan.SWBLOCK and not error else None}


def test_plan():
    for w in plan.WORKLOADS:
        have = plan.MEASURED[w]
        ok(set(have) <= set(plan.TARGETS) and plan.pairs_of(w) and w in plan.TITLE,
           f"{w}: known targets, and something to compare", have)
        used = {x for p in plan.pairs_of(w) for x in p[:2]}
        same(sorted(set(have) - used), [], f"{w}: nothing is measured for nobody")
    for w in plan.WORKLOADS:
        for swb, peer, promise in plan.pairs_of(w):
            ok(promises(swb, w) >= promises(peer, w) if promise == "more" else
               promises(swb, w) == promises(peer, w) or not plan.writes(w),
               f"{w}: {swb} promises no less than {peer}")
    same(plan.order("abcd", 1), list("bcda"), "round 1 begins with the second target")
    same(sorted(plan.order(plan.TARGETS, 27)), sorted(plan.TARGETS), "no target is left out")


def promises(target, workload):
    """Copies in memory and on disk when a write (or its barrier) is answered."""
    if plan.WORKLOADS[workload].get("fsync"):
        # copies that hold it durably
        return 2 if target in ("sync_all", "md-nbd") else \
            1 + (0.5 if target in ("written", "drbd-c") else 0)
    return {"raw": 1, "linear": 1, "alone": 1, "local": 1, "drbd-a": 1, "received": 1.5,
            "drbd-b": 1.5, "md-nbd": 1.5}.get(target, 2)


def test_fio():
    run = figures.of_fio(recorded("fsync.json"), "fsync-j1")
    ok(run["iops"] > 0 and run["lat_p99_us"] >= run["lat_p50_us"] > 0 and
       run["sync_mean_us"] > 0, "what fio 3.33 wrote is read", run)
    ok(abs(run["bytes_per_s"] / run["iops"] - 4096) < 50, "bytes and requests fit", run)
    mixed = figures.of_fio(recorded("mixed.json"), "mix-70-30")
    doc = json.loads(recorded("mixed.json"))["jobs"][0]
    same(mixed["iops"], doc["read"]["iops"] + doc["write"]["iops"], "both sides of a mix count")
    same(figures.of_fio("fio: a warning\n" + recorded("fsync.json"), "fsync-j1"), run,
         "words before the JSON are no part of it")
    missing("no output is no figure", "nothing", figures.of_fio, "", "hot-d1")
    missing("half of it neither", "whole", figures.of_fio, recorded("fsync.json")[:900], "hot-d1")
    doc["error"] = 5
    missing("nor a run with errors", "error 5", figures.of_fio, json.dumps({"jobs": [doc]}),
            "mix-70-30")
    doc["error"], doc["write"]["total_ios"] = 0, 0
    missing("nor one without I/O", "no I/O", figures.of_fio, json.dumps({"jobs": [doc]}),
            "mix-70-30")


def test_ratio():
    cells = []
    for n, (x, y) in enumerate(((100, 50), (90, 100), (300, 100))):
        cells += [cell("hot-d1", "written", n, x), cell("hot-d1", "drbd-c", n, y)]
    r = figures.ratio(cells, "hot-d1", "written", "drbd-c", 3)
    same(r, {"median": 2.0, "min": 0.9, "max": 3.0, "n": 3}, "ratios are within a round")
    missing("a round less is no figure", "round 4 was not run", figures.ratio, cells, "hot-d1",
            "written", "drbd-c", 4)
    bad = copy.deepcopy(cells)
    bad[3].update(run=None, error="fio: rc 1")
    missing("nor is a failed run left out", "drbd-c: fio: rc 1", figures.ratio, bad, "hot-d1",
            "written", "drbd-c", 3)
    same(figures.spread([4, 1, 2, 3])["median"], 2.5, "median of an even number")
    missing("no value, no median", "no value", figures.spread, [])
    row = {"workload": "hot-d1", "mode": "written", "peer": "drbd-c", "ratio": r,
           "not_measured": None}
    same(figures.line(row), "bench: hot-d1 written/drbd-c 2.00 0.90 3.00", "the line of a pair")
    row.update(ratio=None, not_measured="no drbd")
    same(figures.line(row), "bench: hot-d1 written/drbd-c not measured: no drbd",
         "and of one that could not be measured")


def sample(k):
    """Counters that grow by k in everything, sectors by 8 for each write."""
    host = {"busy_ticks": 10 * k, "switches": 400 * k, "pages": 200 * k,
            "sent_bytes": 410000 * k, "received_bytes": 6000 * k, "sent_packets": 100 * k,
            "received_packets": 100 * k,
            "disks": {"vde": {"reads": 0, "writes": 50 * k, "write_sectors": 1700 * k,
                              "flushes": 2 * k},
                      "vdf": {"reads": 0, "writes": 7, "write_sectors": 99, "flushes": 1}}}
    return {"a": host, "b": copy.deepcopy(host),
            "device": {"reads": 0, "read_sectors": 0, "writes": 200 * k,
                       "write_sectors": 800 * k, "flushes": 100 * k}}


def test_cost():
    c = figures.per_request(sample(1), sample(3), 4096)
    same(c["ios"], 200, "requests between the samples, flushes are none")
    same((c["switches_a"], c["pages_b"], c["packets"]), (4, 2, 2), "counts for each of them")
    same(c["cpu_us_a"], 1000, "ticks are of 10 ms")
    ok(abs(c["wire_per_byte"] - 416000 * 2 / (200 * 4096)) < 1e-9, "bytes on the wire", c)
    same((c["disk_per_byte_a"], c["disk_flushes_b"]), (2.125, 0.02), "bytes to disk, flushes")
    missing("nothing between, nothing to divide by", "no I/O", figures.per_request, sample(2),
            sample(2), 4096)
    reads = sample(3)
    reads["device"].update(read_sectors=500, write_sectors=800)
    ok("wire_per_byte" not in figures.per_request(sample(1), reads, 4096), "reads have no bytes written")
    same(figures.wraps(1000, 7000, 2000), 3, "turns of the ring")
    same(plan.wraps_wanted("hot-d1", "written"), 3, "three turns are wanted")
    same(plan.wraps_wanted("read-d16", "written"), 0, "not of reads")


def test_allocations():
    got = figures.allocations(recorded("trace.txt"), ("swblock",))
    same(got["all"], {"kmem_cache_alloc": 4, "kmalloc": 2, "mm_page_alloc": 1},
         "all allocations of a recorded trace are counted")
    same(got["own"], {"kmem_cache_alloc": 2}, "own: through a mempool, but no skb, no disk below")
    same(got["sites"], {"swb_req_get": 1, "swb_wbatch_write": 1}, "and who asked")
    same(figures.allocations(recorded("trace.txt"), ("drbd",))["own"], {}, "none of another module")


def test_limit():
    same(figures.limit_us(100, 400, 20), 540, "the way there and back is the longer one")
    same(figures.limit_us(100, 0, 20), 140, "without a network the local write is")


def made_up():
    """A whole document, with every target of every workload, three rounds."""
    cells = []
    for w in plan.WORKLOADS:
        for k, t in enumerate(plan.MEASURED[w]):
            for n in range(3):
                c = cell(w, t, n, 1000 + 10 * k + n)
                c["cost"] = figures.per_request(sample(1), sample(2), figures.block_bytes(w))
                cells.append(c)
    env = {"kernel": "6.1", "crc": "crc32c-generic", "crc_4k_ns": 15000, "ping_4k_us": 480.0,
           "cpus": 1, "idle": "default"}
    rec = [{"round": 0, "what": w, "target": t, "seconds": 2.0, "wire_bytes": 70 << 20,
            "disk_bytes": 1, "error": None} for w in ("catch-up", "rebuild") for t in
           ("rec", "drbd-rec")]
    return {"schema": 1, "command": "scripts/bench", "date": "today", "rounds": 3, "seconds": 2,
            "took_s": 900, "other_load": 0.01, "disturbed": [], "environment": env,
            "cells": cells, "recovery": rec,
            "allocations": [{"target": "written", "writes": 100, "own": {}, "sites": {},
                             "all": {"kmalloc": 2.5}, "not_measured": None}],
            "pairs": figures.all_pairs(cells, 3), "targets": figures.targets_summary(cells, 3)}


def test_report():
    doc = made_up()
    same(faults(doc, SCHEMA), [], "the document is as docs/schema/bench.json says")
    wrong = copy.deepcopy(doc)
    wrong["pairs"][0]["ratio"] = "fast"
    ok(faults(wrong, SCHEMA) and faults(dict(doc, more=1), SCHEMA), "and the schema can refuse one")
    page = report.markdown(doc)
    rows = sum(len(plan.pairs_of(w)) for w in plan.WORKLOADS)
    same(sum(x.startswith("| ") and x.count("**") == 2 for x in page.splitlines()), rows,
         "a row with a ratio for each pair")
    ok("not measured" not in page and "Not a result" not in page, "nothing is missing in it")
    ok(sum("| written | " in x or "| drbd-c | " in x for x in
           page.split("How far")[1].split("lost and regained")[0].splitlines()) == 2 and
       "| md-nbd | " not in page.split("How far")[1].split("lost and regained")[0],
       "the limit is shown for two written copies only")
    ok("1.094" in page and "catch-up" in page, "recovery: bytes on the wire per byte written")
    doc["disturbed"] = ["others used 40 % of the machine"]
    ok("**Not a result**: others used 40 %" in report.markdown(doc), "what is no result says so")
    for c in doc["cells"]:
        if c["target"] == "drbd-c":
            c.update(run=None, cost=None, error="set-up: no drbd | here\nreally")
    doc["pairs"] = figures.all_pairs(doc["cells"], 3)
    doc["targets"] = figures.targets_summary(doc["cells"], 3)
    doc["recovery"][1].update(seconds=None, error="gone")
    same(faults(doc, SCHEMA), [], "a document without DRBD is as the schema says")
    page = report.markdown(doc)
    ok("not measured: drbd-c: set-up: no drbd / here really" in page, "a reason stands in its row",
       page[:1500])
    ok("not measured: gone" in page, "of recovery, too")
    same(sum("drbd-c" in x and "**" in x for x in page.splitlines()), 0,
         "no figure is made up for it")
    path = os.path.join(TOP, "docs/bench.json")
    if os.path.exists(path):
        with open(path, encoding="utf-8") as f:
            kept = json.load(f)
        same(faults(kept, SCHEMA), [], "docs/bench.json is as the schema says")
        with open(os.path.join(TOP, "docs/benchmarks.md"), encoding="utf-8") as f:
            same(f.read(), report.markdown(kept), "docs/benchmarks.md is what is made of it")
        same(kept["disturbed"], [], "and they are a result")


def test_overhead():
    same(overhead.interval([5, 1, 4, 2, 3, 6]), (3.5, 1, 6), "six pairs: from the least to the most")
    mid, low, high = overhead.interval(list(range(60)))
    same((mid, low, high), (29.5, 21, 38), "sixty: the 22nd and the 39th")
    try:
        overhead.interval([1] * 5)
        ok(False, "five pairs are too few")
    except ValueError as e:
        ok("too few" in str(e), "five pairs are too few", e)
    on, off = (True, 90.0), (False, 100.0)
    same(overhead.ratios([on, off, off, on]), [0.9, 0.9], "with by without, whichever came first")
    try:
        overhead.ratios([on, on])
        ok(False, "one side twice is no pair")
    except ValueError as e:
        ok("twice" in str(e), "one side twice is no pair", e)
    same(overhead.line("bpf", [0.9] * 5 + [0.95], 1),
         "overhead: bpf 10.0 % of throughput at depth 16 (95 %: 5.0 to 10.0), 6 pairs of 1 s",
         "what is lost is told")


def test_usage():
    p = subprocess.run([os.path.join(TOP, "scripts/bench"), "--workloads", "nonsense"],
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, text=True)
    ok(p.returncode == 2 and "no nonsense; there are hot-d1" in p.stdout,
       "an unknown workload is refused", p.stdout)


for test in [v for k, v in sorted(globals().items()) if k.startswith("test_")]:
    test()
sys.exit(1 if count["bad"] else 0)
