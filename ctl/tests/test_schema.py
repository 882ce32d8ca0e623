#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""status -j and latency -j against docs/schema/, and the schemas against the core."""
import json
import os
import re

from taplib import ROOT, Sandbox, done, ok

SCHEMA = json.load(open(os.path.join(ROOT, "docs/schema/status.json"),
                        encoding="utf-8"))
LATENCY = json.load(open(os.path.join(ROOT, "docs/schema/latency.json"),
                         encoding="utf-8"))
TEXT_C = open(os.path.join(ROOT, "kmod/core/text.c"), encoding="utf-8").read()
TYPES = {"object": dict, "array": list, "string": str, "integer": int,
         "boolean": bool, "null": type(None)}


def faults(value, schema, where="$"):
    """The part of JSON schema that the file uses."""
    if "enum" in schema:
        return [] if value in schema["enum"] else [f"{where}: {value!r}"]
    names = schema["type"]
    names = names if isinstance(names, list) else [names]
    if not any(isinstance(value, TYPES[n]) and
               not (n == "integer" and isinstance(value, bool)) for n in names):
        return [f"{where}: {value!r} is not {names}"]
    bad = []
    if isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        bad.append(f"{where}: {value!r} does not match")
    if isinstance(value, int) and value < schema.get("minimum", value):
        bad.append(f"{where}: {value} is too small")
    if isinstance(value, list):
        for i, v in enumerate(value):
            bad += faults(v, schema["items"], f"{where}[{i}]")
    if isinstance(value, dict):
        bad += [f"{where}: {k} is missing" for k in schema["required"]
                if k not in value]
        for k, v in value.items():
            if k in schema["properties"]:
                bad += faults(v, schema["properties"][k], f"{where}.{k}")
            else:
                bad.append(f"{where}: {k} is not in the schema")
    return bad


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
    fresh.ctl("link", "a", "b", "--pair")
    check(fresh, "linked")
    fresh.ctl("demote", "a")
    check(fresh, "demoted")
ok(faults({"seq": -1, "members": [], "x": 0}, SCHEMA) != [], "the checker finds faults")
test_words()
done()
