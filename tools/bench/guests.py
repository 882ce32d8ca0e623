# SPDX-License-Identifier: GPL-2.0-only
"""Two guests in QEMU, and how orders get there: host side of scripts/bench-guest."""
import json
import os
import random
import shlex
import shutil
import signal
import socket
import subprocess
import time

TOP = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))


class Failed(Exception):
    """An order that a guest could not carry out; the text says which, and what it said."""


class Guest:
    """One guest: its process, its console, one connection."""

    def __init__(self, name, index, place, wire, disks, disk_dir, cpus, memory, seconds):
        self.name, self.index = name, index
        self.out = os.path.join(place, name)
        self.port = 20000 + random.randrange(10000) + index
        self.file = self.socket = None
        os.makedirs(self.out, exist_ok=True)
        ready = os.path.join(self.out, "ready")
        if os.path.exists(ready):
            os.unlink(ready)
        # a lock of its own: these two are meant to run side by side
        env = dict(os.environ, SWB_VM_LOCK=os.path.join(self.out, "lock"))
        self.log = open(os.path.join(self.out, "log"), "wb")
        self.process = subprocess.Popen(
            [f"{TOP}/scripts/vm", "run", "--kernel", "6.1", "--timeout", str(seconds),
             "--out", self.out, "--keep-disks", os.path.join(disk_dir, name),
             "--disks", str(disks[0]), "--disk-size", disks[1], "--memory", str(memory),
             "--cpus", str(cpus), "--lan", f"{index}:{wire}", "--shell", str(self.port),
             "--", f"{TOP}/scripts/bench-guest"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, env=env,
            start_new_session=True)

    def wait(self, seconds):
        """Until it takes orders."""
        end = time.monotonic() + seconds
        while not os.path.exists(os.path.join(self.out, "ready")):
            if self.process.poll() is not None or time.monotonic() > end:
                raise Failed(f"guest {self.name} does not boot, see {self.out}/console.log")
            time.sleep(0.2)
        self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        self.file = self.socket.makefile("rwb")

    def order(self, do, wait=60, **more):
        """An order, and its answer."""
        self.socket.settimeout(wait + 30)
        try:
            self.file.write(json.dumps(dict(more, do=do)).encode() + b"\n")
            self.file.flush()
            text = self.file.readline()
        except OSError as e:
            raise Failed(f"guest {self.name}: {e}, see {self.out}/console.log") from e
        if not text:
            raise Failed(f"guest {self.name} is gone, see {self.out}/console.log")
        answer = json.loads(text)
        if "failed" in answer:
            raise Failed(f"{do} in guest {self.name}: {answer['failed']}")
        return answer

    def sh(self, script, wait=60):
        """A script; its output, or Failed with the end of it."""
        r = self.order("sh", wait=wait, script=script, timeout=wait)
        if r["rc"]:
            said = r["out"].strip().splitlines()[-6:]
            raise Failed(f"{self.name}: {shlex.quote(script)[:160]}: rc {r['rc']}: " +
                         " / ".join(said))
        return r["out"]

    def until(self, what, script, wait):
        """Until the script succeeds. It is asked often: what is timed ends here."""
        loop = f"for ((;;)); do if {script}; then exit 0; fi; sleep 0.05; done"
        r = self.order("sh", wait=wait, script=loop, timeout=wait)
        if r["rc"]:
            raise Failed(f"{self.name}: {what}: not within {wait} s")

    def end(self):
        """A clean end if it still listens, else none."""
        if self.process.poll() is None:
            try:
                self.order("stop", wait=5)
                self.process.wait(30)
            except (Failed, OSError, AttributeError, subprocess.TimeoutExpired):
                pass
        if self.process.poll() is None:
            # scripts/vm ends its guest when it is told to end
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
        self.log.close()


def forget_dead(room):
    """Disks of runs that were killed: they hold the machine's memory."""
    for name in os.listdir(room) if os.path.isdir(room) else ():
        pid = name.removeprefix("swb-bench-")
        if pid != name and pid.isdigit() and not os.path.exists(f"/proc/{pid}"):
            shutil.rmtree(os.path.join(room, name), ignore_errors=True)


class Pair:
    """Guests a and b, joined by a wire."""

    def __init__(self, place, disks, cpus, memory, seconds):
        self.place = place
        room = "/dev/shm"
        forget_dead(room)
        free = os.statvfs(room) if os.path.isdir(room) else None
        # memory beneath, if there is enough of it: the host's disk is nobody's peer
        if free and free.f_bavail * free.f_frsize > 6 << 30:
            self.disk_dir = os.path.join(room, f"swb-bench-{os.getpid()}")
            self.backing = "tmpfs"
        else:
            self.disk_dir = os.path.join(place, "disks")
            self.backing = "file"
        self.a = self.b = None
        wire = os.path.join(place, "wire")
        if os.path.exists(wire):
            os.unlink(wire)
        try:
            self.a = Guest("a", 1, place, wire, disks, self.disk_dir, cpus, memory, seconds)
            end = time.monotonic() + 60
            while not os.path.exists(wire):
                if time.monotonic() > end or self.a.process.poll() is not None:
                    raise Failed(f"guest a does not start, see {self.a.out}/log")
                time.sleep(0.1)
            self.b = Guest("b", 2, place, wire, disks, self.disk_dir, cpus, memory, seconds)
            self.a.wait(180)
            self.b.wait(180)
        except Exception:
            self.end()
            raise

    def both(self):
        return (self.a, self.b)

    def end(self):
        for g in (self.a, self.b):
            if g:
                g.end()
        shutil.rmtree(self.disk_dir, ignore_errors=True)
