#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""status, latency and record -j against docs/schema/, and the schemas against the core."""
import json
import os
import re
import sys

from taplib import ROOT, Sandbox, done, ok

sys.path.insert(0, os.path.join(ROOT, "tools"))
from schema import faults  # noqa: E402

SCHEMA = json.load(open(os.path.join(ROOT, "docs/schema/status.json"),
                        encoding="utf-8"))
LATENCY = json.load(open(os.path.join(ROOT, "docs/schema/latency.json"),
                         encoding="utf-8"))
RECORD = json.load(open(os.path.join(ROOT, "docs/schema/record.json"),
                        encoding="utf-8"))
TEXT_C = open(os.path.join(ROOT, "kmod/core/text.c"), encoding="utf-8").read()


def check(box, what):
    r = box.ctl("status", "-j")
    bad = faults(r.json, SCHEMA)
    ok(r.code == 0 and not bad, what, bad)


def words_of(function):
    m = re.search(rf"{function}\(.*?\n}}\n", TEXT_C, re.S)
    return set(re.findall(r'"([\w-]+)"', m.group(0))) - {"?"}


def latency(box, what, *args, **env):
    r = box.ctl("latency", *args, "-j", **env)
    bad = faults(r.json, LATENCY)
    ok(r.code == 0 and not bad, what, (bad, r))


def test_words():
    row = LATENCY["properties"]["stages"]["items"]["properties"]
    ok(set(row["stage"]["enum"]) == words_of("swb_text_stage"),
       "the words of swb_text_stage()")
    member = SCHEMA["properties"]["members"]["items"]["properties"]
    peer = member["peers"]["items"]["properties"]
    for words, function in ((member["conditions"]["items"]["enum"], "swb_text_condition"),
                            (member["role"]["enum"], "swb_text_role"),
                            (peer["state"]["enum"], "swb_text_peer_state"),
                            (member["stats"]["required"], "swb_text_stat")):
        ok(set(words) == words_of(function), f"the words of {function}()",
           set(words) ^ words_of(function))


def test_checker():
    thing = {"type": "object", "required": ["a"], "additionalProperties": False,
             "properties": {"a": {"type": "integer", "minimum": 1},
                            "b": {"type": "string", "pattern": "^x"},
                            "c": {"enum": [1, "y", None]},
                            "d": {"type": ["boolean", "null"]},
                            "e": {"type": "array", "items": {"type": "number"}},
                            "f": {"type": "object",
                                  "additionalProperties": {"type": "number"}}}}
    good = {"a": 1, "b": "xyz", "c": None, "d": True, "e": [1, 1.5], "f": {"any": 2}}
    ok(not faults(good, thing), "the checker takes what is right", faults(good, thing))
    for what, more in (("too small", {"a": 0}), ("a fraction", {"a": 1.5}),
                       ("True for an integer", {"a": True}), ("a pattern", {"b": "yx"}),
                       ("a word", {"c": "z"}), ("True for a 1", {"c": True}),
                       ("1 for True", {"d": 1}), ("an item", {"e": [1, "2"]}),
                       ("True for a number", {"e": [True]}), ("a value", {"f": {"any": "2"}}),
                       ("no object", {"f": []}), ("an unknown name", {"g": 1})):
        ok(len(faults(dict(good, **more), thing)) == 1, f"the checker finds: {what}")
    del good["a"]
    ok(len(faults(good, thing)) == 1, "the checker finds: a name that is missing")


with Sandbox() as fresh:
    check(fresh, "no member")
    fresh.pair()
    check(fresh, "two members without a role")
    fresh.ctl("promote", "a")
    check(fresh, "a primary and a replica")
    latency(fresh, "latency of a primary", "db")
    latency(fresh, "latency of a replica", "b")
    latency(fresh, "--why, a peer", "a", "--why", SWB_FAKE_SLOW="b")
    latency(fresh, "--why, the own log", "a", "--why", "--peer", "b")
    latency(fresh, "--why of a replica: nothing", "b", "--why")
    got = fresh.ctl("record", "a", "-j")
    ok(got.code == 0 and not faults(got.json, RECORD), "record -j", got)
    fresh.ctl("link", "a", "b", "--pair")
    check(fresh, "linked")
    fresh.ctl("demote", "a")
    check(fresh, "demoted")
test_checker()
test_words()
done()
