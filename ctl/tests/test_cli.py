#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Command line: help, slips, exit codes, errors as text and as JSON."""
import json
import os
import re
import subprocess

from taplib import CTL, ROOT, Sandbox, done, ok, skip

GROUPS = ["volume create", "volume list", "volume set", "volume move", "volume add",
          "volume drop", "volume replace", "volume rebuild", "volume verify",
          "volume suspend", "volume resume", "volume delete", "node list", "store check",
          "store dump"]
VERBS = ["health", "events", "format", "add", "remove", "assign", "adopt", "promote", "demote",
         "lease", "link", "unlink", "rebuild", "tune", "status", "monitor", "explain",
         "authority", "info", "suspend", "resume", "resize",
         "verify", "latency", "record"]


def error_of(r):
    return r.json["error"]


def test_help(box):
    r = box.ctl("--help")
    ok(r.code == 0 and all(f"\n  {v} " in r.out for v in VERBS),
       "the overview names every verb", r)
    for v in GROUPS + VERBS:
        r = box.ctl(*v.split(), "--help")
        ok(r.code == 0 and r.out.startswith(f"Usage: swblockctl {v}") and
           "Example:\n" in r.out, f"{v} --help has usage and an example", r)
        ok(box.ctl(*v.split(), "-h").out == r.out, f"{v} -h is the same")
    r = box.ctl("--version")
    ok(r.code == 0 and r.out.startswith("swblockctl "), "--version", r)
    ok(box.ctl("-V", "-j").json["version"], "-V -j")


def test_slips(box):
    r = box.ctl()
    ok(r.code == 2, "no verb is a usage error", r)
    r = box.ctl("stauts")
    ok(r.code == 2 and 'did you mean "status"?' in r.err, "a verb misspelt", r)
    r = box.ctl("frobnicate")
    ok(r.code == 2 and "--help" in r.err, "a verb like no other", r)
    r = box.ctl("promote", "x", "--overide")
    ok(r.code == 2 and "did you mean --override?" in r.err, "an option misspelt", r)
    r = box.ctl("promote", "x", "-json")
    ok(r.code == 2 and "--json" in r.err, "one dash too few", r)
    for args in (["add"], ["add", "a", "b"], ["status", "a", "b"], ["latency"],
                 ["record"], ["record", "a", "--all", "."],
                 ["record", "--read", "x", "-o", "y"], ["record", "a", "-n", "0"],
                 ["link", "a"], ["status", "--timeout"],
                 ["status", "--timeout", "0"], ["status", "--timeout", "x"],
                 ["status", "--json=1"], ["status", "--color", "maybe"],
                 ["promote", "x", "--override"], ["lease", "x"],
                 ["lease", "x", "--for", "soon"], ["link", "a", "b"],
                 ["link", "a", "b", "--pair", "--listen", "x:1"],
                 ["link", "a", "b", "--pair", "--key", "x"],
                 ["link", "a", "b", "--listen", ":1", "--key", "x", "--insecure"],
                 ["tune", "a"], ["tune", "a", "--io-deadline", "0"],
                 ["tune", "a", "--io-deadline", "99ms"],
                 ["tune", "a", "--io-deadline", "25h"], ["add", "x", "--minor", "y"],
                 ["monitor", "--count", "0"], ["format", "x", "--size", "big"],
                 ["format", "x", "--block-size", "1024"],
                 ["format", "x", "--volume", "a/b"],
                 ["format", "x", "--like", "y", "--size", "1G"]):
        r = box.ctl(*args)
        ok(r.code == 2 and r.err.startswith("swblockctl: error: "),
           "usage: " + " ".join(args), r)
        r = box.ctl(*args, "-j")
        ok(r.code == 2 and error_of(r)["code"] == "USAGE" and not r.err,
           "and as JSON: " + " ".join(args), r)


def test_json_position(box):
    for args in (["-j", "status"], ["status", "-j"], ["status", "--json"]):
        r = box.ctl(*args)
        ok(error_of(r)["code"] == "NO_MODULE" and r.code == 6,
           "no module: " + " ".join(args), r)
    r = box.ctl("-j", "--", "-x")
    ok(r.code == 2 and error_of(r)["code"] == "USAGE", "words behind --", r)


