#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The forms of swblock-lat: table, bars, heat map, JSON, SVG, drawn from a text; its options."""
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../../ctl/tests"), os.path.join(HERE, "../../tools")]
from schema import faults  # noqa: E402
from taplib import ROOT, done, ok, skip  # noqa: E402

OUT = os.environ.get("OUT", os.path.join(HERE, "../build"))
SCHEMA = json.load(open(os.path.join(ROOT, "docs/schema/swblock-lat.json"), encoding="utf-8"))
LATENCY = json.load(open(os.path.join(ROOT, "docs/schema/latency.json"), encoding="utf-8"))
MAN = os.path.join(HERE, "../man/swblock-lat.8")
US = 1000

# two members, the second without a name; two intervals
TEXT = """volume 3 0 db/a a b<&">
interval 1700000000 1000 0
add 3 admit - 3000 100
add 3 persist - 200000 90
add 3 persist - 900000 10
add 3 peer-persist 1 5000000 100
add 3 complete 1 5200000 99
add 3 complete 1 90000000 1
add 7 append - 70000 4
interval 1700000001 1000 5
add 3 complete 1 40000 50
add 3 complete 0 100 1
add 3 complete 1 9000000000 1
"""


def draw(form, text=TEXT):
    p = subprocess.run([os.path.join(OUT, "test/render"), form], input=text, text=True,
                       capture_output=True, check=False, env={"TZ": "UTC"})
    ok(p.returncode == 0 and not p.stderr, f"{form} is drawn", p.stderr)
    return p.stdout


def lat(*args):
    return subprocess.run([os.path.join(OUT, "swblock-lat"), *args], text=True,
                          capture_output=True, check=False)


def test_table():
    lines = draw("table").splitlines()
    ok(lines[0] == "22:13:20  1.00s by raw_tp", "when, how long, by what", lines[0])
    ok(lines[1] == "db/a  /dev/swblock0", "the member and its device", lines[1])
    ok("volume 7" in lines, "a member without a name", lines)
    row = [x for x in lines if x.startswith("  persist")][0].split()
    ok(row[1:7] == ["-", "100", "270us", "262us", "1.05ms", "1.05ms"],
       "count, average, upper edges of p50, p99, p99.9", row)
    strip = [x[x.index("|"):] for x in lines if re.match("  (admit|persist|ack) ", x)]
    ok(len({len(x) for x in strip}) == 1 and strip[0].count("@") == 1,
       "densities have one scale, the densest cell is @", strip)
    ok(strip[1].index("@") - strip[0].index("@") == 17 - 11, "a cell is an octave", strip)
    ok("22:13:21  1.00s by raw_tp, 5 events had no place in the map" in lines,
       "what was lost is said", lines)
    ok("  nothing was measured" in draw("table", "interval 1 1000 0\n"), "an empty interval")


def test_bars():
    text = draw("bars")
    ok("db/a  /dev/swblock0  peer-persist of b<&\">: 100, average 5.00ms" in text,
       "each histogram has its name", text)
    ok(re.search(r"128us \.\. 256us +90 \|\*{40}\|\n +256us \.\. 512us +0 \| {40}\|\n"
                 r" +512us \.\. 1ms +10 \|\*{4} {36}\|", text),
       "a line for each slot, also the empty ones between", text)


def test_heat():
    lines = draw("heat:complete").splitlines()
    ok(lines[0].split() == ["time", "count", "1us", "8us", "64us", "512us", "4ms", "32ms",
                            "256ms", "2s"], "the scale", lines[0])
    one, two = lines[1], lines[2]
    ok(one.startswith("22:13:20       100 |") and two.startswith("22:13:21        52 |"),
       "a line for each interval with its count", lines)
    ok(len(one) == len(two) and one.count("@") == 2 and
       one.index("@") == lines[0].index("4ms"), "dark where most are, under its scale", one)
    cells = two[two.index("|") + 1:-1]
    ok(cells[0] != " " and cells[-1] != " ",
       "what is faster or slower than the scale is at its ends", cells)
    ok("@" not in draw("heat:read"), "another stage has nothing")
    ok(len(draw("heat:ack", "interval 1 9 0\n" * 21).splitlines()) == 23,
       "the scale is repeated")


