#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""/metrics for shell tests. The page is read strictly; an invalid one is an error.

metrics.py URL get NAME [LABEL=VALUE...]	the value of the only such sample
metrics.py URL agrees MEMBER	counters and histograms lie between those that swblockctl
				tells before and behind; says how many were compared
"""
import json
import os
import subprocess
import sys
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "../../ctl/tests"))
from promtext import parse  # noqa: E402  pylint: disable=wrong-import-position

HIST = "swblock_stage_duration_seconds"


def fetch(url):
    """The page."""
    with urllib.request.urlopen(url, timeout=20) as r:
        return parse(r.read().decode("utf8"))


def ctl(*args):
    """What swblockctl says."""
    return json.loads(subprocess.run(["swblockctl", *args, "-j"], check=True,
                                     capture_output=True, text=True).stdout)


def told(member):
    """Counters, by (sample, labels), as swblockctl has them now."""
    status = ctl("status", member, "--local")["members"][0]
    out = {(f"swblock_{k}_total", ()): v for k, v in status["stats"].items()}
    latency = ctl("latency", member)
    out["swblock_untimed_records_total", ()] = latency["missed"]
    for s in latency["stages"]:
        at = (("stage", s["stage"]), ("of", s["member"] or ""))
        out[HIST + "_count", at] = s["count"]
        out[HIST + "_sum", at] = s["sum_ns"]
        for i in range(9, 37):
            out[HIST + "_bucket", at + (("le", f"{(1 << i) / 1e9:.9f}"),)] = sum(
                b["count"] for b in s["buckets"] if b["from_ns"] < 1 << i)
    return out


def agrees(url, member):
    """Nothing that counts goes back, so the page lies between two looks."""
    volume, name = member.split("/")
    before, page, behind = told(member), fetch(url), told(member)
    for (sample, labels), low in before.items():
        value = page.one(sample, volume=volume, member=name, **dict(labels))
        if value is not None and sample.endswith("_sum"):
            value = round(value * 1e9)
        if value is None or not low <= value <= behind[sample, labels]:
            sys.exit(f"{sample} {dict(labels)}: {low} <= {value} <= "
                     f"{behind[sample, labels]} is not so")
    print(len(before))


def main(url, verb, *args):
    """One question."""
    if verb == "agrees":
        agrees(url, *args)
        return
    value = fetch(url).one(args[0], **dict(a.split("=", 1) for a in args[1:]))
    if value is None:
        sys.exit(f"no single {' '.join(args)}")
    print(f"{value:g}" if value < 1e6 else int(value))


main(*sys.argv[1:])
