#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The netlink spec against the uapi header and against what the module checks."""
import os
import re

import yaml

from taplib import ROOT, done, ok, skip

SPEC = os.path.join(ROOT, "docs/netlink/specs/swblock.yaml")
HEADER = os.path.join(ROOT, "kmod/uapi/linux/swblock.h")
NETLINK = os.path.join(ROOT, "kmod/netlink.c")
RECORD = os.path.join(ROOT, "kmod/netlink_record.c")

# What the kernel's schema for plain genetlink allows at each place.
KEYS = {
    "top": {"name", "doc", "protocol", "uapi-header", "definitions",
            "attribute-sets", "operations", "mcast-groups"},
    "definition": {"name", "header", "type", "doc", "value", "value-start",
                   "entries", "render-max"},
    "entry": {"name", "value", "doc"},
    "set": {"name", "name-prefix", "enum-name", "doc", "subset-of",
            "attributes"},
    "attribute": {"name", "type", "doc", "value", "type-value", "byte-order",
                  "multi-attr", "nested-attributes", "enum", "enum-as-flags",
                  "checks", "sub-type", "display-hint"},
    "checks": {"flags-mask", "min", "max", "min-len", "max-len", "exact-len"},
    "operations": {"enum-model", "name-prefix", "enum-name", "async-prefix",
                   "async-enum", "list"},
    "operation": {"name", "doc", "value", "attribute-set", "flags",
                  "dont-validate", "config-cond", "do", "dump", "notify",
                  "event", "mcgrp"},
    "do": {"request", "reply", "pre", "post"},
}
# name of a definition in the spec -> enum in the header
ENUMS = {"mode": "swblock_mode", "policy": "swblock_policy",
         "role": "swblock_role", "peer": "swblock_peer_state",
         "event": "swblock_event_kind", "table": "swblock_case_table",
         "reason": "swblock_reason", "rebuild": "swblock_rebuild",
         "stage": "swblock_stage"}
SETS = {"swblock": "swblock_attr", "config": "swblock_config_attr",
        "report": "swblock_report_attr", "cert": "swblock_cert_attr",
        "peer": "swblock_peer_attr", "stat": "swblock_stat",
        "latency": "swblock_latency_attr", "bucket": "swblock_bucket_attr"}
TYPES = {"bin16": "binary", "str": "string", "nest": "nest", "u8": "u8",
         "u32": "u32", "u64": "u64"}

spec = yaml.safe_load(open(SPEC, encoding="utf-8"))
header = open(HEADER, encoding="utf-8").read()


def c_name(prefix, name):
    return (prefix + name).upper().replace("-", "_")


def c_enum(name):
    """{C name: value}, and {C name: type in its comment}."""
    body = re.search(r"enum %s \{(.*?)\};" % name, header, re.S).group(1)
    values, types, value = {}, {}, -1
    for m in re.finditer(r"^\s*(SWBLOCK_\w+)\s*(?:=\s*(\d+))?,[ \t]*"
                         r"(?:/\*\s*(\w+)?)?", body, re.M):
        value = int(m.group(2)) if m.group(2) else value + 1
        values[m.group(1)] = value
        types[m.group(1)] = m.group(3)
    return values, types


def keys_ok(where, thing):
    extra = set(thing) - KEYS[where]
    return [f"{where} {thing.get('name')}: {extra}"] if extra else []


def test_keys():
    bad = keys_ok("top", spec) + keys_ok("operations", spec["operations"])
    for d in spec["definitions"]:
        bad += keys_ok("definition", d)
        for e in d.get("entries", []):
            bad += keys_ok("entry", e)
    for s in spec["attribute-sets"]:
        bad += keys_ok("set", s)
        for a in s["attributes"]:
            bad += keys_ok("attribute", a)
            bad += keys_ok("checks", a.get("checks", {}))
    for op in spec["operations"]["list"]:
        bad += keys_ok("operation", op)
        for way in ("do", "dump"):
            bad += keys_ok("do", op.get(way, {}))
    ok(not bad and spec["protocol"] == "genetlink",
       "only what plain genetlink specs may hold", bad)


def test_definitions():
    defs = {d["name"]: d for d in spec["definitions"]}
    for name, d in defs.items():
        if d["type"] == "const":
            m = re.search(r"#define %s\s+(\d+)" % c_name("swblock-", name), header)
            ok(m and int(m.group(1)) == d["value"], f"constant {name}")
        elif d["type"] == "enum":
            ours = {c_name(f"swblock-{name}-", e["name"]): e["value"]
                    for e in d["entries"]}
            ok(ours == c_enum(ENUMS[name])[0], f"enum {name}",
               (ours, c_enum(ENUMS[name])[0]))
        else:
            ours = {c_name(f"swblock-{name}-", e["name"]): 1 << i
                    for i, e in enumerate(d["entries"])}
            theirs = {m.group(1): int(m.group(2), 16) for m in re.finditer(
                r"#define (SWBLOCK_%s_\w+)\s+(0x[0-9a-f]+)" % name.upper(), header)}
            ok(ours == theirs, f"flags {name}", (ours, theirs))
    ok(set(ENUMS) <= set(defs), "every enum that users see is defined")


