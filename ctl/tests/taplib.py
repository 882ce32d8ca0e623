# SPDX-License-Identifier: GPL-2.0-only
"""TAP and a sandbox for the tests of ctl/: a store, disks, a kernel in a file."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
CTL = os.path.dirname(HERE)
ROOT = os.path.dirname(CTL)
OUT = os.path.join(CTL, os.environ.get("OUT", "build"))
MIB = 1 << 20

_count = 0
_failed = 0


def ok(cond, what, detail=""):
    """One TAP line."""
    global _count, _failed
    _count += 1
    if not cond:
        _failed += 1
    print(f"{'ok' if cond else 'not ok'} {_count} - {what}")
    if not cond and detail:
        for line in str(detail).splitlines():
            print(f"# {line}")
    return bool(cond)


def skip(what, why):
    """One TAP line for what cannot be tested here."""
    global _count
    _count += 1
    print(f"ok {_count} - {what} # SKIP {why}")


def done():
    """Plan and exit code."""
    print(f"1..{_count}")
    sys.exit(1 if _failed else 0)


def wait(fn, seconds):
    """Poll for a state."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if fn():
            return True
        time.sleep(0.1)
    return False


class Run:
    """What a command said."""

    def __init__(self, p):
        self.code, self.out, self.err = p.returncode, p.stdout, p.stderr

    @property
    def json(self):
        """stdout as one JSON document."""
        return json.loads(self.out)

    def __str__(self):
        return f"exit {self.code}\nstdout: {self.out}\nstderr: {self.err}"


class Sandbox:
    """A directory with disks, a store, and the fake kernel's state."""

    def __init__(self, program="swblockctl-fake", module=True):
        self.dir = tempfile.mkdtemp(prefix="swb-ctl-")
        self.program = os.path.join(OUT, program)
        self.env = dict(os.environ, SWBLOCK_STORE=self.path("authority.db"),
                        TERM="xterm", LC_ALL="C")
        if module:
            self.env["SWB_FAKE_STATE"] = self.path("kernel")

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        shutil.rmtree(self.dir)

    def path(self, name):
        return os.path.join(self.dir, name)

    def disk(self, name, mib=64):
        with open(self.path(name), "wb") as f:
            f.truncate(mib * MIB)
        return self.path(name)

    def ctl(self, *args, **env):
        p = subprocess.run([self.program, *map(str, args)], check=False,
                           env={**self.env, **env}, capture_output=True,
                           text=True, timeout=60, cwd=self.dir)
        if "Sanitizer" in p.stderr:
            ok(False, "no sanitizer report", p.stderr)
        return Run(p)

    def member(self, label, like=None):
        """Format and attach one member of volume db."""
        disk = self.disk(label + ".img")
        if like:
            r = self.ctl("format", "--file", disk, "--like",
                         self.path(like + ".img"), "--replica", label)
        else:
            r = self.ctl("format", "--file", disk, "--volume", "db",
                         "--replica", label)
        assert r.code == 0, str(r)
        r = self.ctl("add", disk)
        assert r.code == 0, str(r)

    def pair(self, mode="sync_all", *more):
        """Members a and b of db, with a record."""
        self.member("a")
        self.member("b", like="a")
        r = self.ctl("assign", "db", "--members", "a,b", "--mode", mode, *more)
        assert r.code == 0, str(r)

    def record(self):
        return self.ctl("authority", "db", "-j").json["volumes"][0]

    def history(self):
        r = self.ctl("authority", "db", "--history", "-j").json
        return r["volumes"][0]["history"]