def test_json():
    docs = [json.loads(x) for x in draw("json").splitlines()]
    bad = [faults(d, SCHEMA) for d in docs]
    ok(len(docs) == 2 and not any(bad), "a line for each interval, of the schema", bad)
    rows = {(r["volume"], r["stage"], r["peer"]): r for r in docs[0]["rows"]}
    r = rows[3, "persist", None]
    ok((r["member"], r["device"], r["peer_index"], r["count"], r["sum_ns"]) ==
       ("db/a", "swblock0", None, 100, 90 * 200 * US + 10 * 900 * US), "a stage of the host", r)
    ok(r["slots"] == [{"from_ns": 1 << 17, "count": 90}, {"from_ns": 1 << 19, "count": 10}]
       and (r["p50_ns"], r["p90_ns"], r["p99_ns"]) == (1 << 18, 1 << 18, 1 << 20),
       "slots and percentiles", r)
    ok(rows[3, "peer-persist", 'b<&">']["peer_index"] == 1, "a stage of a peer", list(rows))
    ok((rows[7, "append", None]["member"], rows[7, "append", None]["device"]) == (None, None),
       "a member without a name", rows[7, "append", None])
    ok(docs[0]["time_ms"] == 1700000000000 and docs[0]["length_ns"] == 10 ** 9 and
       (docs[0]["lost"], docs[1]["lost"]) == (0, 5), "time, length, losses", docs[0])
    stage = SCHEMA["properties"]["rows"]["items"]["properties"]["stage"]["enum"]
    of_ctl = LATENCY["properties"]["stages"]["items"]["properties"]["stage"]["enum"]
    ok(stage == of_ctl, "the same stages as swblockctl latency -j", stage)
    ok(faults({**docs[0], "lost": -1}, SCHEMA) and faults({**docs[0], "x": 1}, SCHEMA),
       "the schema refuses what it should")


def test_svg():
    text = draw("svg")
    root = ET.fromstring(text)
    space = "{http://www.w3.org/2000/svg}"
    texts = ["".join(t.itertext()) for t in root.iter(space + "text")]
    ok("peer-persist of b<&\">" in texts, "labels are escaped", texts)
    ok(sum(t.startswith("admit") or t.startswith("complete") for t in texts) == 3,
       "a panel for each stage and peer", texts)
    ok("db/a  /dev/swblock0" in texts and "volume 7" in texts, "and a name for each member")
    ok(any(t.startswith("100, p50 262us, p99 1.05ms") for t in texts),
       "with count and percentiles", texts)
    height = int(root.get("height"))
    ok(height == 26 + 2 * 130 + 26 + 130 + 26, "as high as its panels", height)
    lowest = max(float(t.get("y")) for t in root.findall(space + "text"))
    ok(lowest < height, "nothing is below its edge", lowest)
    cells = []
    for path in root.iter(space + "path"):
        for x, y, w, h in re.findall(r"M([\d.]+) ([\d.]+)h([\d.]+)v([\d.]+)h-", path.get("d")):
            cells.append([float(v) for v in (x, y, w, h)])
    # admit 1, persist 2, peer-persist 1, complete 1 + 4, append 1: by slot and interval
    ok(len(cells) == 10, "a cell for each slot of each interval", cells)
    ok(all(44 <= x and x + w <= 290.2 and 20 <= y and y + h <= 112.2 for x, y, w, h in cells),
       "inside of its panel", cells)
    ok(all(abs(w - 123) < 0.2 for _, _, w, _ in cells), "each interval is as wide as it lasted")
    empty = ET.fromstring(draw("svg", "interval 1 1000 0\n"))
    ok("nothing was measured" in "".join(empty.itertext()), "nothing to draw is said")


def test_many():
    text = "".join(f"interval {i} 1000 0\nadd 1 read - {1 << i % 30} 3\n" for i in range(1, 1000))
    root = ET.fromstring(draw("svg", text))
    ok("2997, p50" in "".join(root.itertext()), "a long run is folded and loses nothing")


def test_options():
    for args in (["-i", "0"], ["-i", "nan"], ["-i", "1x"], ["-i", ""], ["-c", "0"], ["-c", "-1"],
                 ["-s", "x"], ["-s", ""], ["--heat=x"], ["--attach", "tp"], ["word"], ["--nono"]):
        p = lat(*args)
        ok(p.returncode == 2 and "--help" in p.stderr and not p.stdout,
           f"refused: {' '.join(args)}", p)
    p = lat("--help")
    ok(p.returncode == 0 and not p.stderr, "--help", p)
    options = set(re.findall(r"(?:^|\s)(--[a-z][a-z-]*)", p.stdout))
    man = open(MAN, encoding="utf-8").read()
    missing = [o for o in options if not re.search(rf"^\.It Fl .*-{o[2:]}\b", man, re.M)]
    ok(len(options) > 10 and not missing, "the manual names every option", missing)
    ok(all(f"Cm {s}\n" in man or f"Cm {s} " in man for s in ("tp_btf", "raw_tp", "auto")),
       "and the ways to attach")


def test_man():
    try:
        p = subprocess.run(["mandoc", "-Tlint", "-Wwarning", MAN], capture_output=True,
                           text=True, check=False)
    except FileNotFoundError:
        skip("mandoc finds no fault", "no mandoc here")
        return
    ok(p.returncode == 0 and not p.stdout, "mandoc finds no fault", p.stdout)


test_table()
test_bars()
test_heat()
test_json()
test_svg()
test_many()
test_options()
test_man()
done()
