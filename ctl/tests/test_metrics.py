#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""/metrics of swblockd: who may have it, and that it says what status says."""
import contextlib
import http.client
import os
import re
import signal
import socket
import subprocess
import time

from promtext import parse
import taplib
from taplib import Sandbox, OUT, ROOT, ok, done

PORT = 40000 + os.getpid() % 20000
LINKS = 20000 + os.getpid() % 20000
PATH = "/metrics"


class Daemon(Sandbox):
    """A daemon beside members that were attached by hand."""

    def __init__(self, metrics=f"{{listen: '127.0.0.1:{PORT}'}}", **env):
        super().__init__()
        self.env.update({"SWB_FAKE_SHARED": "1", **env})
        self.metrics = metrics
        self.proc = None

    def __exit__(self, *unused):
        if self.proc:
            self.proc.kill()
            self.proc.wait()
        if "Sanitizer" in self.log():
            ok(False, "no sanitizer report", self.log()[-3000:])
        super().__exit__()

    def config(self, metrics=""):
        with open(self.path("a.yaml"), "w", encoding="utf8") as f:
            f.write(f"""node: a
runtime_dir: {self.dir}/run
store: {{address: {self.path("authority.db")}, timeout: 5s}}
links: {{listen: '127.0.0.1:{LINKS}'}}
""" + (f"metrics: {metrics}\n" if metrics else ""))
        return self.path("a.yaml")

    def start(self):
        with open(self.path("a.log"), "a", encoding="utf8") as log:
            self.proc = subprocess.Popen(
                [f"{OUT}/swblockd-fake", "-c", self.config(self.metrics)],
                env=self.env, stderr=log, stdout=log)
        wait(lambda: "the store is there" in self.log())

    def reload(self, metrics):
        self.config(metrics)
        self.proc.send_signal(signal.SIGHUP)

    def log(self):
        with contextlib.suppress(FileNotFoundError):
            with open(self.path("a.log"), encoding="utf8") as f:
                return f.read()
        return ""

    def ports(self):
        """Where it listens."""
        inodes = set()
        for fd in os.listdir(f"/proc/{self.proc.pid}/fd"):
            with contextlib.suppress(FileNotFoundError):
                inodes.add(os.readlink(f"/proc/{self.proc.pid}/fd/{fd}"))
        with open(f"/proc/{self.proc.pid}/net/tcp", encoding="utf8") as f:
            rows = [line.split() for line in f.readlines()[1:]]
        return {int(r[1].split(":")[1], 16) for r in rows
                if r[3] == "0A" and f"socket:[{r[9]}]" in inodes}


def wait(fn, seconds=30):
    """As long as these daemons may take."""
    return taplib.wait(fn, seconds)


def request(method="GET", path=PATH, port=PORT, body=None, headers=None):
    """Status, headers, body of an answer."""
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        c.request(method, path, body=body, headers=headers or {})
        r = c.getresponse()
        return r.status, dict(r.getheaders()), r.read().decode("utf8")
    finally:
        c.close()


def page():
    """The families of a valid page."""
    status, headers, text = request()
    assert status == 200, status
    assert headers["Content-Type"].startswith("text/plain; version=0.0.4"), headers
    return parse(text)


def idle():
    """A connection that asks for nothing."""
    return socket.create_connection(("127.0.0.1", PORT), timeout=20)


def test_off():
    with Daemon(metrics="") as d:
        d.start()
        ok(d.ports() == {LINKS}, "without an address nothing listens", d.ports())