def test_attributes():
    for s in spec["attribute-sets"]:
        values, types = c_enum(SETS[s["name"]])
        names = [c_name(s["name-prefix"], a["name"]) for a in s["attributes"]]
        ours = {n: i + 1 for i, n in enumerate(names)}
        theirs = {n: v for n, v in values.items() if v}
        ok(ours == theirs, f"attributes of {s['name']}: names and numbers",
           set(ours.items()) ^ set(theirs.items()))
        wrong = [n for n, a in zip(names, s["attributes"])
                 if TYPES.get(types.get(n)) and a["type"] != TYPES[types[n]]]
        ok(not wrong, f"attributes of {s['name']}: types", wrong)
    known = {s["name"] for s in spec["attribute-sets"]}
    nests = {a["nested-attributes"] for s in spec["attribute-sets"]
             for a in s["attributes"] if a["type"] == "nest"}
    ok(nests <= known, "every nest is defined")
    ok(set(SETS) == known, "every attribute enum of the header is there")


def test_operations():
    ops = spec["operations"]["list"]
    values, _ = c_enum("swblock_cmd")
    ours = {c_name(spec["operations"]["name-prefix"], o["name"]): i + 1
            for i, o in enumerate(ops)}
    ok(ours == {n: v for n, v in values.items() if v}, "commands", ours)
    free = {o["name"] for o in ops if "flags" not in o}
    ok(free == {"get-info", "volume-get", "latency-get", "event"},
       "all that change anything need CAP_NET_ADMIN", free)
    names = {a["name"] for a in spec["attribute-sets"][0]["attributes"]}
    used = {a for o in ops for way in ("do", "dump") for side in o.get(way, {}).values()
            for a in side["attributes"]}
    used |= {a for o in ops for a in o.get("event", {}).get("attributes", [])}
    ok(used <= names, "operations use known attributes", used - names)
    ok(used | {"pad"} == names, "and every attribute is used by one",
       names - used)
    ok([g["name"] for g in spec["mcast-groups"]["list"]] == ["events"],
       "multicast group")


def way_of(op):
    """How it is asked: some only as a dump."""
    return op["do"] if "do" in op else op["dump"]


def test_header_prose():
    """Each command's paragraph in the header names what its request takes."""
    doc = re.search(r"enum swblock_cmd - commands(.*?)\*/", header, re.S).group(1)
    paragraphs = dict(re.findall(r"@SWBLOCK_CMD_(\w+):(.*?)(?=@|\Z)", doc, re.S))
    for op in spec["operations"]["list"]:
        if "event" in op or op["name"] in ("get-info", "volume-get"):
            continue
        text = paragraphs[op["name"].upper().replace("-", "_")]
        wanted = {a.upper().replace("-", "_")
                  for a in way_of(op)["request"]["attributes"]}
        ok(all(re.search(rf"\b{a}\b", text) for a in wanted),
           f"{op['name']}: the header names its attributes", (wanted, text))


def test_module():
    """What netlink.c lets in is what the spec says."""
    if not os.path.exists(NETLINK):
        skip("the module's checks", "kmod/netlink.c is not there")
        return
    code = open(NETLINK, encoding="utf-8").read()
    for op in spec["operations"]["list"]:
        if "event" in op or "do" not in op:
            continue
        fn = "do_" + op["name"].replace("-", "_")
        m = re.search(rf"\b{fn}\(struct sk_buff.*?\n}}\n", code, re.S)
        call = re.search(r"check\(info,(.*?)\);", m.group(0), re.S) if m else None
        if not ok(call, f"{op['name']}: the module checks its attributes"):
            continue
        theirs = {a.lower().replace("_", "-")
                  for a in re.findall(r"BIT_OF\((\w+)\)", call.group(1))}
        ours = set(op["do"].get("request", {}).get("attributes", []))
        ok(ours == theirs, f"{op['name']}: the same attributes", ours ^ theirs)
    ok([o["name"] for o in spec["operations"]["list"] if "do" not in o and
        "event" not in o] == ["record-get"], "one question is a dump only")
    theirs = re.findall(r"i != SWBLOCK_A_(\w+)", open(RECORD, encoding="utf-8").read())
    ok(theirs == ["VOLUME_ID"], "record-get: takes volume-id only", theirs)


test_keys()
test_definitions()
test_attributes()
test_operations()
test_header_prose()
test_module()
done()
