# SPDX-License-Identifier: GPL-2.0-only
"""What measuring itself costs: throughput at depth 16 with it and without, in the guest.

One fio runs all the time, and what is measured is turned on and off beneath it, in slices
of a second in the order on, off, off, on: a machine that becomes faster or slower meanwhile
does so for both. Each neighbouring pair gives one ratio. scripts/bench-overhead calls it.
"""
import argparse
import math
import os
import statistics
import subprocess
import sys
import time

SWITCH = "/sys/module/swblock/parameters/histograms"
SETTLE_S = 0.2


def interval(values):
    """(median, low, high): between the two order statistics lies the true median of what
    they are a sample of, in 95 of 100 cases; no assumption on how they are spread."""
    v = sorted(values)
    n, below, k = len(v), 0.0, 0
    while k < n // 2:
        below += math.comb(n, k) / 2 ** n
        if below > 0.025:
            break
        k += 1
    if k == 0:
        raise ValueError(f"{n} pairs are too few for an interval, six are the least")
    return statistics.median(v), v[k - 1], v[n - k]


def ratios(slices):
    """of (is on, rate) in the order on, off, off, on, ...: with / without, by pairs"""
    out = []
    for a, b in zip(slices[::2], slices[1::2]):
        (on, off) = (a, b) if a[0] else (b, a)
        if on[0] == off[0]:
            raise ValueError("a pair has one side twice")
        out.append(on[1] / off[1])
    return out


def line(what, got, slice_s):
    mid, low, high = (100 * (1 - x) for x in interval(got))
    return (f"overhead: {what} {mid:.1f} % of throughput at depth 16 "
            f"(95 %: {high:.1f} to {low:.1f}), {len(got)} pairs of {slice_s:g} s")


class Histograms:
    """The module's own."""
    name = "histograms"

    def set(self, on):
        with open(SWITCH, "w", encoding="ascii") as f:
            f.write("Y" if on else "N")

    def end(self):
        self.set(True)


class Nothing:
    """Turns nothing on or off: what the method itself shows where there is no difference."""
    name = "nothing"

    def set(self, on):
        pass

    def end(self):
        pass


class Bpf:
    """swblock-lat, attached: it says so in its first line."""
    name = "bpf"

    def __init__(self):
        self.tool = None

    def set(self, on):
        if on == bool(self.tool):
            return
        if on:
            self.tool = subprocess.Popen(["swblock-lat", "-i", "3600"], stderr=subprocess.PIPE,
                                         stdout=subprocess.DEVNULL, text=True)
            if not self.tool.stderr.readline():
                sys.exit("swblock-lat did not attach")
        else:
            self.tool.terminate()
            self.tool.wait()
            self.tool = None

    def end(self):
        self.set(False)


def writes(device):
    with open(f"/sys/block/{os.path.basename(device)}/stat", encoding="ascii") as f:
        return int(f.read().split()[4])


def rate(device, slice_s):
    n, t = writes(device), time.monotonic()
    time.sleep(slice_s)
    return (writes(device) - n) / (time.monotonic() - t)


def measure(device, switch, pairs, slice_s):
    fio = subprocess.Popen(
        ["fio", "--name=o", f"--filename={device}", "--direct=1", "--rw=randwrite", "--bs=4k",
         "--ioengine=libaio", "--iodepth=16", "--size=64M", "--time_based", "--runtime=100000"],
        stdout=subprocess.DEVNULL)
    slices = []
    try:
        time.sleep(3)
        for i in range(2 * pairs):
            on = i % 4 in (0, 3)
            switch.set(on)
            time.sleep(SETTLE_S)
            slices.append((on, rate(device, slice_s)))
            if fio.poll() is not None:
                sys.exit("fio has ended before its time")
    finally:
        switch.end()
        fio.terminate()
        fio.wait()
    if min(r for _, r in slices) == 0:
        sys.exit("nothing was written in one of the slices")
    return ratios(slices)


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("device")
    p.add_argument("--pairs", type=int, default=60)
    p.add_argument("--slice", type=float, default=1)
    p.add_argument("what", nargs="+", choices=["nothing", "histograms", "bpf"])
    o = p.parse_args()
    for name in o.what:
        switch = {"nothing": Nothing, "histograms": Histograms, "bpf": Bpf}[name]()
        print(line(name, measure(o.device, switch, o.pairs, o.slice), o.slice), flush=True)


if __name__ == "__main__":
    main()