def test_contents(d):
    pages = page()
    ok(pages.one("swblock_module_up") == 1, "the module is there")
    ok(pages.one("swblock_store_up") == 1, "and the store")
    for label in "ab":
        s = d.ctl("status", f"db/{label}", "--local", "-j").json["members"][0]
        who = {"volume": "db", "member": label}
        for role in ("primary", "replica", "none"):
            ok(pages.one("swblock_role", role=role, **who) == (s["role"] == role),
               f"{label} {role}: as status has it")
        ok(pages.one("swblock_epoch", **who) == s["epoch"], "epoch")
        for key, name in (("ring_bytes", "ring_bytes"),
                          ("ring_used", "ring_used_bytes"),
                          ("head_lsn", "head_lsn"), ("durable_lsn", "durable_lsn"),
                          ("committed_lsn", "committed_lsn")):
            ok(pages.one("swblock_" + name, **who) == s["log"][key], name)
        on = {x.labels["condition"] for x in pages.all("swblock_condition", **who)
              if x.value}
        ok(on == set(s["conditions"]), f"{label}: conditions", on)
        ok(len(pages.all("swblock_condition", **who)) == 15, "each of them is told")
        for name, value in s["stats"].items():
            ok(pages.one(f"swblock_{name}_total", **who) == value > 1000,
               f"{label}: counter {name}")
        ok(pages.one("swblock_member_info", device=s["device"][5:], volume_uuid=s["volume"],
                     replica_uuid=s["replica"], **who) == 1, "ids")
        for p in s["peers"]:
            at = {"peer": p["label"], **who}
            state = [x.labels["state"] for x in pages.all("swblock_peer_state", **at)
                     if x.value]
            ok(state == [p["state"]], f"{label}: state of its peer", state)
            ok(pages.one("swblock_peer_in_sync", **at) == (p["state"] == "in_sync"),
               "in sync or not")
            ok(pages.one("swblock_peer_behind_records", **at) == p["behind_records"],
               "records behind")
    ok(len(pages.all("swblock_peer_state", member="a", peer="b")) == 7,
       "a has its peer b, with every state")


def test_documented(d):
    """Families and docs/design/observability.md name the same, with the same types."""
    kinds = {}
    with open(os.path.join(ROOT, "docs/design/observability.md"), encoding="utf8") as f:
        for line in f:
            m = re.match(r"\| (`swblock_\w+`(?:, `swblock_\w+`)*) \| (\w+) \|", line)
            for name in re.findall(r"`(\w+)`", m[1]) if m else []:
                kinds[name] = m[2]
    stats = d.ctl("status", "db/a", "--local", "-j").json["members"][0]["stats"]
    kinds.update({f"swblock_{s}_total": kinds["swblock_NAME_total"] for s in stats})
    del kinds["swblock_NAME_total"]
    ok(page().types == kinds and len(kinds) > 50, "every family is documented",
       set(page().types.items()) ^ set(kinds.items()))


def test_lease(d):
    r = d.ctl("lease", "a", "--for", "50s")
    ok(r.code == 0, "a lease by hand", r)
    # a page may be a tenth of a second old, and tell of the lease before
    left = page_later(lambda p: 30 < (p.one("swblock_lease_remaining_seconds", volume="db",
                                            member="a") or 0) <= 50)
    ok(left, "what is left of it, of the primary only", left)


def test_histograms(d):
    """Each count at each edge is the sum of the buckets below it."""
    pages = page()
    got = {}
    for x in pages.all("swblock_stage_duration_seconds_count", member="a"):
        got[x.labels["stage"], x.labels["of"]] = x.value
    want = d.ctl("latency", "a", "-j").json
    ok(got == {(s["stage"], s["member"] or ""): s["count"] for s in want["stages"]} and
       len(got) >= 8, "stages and counts of swblockctl latency", got)
    ok(pages.one("swblock_untimed_records_total", member="a") == want["missed"] == 3,
       "what was missed")
    edges = 0
    for s in want["stages"]:
        at = {"member": "a", "stage": s["stage"], "of": s["member"] or ""}
        total = pages.one("swblock_stage_duration_seconds_sum", **at)
        ok(round(total * 1e9) == s["sum_ns"], f"sum of {s['stage']}", total)
        for x in pages.all("swblock_stage_duration_seconds_bucket", **at):
            if x.labels["le"] == "+Inf":
                continue
            edge = round(float(x.labels["le"]) * 1e9)
            below = sum(b["count"] for b in s["buckets"] if b["from_ns"] < edge)
            edges += 1
            if x.value != below:
                ok(False, f"{s['stage']} at {edge} ns", f"{x.value} != {below}")
    ok(edges == 28 * len(got), "28 edges each", edges)
    ok(not pages.all("swblock_stage_duration_seconds_count", member="b"),
       "a replica that was never primary has none")