def test_no_module(box):
    """Without the module every verb that needs it says so, with exit code 6."""
    for args in (["status"], ["info"], ["add", "/dev/null"], ["remove", "a"],
                 ["promote", "a"], ["adopt", "a"], ["demote", "a"],
                 ["lease", "a", "--for", "3s"], ["link", "a", "b", "--pair"],
                 ["unlink", "a", "b"], ["monitor"], ["explain", "a"],
                 ["tune", "a", "--io-deadline", "3s"],
                 ["assign", "db", "--members", "a", "--mode", "sync_all"]):
        r = box.ctl(*args)
        ok(r.code == 6 and "modprobe" in r.err, "no module: " + args[0], r)
        r = box.ctl(*args, "-j")
        ok(r.code == 6 and error_of(r)["hint"], f"and as JSON: {args[0]}", r)


def test_members(box):
    box.pair()
    uuid = box.ctl("status", "a", "-j").json["members"][0]["replica"]
    for name in ("a", "db/a", "swblock0", "/dev/swblock0", "0", uuid,
                 uuid.upper()):
        r = box.ctl("status", name, "-j")
        ok(r.code == 0 and [m["replica_label"] for m in r.json["members"]] ==
           ["a"], f"a member by \"{name}\"", r)
    for name in ("c", "db/c", "x/a", "swblock7", "/dev/sda", "9", "uuid",
                 "00000000-0000-0000-0000-000000000000"):
        r = box.ctl("status", name, "-j")
        ok(r.code == 3 and error_of(r)["code"] == "NO_SUCH_OBJECT",
           f"no member \"{name}\"", r)
    disk = box.disk("x.img")
    box.ctl("format", "--file", disk, "--volume", "other", "--replica", "a")
    box.ctl("add", disk)
    r = box.ctl("status", "a", "-j")
    ok(r.code == 3 and error_of(r)["code"] == "AMBIGUOUS_NAME",
       "a label of two volumes", r)
    ok(box.ctl("status", "other/a").code == 0, "with its volume it is clear")


def test_color(box):
    box.pair()
    ok("\033[" in box.ctl("status", "--color", "always").out, "colour by order")
    ok("\033[" not in box.ctl("status").out, "no colour into a pipe")
    ok("\033[" not in box.ctl("status", "--color", "never").out, "none by order")


def test_verbs_json(box):
    """Every verb that succeeds prints one JSON object and nothing else."""
    box.pair()
    for args in (["promote", "a"], ["link", "a", "b", "--pair"], ["status"],
                 ["explain", "a"], ["explain", "a", "b"], ["authority"],
                 ["authority", "db", "--history"], ["info"],
                 ["tune", "a", "--io-deadline", "60s"], ["unlink", "a", "b"],
                 ["tune", "a", "--rebuild-rate", "10M", "--catchup-stall", "1m",
                  "--catchup-max", "0", "--rebuild-auto", "delta"],
                 ["adopt", "b"], ["promote", "b", "--dry-run"],
                 ["assign", "db", "--required", "a"], ["demote", "a"],
                 ["remove", "b"]):
        r = box.ctl(*args, "-j")
        ok(r.code == 0 and isinstance(r.json, dict) and not r.err,
           "JSON: " + " ".join(args), r)


def test_rebuild(box):
    """The order goes to a primary; a member that sync_all requires is refused."""
    box.pair()
    r = box.ctl("rebuild", "a", "b", "-j")
    ok(r.code != 0 and "primary" in error_of(r)["message"], "not by a replica", r)
    box.ctl("promote", "a")
    r = box.ctl("rebuild", "a", "b", "-j")
    ok(r.code != 0 and "requires" in error_of(r)["message"],
       "not of a member that is required", r)
    box.ctl("assign", "db", "--mode", "best_effort")
    r = box.ctl("rebuild", "a", "b", "--wait", "-j")
    ok(r.code == 0 and r.json["allowed"] and r.json["state"] == "in_sync",
       "allowed, and waited for", r)
    peer = box.ctl("status", "a", "-j").json["members"][0]["peers"][0]
    ok(peer["rebuild"]["kind"] == "full" and
       peer["rebuild"]["done_bytes"] == peer["rebuild"]["todo_bytes"] > 0,
       "status tells kind and bytes", peer)
    ok(box.ctl("tune", "a", "--rebuild-auto", "x").code == 2, "a kind that is none")


