# SPDX-License-Identifier: GPL-2.0-only
"""One run of the benchmark: sets up what is compared, measures in rounds, tells all it knows."""
import os
import re
import subprocess
import time

import figures
import plan
import stacks
from figures import Missing
from guests import TOP, Failed, Pair

MARGIN_S = 0.4	# between the end of the second sample and that of fio
REC_BYTES = 256 << 20
# a log that holds everything needs no rebuild, so there is none of it
RECOVERY = {"rec": ("catch-up", "promote"), "delta": ("catch-up", "rebuild"),
            "drbd-rec": ("catch-up", "rebuild", "promote"), "md-rec": ("catch-up", "rebuild")}


def host_ticks():
    """(busy ticks of this machine, those of our guests are in them)"""
    with open("/proc/stat", encoding="ascii") as f:
        v = [int(x) for x in f.readline().split()[1:9]]
    return sum(v) - v[3] - v[4], sum(v)


def descendants_ticks(root):
    """Busy ticks of a process and of all below it, those that ended included."""
    stat = {}
    for d in os.listdir("/proc"):
        if d.isdigit():
            try:
                with open(f"/proc/{d}/stat", encoding="ascii", errors="replace") as f:
                    v = f.read().rsplit(")", 1)[1].split()
            except OSError:
                continue
            stat[int(d)] = (int(v[1]), sum(int(x) for x in v[11:15]))
    total, todo = 0, [root]
    while todo:
        p = todo.pop()
        total += stat.get(p, (0, 0))[1]
        todo += [c for c, (parent, _) in stat.items() if parent == p]
    return total