def test_refusals():
    status, headers, _ = request("POST", body="x" * 10000)
    ok(status == 405 and headers.get("Allow") == "GET, HEAD", "POST", status)
    ok(request("DELETE")[0] == 405, "DELETE")
    ok(request(path="/")[0] == 404, "another path")
    ok(request(path=PATH + "/x")[0] == 404, "one below")
    ok(request(path=PATH + "?a=b")[0] == 200, "a question behind it is not looked at")
    status, headers, text = request("HEAD")
    ok(status == 200 and int(headers["Content-Length"]) > 1000 and not text,
       "HEAD: length, and nothing else", headers)
    status = 0
    with contextlib.suppress(OSError, http.client.HTTPException):
        status = request(headers={"X": "y" * 100000})[0]
    ok(status in (0, 413, 414, 431), "a header without end", status)
    with idle() as s:
        s.sendall(b"\x00\xff not http\r\n\r\n")
        ok(s.recv(100)[:12] in (b"", b"HTTP/1.1 400", b"HTTP/1.0 400"), "no HTTP at all")
    ok(page().one("swblock_module_up") == 1, "and it goes on")


def test_slow(d):
    """One sends a byte now and then, one never reads: others do not notice."""
    with idle() as drip, idle() as deaf:
        deaf.sendall(b"GET " + PATH.encode() + b" HTTP/1.1\r\nHost: x\r\n\r\n")
        began = time.monotonic()
        ended, worst = None, 0
        for byte in b"GET /metrics HTTP/1.1\r\nX: " + b"y" * 200:
            try:
                drip.sendall(bytes([byte]))
            except OSError:
                ended = time.monotonic() - began
                break
            before = time.monotonic()
            page()
            worst = max(worst, time.monotonic() - before)
            time.sleep(0.2)
        ok(worst < 4, "others are served meanwhile", worst)
        ok(ended and 3 < ended < 25, "the slow one is ended", ended)
    ok(d.proc.poll() is None, "the daemon runs")


def test_many(d):
    """Far more clients than places: whoever is newest is served."""
    crowd = [idle() for _ in range(100)]
    before = time.monotonic()
    ok(page().one("swblock_module_up") == 1, "a page in the crowd")
    ok(time.monotonic() - before < 4, "at once", time.monotonic() - before)
    fds = len(os.listdir(f"/proc/{d.proc.pid}/fd"))
    ok(fds < 60, "the crowd holds few descriptors", fds)
    for s in crowd:
        s.close()
    ok(wait(lambda: len(os.listdir(f"/proc/{d.proc.pid}/fd")) < fds - 5),
       "and none when it has gone")
    for _ in range(50):
        page()
    ok(True, "fifty pages in a row")


def test_reload(d):
    d.reload("")
    ok(wait(lambda: d.ports() == {LINKS}), "turned off by a reload", d.ports())
    d.reload(f"{{listen: '127.0.0.1:{PORT + 1}'}}")
    ok(wait(lambda: d.ports() == {LINKS, PORT + 1}), "on, elsewhere", d.ports())
    ok(request(port=PORT + 1)[0] == 200, "and served")
    d.reload(f"{{listen: '0.0.0.0:{PORT}'}}")
    ok(wait(lambda: re.search(r'a\.yaml:5:19: .*metrics\.public', d.log())),
       "an address that others reach is refused", d.log()[-500:])
    ok(d.ports() == {LINKS, PORT + 1}, "and the old one stays")
    d.reload(f"{{listen: '0.0.0.0:{PORT}', public: true}}")
    ok(wait(lambda: d.ports() == {LINKS, PORT}), "unless that is said", d.ports())


