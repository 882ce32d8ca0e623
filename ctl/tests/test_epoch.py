#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""assign, promote, adopt: the two compare-and-swaps, evidence, override, lease.

The kernel is tests/fake_nl.c, the judge is the core's.
"""
import json
import subprocess
import time

from taplib import Sandbox, done, ok

STRANGER = "00000000-1111-4222-8333-444444444444"


def error_of(r):
    return r.json["error"]["code"]


def status(box, name):
    return box.ctl("status", name, "-j").json["members"][0]


def lost_primary(box, *assign):
    """a was primary and in sync with b; a is gone."""
    box.pair(*assign)
    assert box.ctl("promote", "a").code == 0
    assert box.ctl("link", "a", "b", "--pair").code == 0
    assert box.ctl("remove", "a").code == 0


def test_assign(box):
    box.member("a")
    box.member("b", like="a")
    for args, code in ((["--members", "a,b"], 2), (["--mode", "sync_all"], 2),
                       (["--members", "a,c", "--mode", "sync_all"], 3),
                       (["--members", "a,a", "--mode", "sync_all"], 2),
                       (["--members", "a,b", "--mode", "fast"], 2),
                       (["--members", "a,b", "--mode", "sync_quorum"], 4),
                       (["--members", "a,b,c:" + STRANGER, "--mode", "sync_quorum",
                         "--required", "a,b"], 4),
                       (["--members", "a,b", "--mode", "sync_all",
                         "--required", ","], 2),
                       (["--members", "a,b", "--mode", "sync_all",
                         "--required", "c"], 2),
                       (["--members", "a,b", "--mode", "sync_all",
                         "--lease", "5ms"], 2)):
        r = box.ctl("assign", "db", *args, "-j")
        ok(r.code == code, "assign " + " ".join(args), r)
    r = box.ctl("assign", "db", "--members", "a,b", "--mode", "sync_all", "-j")
    rec = r.json["record"]
    ok(r.code == 0 and rec["phase"] == "new" and
       [m["required"] for m in rec["config"]["members"]] == [True, True],
       "the record is made; required are all", r)
    r = box.ctl("assign", "db", "--policy", "written", "-j")
    ok(r.json["record"]["config"]["policy"] == "written" and
       r.json["record"]["epoch"] == 0, "before any grant it is just rewritten", r)
    r = box.ctl("assign", "db", "--policy", "written")
    ok(r.code == 0 and "nothing to change" in r.out, "twice is once", r)


def test_remote_member(box):
    box.member("a")
    uuid = "11111111-2222-4333-8444-555555555555"
    r = box.ctl("assign", "db", "--members", f"a,b:{uuid}", "--mode",
                "best_effort", "-j")
    ok(r.code == 0 and r.json["record"]["members"][1] ==
       {"replica": uuid, "label": "b"}, "a member of another host by uuid", r)


def test_promote(box):
    box.pair()
    r = box.ctl("promote", "a", "-j")
    ok(r.code == 0 and r.json["epoch"] == 1 and r.json["settled"] is False,
       "the first epoch, not settled without the peer", r)
    ok(status(box, "a")["role"] == "primary" and
       status(box, "b")["role"] == "replica" and
       status(box, "b")["primary"] == status(box, "a")["replica"],
       "the other member was told whom to follow")
    ok([h["action"] for h in box.history()] == ["grant", "win", "assign"],
       "two compare-and-swaps (P3)", box.history())
    r = box.ctl("link", "a", "b", "--pair", "-j")
    ok(r.code == 0 and r.json["state"] == "in_sync" and r.json["case"] == "J",
       "linked, with its case letter", r)
    ok(box.record()["phase"] == "settled", "and thereby settled (P1)")
    r = box.ctl("promote", "b", "-j")
    ok(r.code == 0 and r.json["epoch"] == 2 and
       status(box, "a")["role"] == "replica", "switched over", r)
    r = box.ctl("promote", "c", "-j")
    ok(r.code == 3, "nobody is promoted who is not there", r)


def test_dry_run(box):
    box.pair()
    before = box.record()
    r = box.ctl("promote", "a", "--dry-run", "-j")
    ok(r.code == 0 and r.json["epoch"] == 1 and box.record() == before and
       status(box, "a")["epoch"] == 0, "--dry-run changes nothing", r)


def test_evidence_missing(box):
    lost_primary(box, "best_effort")
    r = box.ctl("promote", "b", "-j")
    ok(r.code == 4 and error_of(r) == "EVIDENCE_MISSING" and
       "no usable report from a" in r.json["error"]["message"],
       "last primary silent: refused, and says who is missing", r)
    ok(status(box, "b")["role"] == "none" and box.record()["phase"] == "won",
       "nothing was granted")


def test_no_lease(box):
    lost_primary(box)
    r = box.ctl("promote", "b", "-j")
    ok(r.code == 0 and r.json["overridden"] is False and
       any("old data" in n for n in r.json["notes"]),
       "sync_all without lease: promoted, and said what that gives up", r)
    box.ctl("add", box.path("a.img"))
    box.ctl("link", "b", "a", "--pair")
    box.ctl("remove", "b")
    r = box.ctl("promote", "a", "--primary-gone", "-j")
    ok(r.code == 0 and "notes" not in r.json, "unless the operator knows", r)


def test_best_effort(box):
    lost_primary(box, "best_effort")
    r = box.ctl("promote", "b", "--primary-gone", "-j")
    ok(r.code == 4 and "case K" in r.json["error"]["message"],
       "best_effort needs the last primary's own report (P15)", r)
    r = box.ctl("promote", "b", "--override", "-j")
    ok(r.code == 2, "an override needs a reason", r)
    r = box.ctl("promote", "b", "--override", "--reason", "fire", "-j")
    ok(r.code == 4 and any("MAY BE LOST" in n for n in r.json["notes"]),
       "without --yes it only says what may be lost", r)
    r = box.ctl("promote", "b", "--override", "--reason", "fire", "--yes", "-j")
    ok(r.code == 0 and r.json["overridden"] is True, "with it, it is done", r)
    h = [x for x in box.history() if x["action"] == "grant_override"]
    ok(len(h) == 1 and h[0]["reason"] == "fire" and
       box.record()["overridden"] == h[0]["epoch"],
       "and kept in the record (ambiguity 20)", h)


def test_rank(box):
    """a holds records that b lacks, and reports: b must not win."""
    box.pair("best_effort")
    assert box.ctl("promote", "a").code == 0
    box.ctl("status", SWB_FAKE_WRITE="a:10")
    r = box.ctl("promote", "b", "-j")
    ok(r.code == 4 and "case G" in r.json["error"]["message"],
       "a better log is known: refused", r)
    r = box.ctl("promote", "b", "--override", "--reason", "x", "-j")
    ok(any("LOST for certain: committed records 1 to 11" in n
           for n in r.json.get("notes", [])), "the loss in numbers", r)
    r = box.ctl("promote", "a", "-j")
    ok(r.code == 0, "the better one may", r)


def test_silent_member(box):
    box.pair()
    r = box.ctl("promote", "a", "--timeout", "1", "-j", SWB_FAKE_SILENT="b")
    ok(r.code == 0 and any("did not report" in n for n in r.json["notes"]),
       "a silent replica is no obstacle to the first epoch", r)
    r = box.ctl("promote", "b", "--timeout", "1", "-j", SWB_FAKE_SILENT="b")
    ok(r.code == 4 and "case E" in r.json["error"]["message"],
       "a silent candidate is", r)


def test_report_files(box):
    """b is promoted here; a lives in another kernel, on another host."""
    lost_primary(box, "best_effort")
    r = box.ctl("promote", "b", "-j")
    hint = r.json["error"]["hint"]
    ok("swblockctl adopt" in hint and "--report" in hint, "the hint says how", hint)
    rec = box.record()
    with Sandbox() as host:
        host.env["SWBLOCK_STORE"] = host.path("none.db")
        r = host.ctl("add", box.path("a.img"))
        info = box.ctl("authority", "-j").json
        order = ["--epoch", rec["epoch"], "--store-uuid", info["store"],
                 "--store-generation", info["store_generation"]]
        r = host.ctl("adopt", "a", *order, "-j")
        ok(r.code == 0 and r.json["report"]["adopted"] == rec["epoch"],
           "the other host adopts by the numbers", r)
        report = box.path("a.json")
        with open(report, "w", encoding="utf-8") as f:
            f.write(r.out)
        r = host.ctl("adopt", "a", "--epoch", "5", "-j")
        ok(r.code == 2, "the numbers go together", r)
        bad = json.loads(open(report, encoding="utf-8").read())
        for key, value, what in (("volume", "1" * 8 + "-0000-0000-0000-" + "0" * 12,
                                  "another volume"),
                                 ("store_generation", 9, "another generation")):
            with open(box.path("bad.json"), "w", encoding="utf-8") as f:
                json.dump(dict(bad, **{key: value}), f)
            r = box.ctl("promote", "b", "--report", box.path("bad.json"), "-j")
            ok(r.code == 4, f"a report of {what} is refused", r)
        r = box.ctl("promote", "b", "--report", box.path("a.img"), "-j")
        ok(r.code == 1, "a report that is none is refused", r)
        r = box.ctl("promote", "b", "--report", report, "--policy", "written", "-j")
        ok(r.code == 0 and r.json["epoch"] == rec["epoch"] and
           r.json["config"]["policy"] == "written",
           "with the report the same epoch is granted, as asked for now", r)
        r = box.ctl("promote", "b", "--report", report, "-j")
        ok(r.code == 4 and error_of(r) == "RECORD_MOVED_ON",
           "a report is good for one epoch", r)
        with open(box.path("db.json"), "w", encoding="utf-8") as f:
            f.write(box.ctl("authority", "db", "-j").out)
        r = host.ctl("adopt", "a", "--record", box.path("db.json"), "-j")
        ok(r.code == 0 and status(host, "a")["role"] == "replica",
           "by the record the other host's member follows", r)


def test_death_between_swaps(box):
    box.pair()
    r = box.ctl("promote", "a", SWBLOCKCTL_DIE_AT="won")
    ok(r.code == 99 and box.record()["phase"] == "won", "died after won", r)
    r = box.ctl("promote", "b", "-j")
    ok(r.code == 0 and r.json["epoch"] == 2, "the next epoch is another one", r)
    r = box.ctl("promote", "b", SWBLOCKCTL_DIE_AT="granted")
    ok(r.code == 99 and box.record()["phase"] == "granted" and
       status(box, "b")["role"] == "none", "died after granted", r)
    r = box.ctl("promote", "b", "-j")
    ok(r.code == 0 and r.json["epoch"] == 4,
       "a granted epoch is never used again by another run (P3)", r)


def test_lost_events(box):
    box.pair()
    r = box.ctl("promote", "a", "-j", SWB_FAKE_LOSE="1")
    ok(r.code == 0, "events lost while reports come in", r)
    r = box.ctl("remove", "b", "-j", SWB_FAKE_LOSE="1")
    ok(r.code == 0, "events lost while a member goes", r)
    r = box.ctl("add", box.path("b.img"), "-j", SWB_FAKE_LOSE="1")
    ok(r.code == 0 and r.json["case"] == "H", "events lost while one comes", r)


def test_change_is_an_epoch(box):
    box.pair()
    box.ctl("promote", "a")
    box.ctl("link", "a", "b", "--pair")
    r = box.ctl("assign", "db", "--required", "a", "-j")
    ok(r.code == 0 and r.json["record"]["epoch"] == 2 and
       status(box, "a")["role"] == "primary",
       "a change is a new epoch, same primary (ambiguity 11)", r)
    box.ctl("remove", "b")
    r = box.ctl("assign", "db", "--mode", "best_effort", "-j")
    ok(r.code == 0 and r.json["record"]["config"]["mode"] == "best_effort",
       "also the mode", r)
    r = box.ctl("assign", "db", "--mode", "sync_all", "--required", "a,b", "-j")
    ok(r.code == 0 and r.json["settled"] is False and
       len(r.json["record"]["granted"]) == 2,
       "an unsettled change keeps the old rule in the evidence (P1)", r)
    r = box.ctl("promote", "a", "--settle", "--timeout", "1", "-j")
    ok(r.code == 5, "it is not settled before its open record is committed", r)
    box.ctl("remove", "a")
    r = box.ctl("assign", "db", "--required", "a", "-j")
    ok(r.code == 4, "no change without the primary at hand", r)


def test_shrink_at_promotion(box):
    lost_primary(box)
    r = box.ctl("promote", "b", "--required", "b", "--primary-gone", "-j")
    ok(r.code == 0 and r.json["settled"] is True and
       [m["required"] for m in r.json["config"]["members"]] == [False, True],
       "fence and shrink in one epoch (ambiguity 8)", r)
    r = box.ctl("add", box.path("a.img"))
    r = box.ctl("link", "b", "a", "--pair", "-j")
    ok(r.code == 0 and status(box, "a")["role"] == "replica" and
       status(box, "a")["epoch"] == status(box, "b")["epoch"],
       "the old primary comes back: it adopts and follows", r)
    r = box.ctl("promote", "a", "-j")
    ok(r.code == 4, "outside the required set it cannot be primary", r)
    r = box.ctl("assign", "db", "--required", "a,b", "-j")
    ok(r.code == 0, "the set grows again", r)


def test_primary_only(box):
    box.pair("sync_all", "--required", "PRIMARYONLY")
    r = box.ctl("promote", "a", "-j")
    ok(r.code == 0 and [m["required"] for m in r.json["config"]["members"]] ==
       [True, False], "the primary alone, by explicit order", r)
    r = box.ctl("promote", "b", "--primary-gone", "-j")
    ok(r.code == 4, "then the other one lacks what it committed", r)


def test_lease(box):
    box.pair("sync_all", "--lease", "2s")
    r = box.ctl("promote", "a", "-j")
    ok(r.code == 0 and status(box, "a")["lease_ns"] > 0, "promoted with a lease", r)
    for args, code in ((["--for", "1s"], 0), (["--for", "2s"], 0),
                       (["--for", "3s"], 4), (["--for", "none"], 4)):
        r = box.ctl("lease", "a", *args, "-j")
        ok(r.code == code, "lease " + " ".join(args), r)
    r = box.ctl("lease", "b", "--for", "1s", "-j")
    ok(r.code == 4, "no lease for who was not granted (P13)", r)
    box.ctl("link", "a", "b", "--pair")
    box.ctl("remove", "a")
    start = time.monotonic()
    r = box.ctl("promote", "b", "-j")
    waited = time.monotonic() - start
    ok(r.code == 0 and waited >= 2.5, f"the lease was waited out: {waited:.1f} s", r)
    r = box.ctl("assign", "db", "--lease", "0", "-j")
    r = box.ctl("lease", "b", "--for", "none", "-j")
    ok(r.code == 0, "without a lease none is needed", r)


def test_two_controllers(box):
    """Two at once: each epoch has one owner, one candidate."""
    box.pair()
    box.env.pop("SWB_FAKE_STATE")       # the fake kernel is for one at a time
    runs = [subprocess.Popen([box.program, "promote", n, "-j"],
                             env=dict(box.env, SWB_FAKE_STATE=box.path("kernel")),
                             stdout=subprocess.PIPE, text=True)
            for n in ("a", "b", "a", "b")]
    codes = [p.wait() for p in runs]
    for p in runs:
        p.stdout.close()
    h = [x for x in box.history() if x["action"] == "grant"]
    ok(len(h) == len({x["epoch"] for x in h}) and 0 in codes,
       "two controllers at once: one grant an epoch", (codes, h))


def test_store(box):
    box.pair()
    r = box.ctl("promote", "a", "--store", box.path("other.db"), "-j")
    ok(r.code == 1 and error_of(r) == "STORE_ERROR", "no store there", r)
    with open(box.path("bad.db"), "w", encoding="utf-8") as f:
        f.write("x" * 5000)
    r = box.ctl("promote", "a", "--store", box.path("bad.db"), "-j")
    ok(r.code == 1 and error_of(r) == "STORE_ERROR", "that is no store", r)
    box.ctl("promote", "a")
    r = box.ctl("assign", "db", "--members", "a,b", "--mode", "sync_all",
                "--store", box.path("second.db"), "-j")
    r = box.ctl("promote", "a", "--store", box.path("second.db"), "-j")
    ok(r.code == 4 and error_of(r) == "REFUSED",
       "a second store for the same member is refused (P17c)", r)
    r = box.ctl("authority", "--new-generation", "-j")
    ok(r.code == 4, "a new generation is not raised by the way", r)
    r = box.ctl("authority", "--new-generation", "--reason", "restored", "--yes",
                "-j")
    ok(r.code == 0 and r.json["store_generation"] == 2, "but by order", r)
    r = box.ctl("promote", "a", "-j")
    ok(r.code == 0, "and the members follow it", r)
    r = box.ctl("authority", "nothing", "-j")
    ok(r.code == 3, "no such volume", r)


def test_label_again(box):
    """A volume is gone, and a new one gets its label."""
    box.pair()
    box.ctl("promote", "a")
    box.ctl("remove", "a")
    box.ctl("remove", "b")
    disk = box.disk("new.img")
    box.ctl("format", "--file", disk, "--volume", "db", "--replica", "a")
    box.ctl("add", disk)
    args = ["assign", "db", "--members", "a", "--mode", "best_effort", "-j"]
    r = box.ctl(*args)
    ok(r.code == 4 and "--retire" in r.json["error"]["hint"],
       "the label is taken in the store", r)
    r = box.ctl("authority", "db", "--retire", "-j")
    ok(r.code == 0 and r.json["label"].startswith("db."), "the old one is retired", r)
    ok(box.ctl(*args).code == 0 and box.ctl("promote", "a").code == 0,
       "the new one has the label")
    r = box.ctl("add", box.path("a.img"))
    r = box.ctl("promote", "1", "--dry-run", "-j")
    ok(r.code == 0 and r.json["epoch"] == 2, "and the old one keeps its epochs", r)


def test_attach_failures(box):
    disk = box.disk("blank.img")
    r = box.ctl("add", disk, "-j")
    e = r.json["error"]
    ok(r.code == 1 and e["code"] == "ATTACH_REFUSED" and "case C" in e["message"]
       and "format" in e["hint"], "a blank disk: letter, meaning, what to do", r)
    r = box.ctl("add", box.path("nothing"), "-j")
    ok(r.code == 3, "no such device", r)


for test in (test_assign, test_remote_member, test_promote, test_dry_run,
             test_evidence_missing, test_no_lease, test_best_effort, test_rank,
             test_silent_member, test_report_files, test_death_between_swaps,
             test_lost_events, test_change_is_an_epoch,
             test_shrink_at_promotion, test_primary_only, test_lease,
             test_two_controllers, test_store, test_label_again, test_attach_failures):
    with Sandbox() as fresh:
        test(fresh)
done()
