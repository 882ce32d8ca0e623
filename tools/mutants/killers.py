# SPDX-License-Identifier: GPL-2.0-only
"""What may kill a mutant: unit tests, scenarios and random runs of distsim. Each says by what it was
killed, or None.
"""
import pathlib
import re
import signal
import subprocess

TIMEOUT = 300	# of one program run, in seconds: a mutant may loop for ever
CHUNK = 250	# random runs of one process


class Result:
    """One run of a program: its lines, and how it ended."""

    def __init__(self, cmd, cwd, stop_at):
        self.lines, self.found, self.hung = [], None, False
        p = subprocess.Popen(["timeout", "-k", "1", str(TIMEOUT)] + cmd,
                             cwd=cwd, text=True, errors="replace",
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for line in p.stdout:
            self.lines.append(line.rstrip())
            if stop_at and stop_at(self.lines[-1]):
                self.found = self.lines[-1]
                p.send_signal(signal.SIGTERM)
                break
        p.stdout.read()
        p.wait()
        self.rc = p.returncode
        self.hung = self.rc in (124, 137) and not self.found
        self.died = not self.found and self.rc not in (0, 1, 124)

    def why(self):
        """The invariant or the assertion in its output, else what was expected."""
        text = "\n".join(self.lines[-5:])
        if self.hung:
            return "hangs"
        m = re.search(r"\bI-\d{3}\b", self.found or text)
        if m:
            return m[0]
        if self.died:
            return "assertion" if "assert" in text else "dies"
        return "expectation"


def unit(tests, cwd):
    """First test that fails: program and name."""
    for t in tests:
        r = Result([str(t)], cwd, lambda line: line.startswith("not ok"))
        if r.found:
            name = re.sub(r"^not ok \d* ?-? ?", "", r.found).split()
            return "%s: %s" % (t.name, name[0].rstrip(":") if name else "?")
        if r.rc:
            return "%s: %s" % (t.name, r.why())
    return None


def scripts(binary, files, cwd, extra=()):
    """First scenario that fails: (file, why)."""
    todo = list(files)
    while todo:
        args = [x for f in todo for x in ("--scenario", str(f))]
        r = Result([str(binary)] + args + list(extra), cwd,
                   lambda line: line.startswith("FAIL"))
        if r.found:
            m = re.match(r"FAIL (\S+?):? ", r.found + " ")
            return pathlib.Path(m[1]), r.why()
        if not r.rc:
            return None
        done = sum(line.startswith("ok ") for line in r.lines)
        return todo[min(done, len(todo) - 1)], r.why()
    return None


def one_seed(binary, seed, cwd, extra=()):
    r = Result([str(binary), "--seed", str(seed), "--seeds", "1"] + list(extra),
               cwd, lambda line: line.startswith("FAIL seed"))
    return r.why() if r.found or r.rc else None


def seeds(binary, plain, most, cwd, extra=()):
    """First random run that fails here and not with the true core: (seed, why)."""
    at = 1
    while at <= most:
        count = min(CHUNK, most - at + 1)
        r = Result([str(binary), "--seed", str(at), "--seeds", str(count)] +
                   list(extra), cwd, lambda line: line.startswith("FAIL seed"))
        if r.found:
            seed = int(re.search(r"seed (\d+)", r.found)[1])
            if not one_seed(plain, seed, cwd):
                return seed, r.why()
            at = seed + 1
            continue
        if r.rc:	# it died: which run was it?
            for seed in range(at, at + count):
                why = one_seed(binary, seed, cwd, extra)
                if why and not one_seed(plain, seed, cwd):
                    return seed, why
        at += count
    return None