def test_check():
    with Daemon() as d:
        for text, want in ((f"{{listen: '192.0.2.1:{PORT}'}}", r":5:19: .*public: true"),
                           ("{listen: nowhere}", r":5:19: .*HOST:PORT"),
                           ("{lisen: 'x'}", r":5:11: .*\"listen\""),
                           ("{public: perhaps}", r":5:19: .*true nor false")):
            r = subprocess.run([f"{OUT}/swblockd-fake", "--check", "-c", d.config(text)],
                               capture_output=True, text=True, check=False)
            ok(r.returncode == 2 and re.search(want, r.stderr), f"--check of {text}",
               r.stderr)
        r = subprocess.run([f"{OUT}/swblockd-fake", "--check", "-c",
                            d.config(d.metrics)], capture_output=True, text=True,
                           check=False)
        ok(r.returncode == 0 and f"http://127.0.0.1:{PORT}/metrics" in r.stdout,
           "--check says where", r)


def test_taken():
    """An address that another program has: volumes do not wait for it."""
    with Daemon() as d, socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", PORT))
        other.listen()
        d.start()
        ok("metrics cannot be served" in d.log() and d.proc.poll() is None,
           "it is told, and the daemon runs", d.log()[-500:])
        other.close()
        ok(wait(lambda: "metrics are served" in d.log()), "had as soon as it is free")
        ok(page().one("swblock_module_up") == 1, "and served")


def test_module_silent():
    with Daemon() as d:
        d.env["SWB_FAKE_MUTE"] = d.path("mute")
        d.start()
        d.pair()
        ok(wait(lambda: page().all("swblock_epoch")), "members are told of")
        with open(d.path("mute"), "w", encoding="utf8"):
            pages = page_later(lambda p: p.one("swblock_module_up") == 0)
        ok(pages and not pages.all("swblock_epoch"),
           "a module that is silent: a page that says so")
        os.unlink(d.path("mute"))
        ok(page_later(lambda p: p.all("swblock_epoch")), "and back")


def page_later(good):
    """The page when it is as wanted, or None."""
    found = []
    wait(lambda: good(found.append(page()) or found[-1]))
    return found[-1] if good(found[-1]) else None


def test_gone():
    """A member that goes between two questions is told of as far as it was seen."""
    with Daemon(SWB_FAKE_GONE="a") as d:
        d.pair()
        d.ctl("promote", "a")
        d.start()
        pages = page()
        ok(pages.one("swblock_epoch", member="a") == 1 and
           not pages.all("swblock_stage_duration_seconds_count", member="a") and
           not pages.all("swblock_untimed_records_total", member="a"),
           "no histogram is told by halves")


def test_same_names():
    """Two volumes that are called the same do not make the page invalid."""
    with Daemon() as d:
        for disk in ("x", "y"):
            r = d.ctl("format", "--file", d.disk(disk), "--volume", "db", "--replica",
                      "a")
            assert r.code == 0, str(r)
            r = d.ctl("add", d.path(disk))
            assert r.code == 0, str(r)
        d.start()
        names = [x.labels["member"] for x in page().all("swblock_epoch", volume="db")]
        ok(len(names) == 2 and "a" in names and
           any(re.fullmatch("[0-9a-f-]{36}", n) for n in names),
           "the second one is called by its id", names)


def main():
    """One daemon for what can share it."""
    test_off()
    test_check()
    test_taken()
    test_module_silent()
    test_gone()
    test_same_names()
    with Daemon(SWB_FAKE_SLOW="b", SWB_FAKE_COUNT="1000") as d:
        d.pair("sync_all", "--lease", "60s")
        r = d.ctl("promote", "a")
        ok(r.code == 0, "a is primary", r)
        d.start()
        ok(d.ports() == {LINKS, PORT}, "it listens there", d.ports())
        test_contents(d)
        test_documented(d)
        test_lease(d)
        test_histograms(d)
        test_refusals()
        test_slow(d)
        test_many(d)
        test_reload(d)
    done()


main()