class Bench:
    """What was asked for, and what came out so far."""

    def __init__(self, options, say):
        self.o, self.say = options, say
        self.cells, self.recovery, self.allocations = [], [], []
        self.broken = {}	# target → why it could not be set up
        self.stack = {}
        self.pair = None
        self.last_group_bytes = {}

    # --- set-up ---

    def wanted(self):
        """Targets of the workloads asked for."""
        names = {t for w in self.o.workloads for t in plan.MEASURED[w]}
        return [t for t in plan.TARGETS if t in names and t in self.o.targets]

    def boot(self):
        self.pair = Pair(self.o.place, (len(stacks.DISKS), self.o.disk_size), self.o.cpus,
                         self.o.memory, self.o.limit)
        for g in self.pair.both():
            g.sh("ip link set eth1 mtu 9000 && "
                 "tar -C $SWB_CACHE/peers -c . | tar -C / -x --keep-directory-symlink && "
                 "insmod $SWB_KO && modprobe loop 2>/dev/null; true")
            g.sh("grep -q ^swblock /proc/modules")
        self.pair.a.sh("ping -c 1 -W 5 10.9.0.2 && ping -c 1 -W 5 -s 8000 -M do 10.9.0.2")

    def build_stack(self, name):
        p, ring = self.pair, self.o.ring
        size = self.o.size_bytes - (64 << 20)
        if name == "raw":
            return stacks.Stack(p, name)
        if name == "linear":
            return stacks.Linear(p, name)
        if name in plan.SWBLOCK:
            return stacks.Swblock(p, name, ring, size)
        if name == "rec":
            return stacks.Swblock(p, name, 4 * plan.SCATTER_BYTES, REC_BYTES,
                                  plan.CONFIG["written"])
        if name == "delta":
            return stacks.Swblock(p, name, ring, REC_BYTES, plan.CONFIG["written"])
        if name == "drbd-rec":
            return stacks.Drbd(p, name, "C", REC_BYTES // 512)
        if name.startswith("drbd"):
            return stacks.Drbd(p, name, plan.PROTOCOL[name])
        return stacks.MdNbd(p, name, REC_BYTES if name == "md-rec" else None)

    def make(self, name):
        try:
            stack = self.build_stack(name)
            stack.make()
            self.stack[name] = stack
        except Failed as e:
            self.broken[name] = f"set-up: {e}"
            self.say(f"{name}: not set up: {e}")

    def set_up(self):
        names = self.wanted() + (list(RECOVERY) if self.o.recovery else [])
        prepared = {"drbd": [lambda: [stacks.Drbd.load(g) for g in self.pair.both()]],
                    "md": [lambda: stacks.MdNbd.serve(self.pair.b)]}
        for family, steps in prepared.items():
            mine = [n for n in names if n.startswith(family)]
            if not mine:
                continue
            try:
                for step in steps:
                    step()
            except Failed as e:
                for n in mine:
                    self.broken[n] = f"set-up: {e}"
                self.say(f"{family}: not set up: {e}")
        for n in names:
            if n not in self.broken:
                self.make(n)
        # every block of the hot range has been there before: first touches cost the host
        for n in self.wanted():
            if n in self.stack:
                self.pair.a.sh(f"dd if=/dev/zero of=/dev/{self.stack[n].top} bs=1M count=64 "
                               "oflag=direct status=none", wait=120)

    # --- one run ---

    def sample(self, device=None):
        names = [stacks.disk(n) for n in stacks.DISKS]
        out = {"a": self.pair.a.order("sample", disks=names, device=device),
               "b": self.pair.b.order("sample", disks=names)}
        out["device"] = out["a"].pop("device", None)
        return out

    def measure(self, workload, target, number):
        """One cell. Whatever goes wrong is its `error`, never a figure."""
        cell = {"round": number, "workload": workload, "target": target, "run": None,
                "cost": None, "wraps": None, "error": None}
        self.cells.append(cell)
        if target in self.broken:
            cell["error"] = self.broken[target]
            return
        stack = self.stack[target]
        try:
            before = self.last_group_bytes.get(target)
            if stack.ring_bytes and before is None:
                before = stack.group_bytes()
            self.run_fio(cell, stack, workload, number)
            if stack.ring_bytes:
                after = stack.group_bytes()
                self.last_group_bytes[target] = after
                cell["wraps"] = figures.wraps(before, after, stack.ring_bytes)
                need = plan.wraps_wanted(workload, target)
                if cell["wraps"] < need and not self.o.reduced:
                    raise Missing(f"the ring went round {cell['wraps']:.1f} times, "
                                  f"{need} are needed")
        except (Failed, Missing) as e:
            cell["error"] = str(e)
            self.say(f"round {number + 1} {workload} {target}: {e}")

    def run_fio(self, cell, stack, workload, number):
        a, seconds = self.pair.a, plan.seconds_of(workload, self.o.seconds)
        args = plan.fio_arguments(workload, f"/dev/{stack.top}", seconds, 1000 + number)
        started = a.order("start", args=args, device=stack.top)
        if started["ok"]:
            time.sleep(plan.RAMP_S)
            first = self.sample(stack.top)
            time.sleep(max(0.2, seconds - MARGIN_S))
            second = self.sample(stack.top)
        r = a.order("end", wait=60 + seconds, timeout=60 + seconds)
        if r["rc"]:
            raise Missing(f"fio: rc {r['rc']}: " + " / ".join(r["out"].strip().splitlines()[-3:]))
        cell["run"] = figures.of_fio(r["out"], workload)
        if started["ok"]:
            cell["cost"] = figures.per_request(first, second, figures.block_bytes(workload))

    def rounds(self):
        for n in range(self.o.rounds):
            begun = time.monotonic()
            for w in self.o.workloads:
                for t in plan.order([t for t in plan.MEASURED[w] if t in self.o.targets], n):
                    self.measure(w, t, n)
            self.say(f"round {n + 1} of {self.o.rounds}: {time.monotonic() - begun:.0f} s")

    # --- allocations ---

    def count_allocations(self):
        """Beside the rounds, as tracing costs: hot-d16 on each stack with code of its own."""
        for t in ("alone", "written", "drbd-c", "md-nbd"):
            if t not in self.o.targets or "hot-d16" not in self.o.workloads:
                continue
            row = {"target": t, "writes": 0, "own": None, "all": None, "sites": None,
                   "not_measured": None}
            self.allocations.append(row)
            try:
                if t in self.broken:
                    raise Missing(self.broken[t])
                self.trace(t, row)
            except (Failed, Missing) as e:
                row["not_measured"] = str(e)
                self.say(f"allocations {t}: {e}")

    def trace(self, target, row):
        stack, a = self.stack[target], self.pair.a
        args = plan.fio_arguments("hot-d16", f"/dev/{stack.top}", 4, 1)
        if not a.order("start", args=args, device=stack.top)["ok"]:
            a.order("end")
            raise Missing("fio did not start")
        time.sleep(plan.RAMP_S)
        got = a.order("allocations", wait=120, device=stack.top, seconds=0.5,
                      modules=stack.modules)
        a.order("end")
        if got["lost"]:
            raise Missing(f"the trace lost {got['lost']} events")
        if not got["frames"]:
            raise Missing("no stack in the trace leads through " + ", ".join(stack.modules))
        if got["writes"] < 20:
            raise Missing(f"only {got['writes']} writes while tracing")
        row["writes"] = got["writes"]
        for kind in ("own", "all", "sites"):
            row[kind] = {k: v / got["writes"] for k, v in sorted(got["count"][kind].items())}

    # --- a copy lost and regained ---

    def recover(self):
        for n in range(min(self.o.rounds, 3)):
            for name in RECOVERY:
                self.recover_once(name, n)

    def recover_once(self, name, number):
        stack = self.stack.get(name)
        steps = {"catch-up": (lambda: self.miss(stack), lambda: stack.regain()),
                 "rebuild": (lambda: stack.wipe(), lambda: stack.rebuild()),
                 "promote": (lambda: stack.demote(), lambda: stack.promote())}
        for what in RECOVERY[name]:
            before, timed = steps[what]
            row = {"round": number, "what": what, "target": name, "seconds": None,
                   "wire_bytes": None, "disk_bytes": None, "error": self.broken.get(name)}
            self.recovery.append(row)
            if row["error"]:
                continue
            try:
                before()
                first, t = self.sample(), time.monotonic()
                timed()
                row["seconds"] = time.monotonic() - t
                last = self.sample()
                row["wire_bytes"] = sum(last["a"][k] - first["a"][k]
                                        for k in ("sent_bytes", "received_bytes"))
                d = stacks.disk(name)
                row["disk_bytes"] = 512 * (last["b"]["disks"][d]["write_sectors"] -
                                           first["b"]["disks"][d]["write_sectors"])
                if what == "promote":
                    stack.repair()
            except Failed as e:
                row["error"] = str(e)
                self.broken[name] = f"{what}: {e}"
                self.say(f"{what} {name}: {e}")

    def miss(self, stack):
        if stack.name == "delta":
            self.pair.a.sh("swblockctl tune delta/a --rebuild-auto delta")
        stack.lose()
        self.pair.a.sh(f"fio --name=miss --filename=/dev/{stack.top} --direct=1 --rw=randwrite "
                       f"--bs=4k --ioengine=libaio --iodepth=16 --thread --size={REC_BYTES} "
                       f"--io_size={plan.SCATTER_BYTES} --output=/run/miss.out || "
                       "{ cat /run/miss.out; false; }", wait=300)

    # --- circumstances ---

    def ping_us(self):
        self.pair.b.sh(f"({TOP}/build/bench/pingpong serve 7777 >/dev/null 2>&1 &)\n"
                       "until ss -ltn | grep -q :7777; do sleep 0.1; done")
        return float(self.pair.a.sh(f"{TOP}/build/bench/pingpong 10.9.0.2 7777 4096 2000"))

    def circumstances(self):
        a = self.pair.a
        crc = re.search(r"crc32c: (\S+)(?: \(4 KiB: (.*)\))?", a.sh("dmesg | grep crc32c: | tail -n 1"))
        times = dict(re.findall(r"(\S+) (\d+) ns", crc.group(2) or "")) if crc else {}
        env = {
            "kernel": a.sh("uname -r").strip(),
            "crc": crc.group(1) if crc else "unknown",
            "crc_4k_ns": int(times.get(crc.group(1), 0)) if crc else 0,
            "crc_of_drbd": "none: data-integrity-alg is off, as by default",
            "idle": a.sh("tr ' ' '\\n' </proc/cmdline | grep ^idle= || echo default").strip() +
                    ", driver " + a.sh("cat /sys/devices/system/cpu/cpuidle/current_driver "
                                       "2>/dev/null || echo none").strip(),
            "clocksource": a.sh("cat /sys/devices/system/clocksource/clocksource0/"
                                "current_clocksource").strip(),
            "cpus": self.o.cpus, "memory_mb": self.o.memory, "mtu": 9000,
            "disk_size": self.o.disk_size, "disks_on": self.pair.backing,
            "ring_bytes": self.o.ring,
            "ping_4k_us": self.ping_us(),
            "fio": a.sh("fio --version").strip(),
            "swblock": subprocess.run(["git", "-C", TOP, "describe", "--always", "--dirty"],
                                      stdout=subprocess.PIPE, check=False,
                                      text=True).stdout.strip() or "unknown",
            "drbd": a.sh("modinfo -F version drbd || echo none").strip(),
            "drbd_utils": self.version("drbd-utils"), "mdadm": self.version("mdadm"),
            "nbd_server": self.version("nbd-server"),
            "qemu": subprocess.run(["qemu-system-x86_64", "--version"], stdout=subprocess.PIPE,
                                   check=False, text=True).stdout.split("\n", 1)[0],
        }
        return env

    def version(self, package):
        """Of what scripts/setup-deps unpacked."""
        with open(self.o.peers + "/versions", encoding="ascii") as f:
            return dict(x.split() for x in f).get(package, "unknown")