def test_monitor(box):
    box.pair()
    r = box.ctl("monitor", "-j", "--for", "1s")
    lines = [json.loads(x) for x in r.out.splitlines()]
    ok(r.code == 0 and lines[0]["event"] == "start" and
       len(lines[0]["members"]) == 2 and "seq" in lines[0],
       "monitor starts with the state, one object a line", r)
    r = box.ctl("monitor", "-j", "--for", "1s", SWB_FAKE_LOSE="1")
    ok(json.loads(r.out.splitlines()[-1])["event"] == "gap",
       "lost events are shown as a gap, with the state after it", r)


def test_man(box):
    """The manual names every verb and option; mandoc and bash find no fault."""
    man = open(os.path.join(CTL, "man", "swblockctl.8"), encoding="utf-8").read()
    plain = man.replace("\\-", "-")
    missing = []
    for v in GROUPS + VERBS:
        for opt in re.findall(r"--([a-z-]+)", box.ctl(*v.split(), "--help").out):
            if f"Fl -{opt}" not in plain and f"--{opt}" not in plain:
                missing.append(f"{v} --{opt}")
        if f"Nm {v}" not in plain and f"Cm {v}" not in plain:
            missing.append(v)
    ok(not missing, "swblockctl(8) knows every verb and option", missing)
    for page in ("swblockctl.8", "swblock.7"):
        try:
            p = subprocess.run(["mandoc", "-Tlint", "-Wwarning",
                                os.path.join(CTL, "man", page)], check=False,
                               capture_output=True, text=True)
            ok(p.returncode == 0, f"mandoc finds no fault in {page}",
               p.stdout + p.stderr)
        except FileNotFoundError:
            skip(page, "mandoc is not installed")


def test_completion(box):
    path = os.path.join(CTL, "completion", "swblockctl")
    p = subprocess.run(["bash", "-n", path], check=False)
    ok(p.returncode == 0, "bash reads the completion")
    script = f"""
SWBLOCKCTL={box.program}
. {path}
complete_line() {{
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
    _swblockctl; echo "${{COMPREPLY[*]}}"
}}
complete_line swblockctl ""
complete_line swblockctl promote --
complete_line swblockctl assign db --mode ""
complete_line swblockctl volume ""
complete_line swblockctl volume create --
"""
    out = subprocess.run(["bash", "-c", script], check=False, text=True,
                         capture_output=True).stdout.splitlines()
    ok(len(out) == 5 and set(VERBS) | {"volume", "node", "store"} <= set(out[0].split()),
       "completion of verbs", out)
    ok(len(out) == 5 and set(out[3].split()) ==
       {v.split()[1] for v in GROUPS if v.startswith("volume ")},
       "completion of the second word", out)
    ok(len(out) == 5 and "--nodes" in out[4].split(), "and of its options", out)
    wanted = set(re.findall(r"--[a-z-]+", box.ctl("promote", "-h").out.split(
        "Options:")[1].split("Example:")[0]))
    ok(len(out) == 5 and wanted <= set(out[1].split()),
       "completion of options", (wanted, out))
    ok(len(out) == 5 and out[2].split() == ["best_effort", "sync_quorum", "sync_all"],
       "completion of values", out)


with Sandbox("swblockctl-asan", module=False) as real:
    test_help(real)
    test_slips(real)
    test_json_position(real)
    test_no_module(real)
    test_man(real)
    test_completion(real)
for test in (test_members, test_color, test_verbs_json, test_rebuild, test_monitor):
    with Sandbox() as fresh:
        test(fresh)
ok(os.path.isdir(ROOT), "the sandbox is gone")
done()
