# SPDX-License-Identifier: GPL-2.0-only
"""What is measured, and what is compared with what. Why: docs/design/bench.md."""

# Each target has a disk of its own in each guest, all of one size; raw and linear
# share theirs. A target that has no second guest in its path is local.
TARGETS = ("raw", "linear", "alone", "local", "received", "written", "sync_all",
           "drbd-a", "drbd-b", "drbd-c", "md-nbd")
SWBLOCK = ("alone", "local", "received", "written", "sync_all")
PEERS = ("raw", "linear", "drbd-a", "drbd-b", "drbd-c", "md-nbd")
# (mode, policy, members) of the swblock volumes
CONFIG = {
    "alone": ("best_effort", "local", 1),
    "local": ("best_effort", "local", 2),
    "received": ("best_effort", "received", 2),
    "written": ("best_effort", "written", 2),
    "sync_all": ("sync_all", "written", 2),
}
PROTOCOL = {"drbd-a": "A", "drbd-b": "B", "drbd-c": "C"}

# what is written while a copy is away
SCATTER_BYTES = 64 << 20

HOT = "64m"
WRITE = {"rw": "randwrite", "bs": "4k", "iodepth": 1, "numjobs": 1, "size": HOT}
WORKLOADS = {
    "hot-d1": dict(WRITE),
    "hot-d16": dict(WRITE, iodepth=16),
    "cold-d1": dict(WRITE, size="100%"),
    "cold-d16": dict(WRITE, size="100%", iodepth=16),
    "fsync-j1": dict(WRITE, fsync=1),
    "fsync-j8": dict(WRITE, fsync=1, numjobs=8),
    "seq-64k": dict(WRITE, rw="write", bs="64k", iodepth=4),
    "mix-70-30": dict(WRITE, rw="randrw", rwmixread=70, iodepth=16),
    "read-d16": dict(WRITE, rw="randread", iodepth=16),
}
TITLE = {
    "hot-d1": "4 KiB random write, depth 1",
    "hot-d16": "4 KiB random write, depth 16",
    "cold-d1": "the same over the whole disk, depth 1",
    "cold-d16": "the same over the whole disk, depth 16",
    "fsync-j1": "4 KiB random write, fsync after each",
    "fsync-j8": "the same, 8 jobs",
    "seq-64k": "64 KiB sequential write, depth 4",
    "mix-70-30": "4 KiB, 70 % reads, depth 16",
    "read-d16": "4 KiB random read, depth 16",
}
ALL_POLICIES = ("raw", "linear", "alone", "local", "received", "written",
                "drbd-a", "drbd-b", "drbd-c", "md-nbd")
MEASURED = {
    "hot-d1": ALL_POLICIES,
    "hot-d16": ALL_POLICIES,
    "cold-d1": ("raw", "written", "drbd-c"),
    "cold-d16": ("raw", "written", "drbd-c"),
    "fsync-j1": ("raw", "alone", "written", "sync_all", "drbd-c", "md-nbd"),
    "fsync-j8": ("raw", "alone", "written", "sync_all", "drbd-c", "md-nbd"),
    "seq-64k": ("raw", "linear", "alone", "received", "written", "drbd-c", "md-nbd"),
    "mix-70-30": ("raw", "alone", "received", "written", "drbd-c", "md-nbd"),
    "read-d16": ("raw", "linear", "alone", "written", "drbd-c", "md-nbd"),
}

# A pair is (swblock mode, peer, promise): "equal", or "more" where swblock promises
# more. There is no pair in which it promises less.
PLAIN_PAIRS = (
    ("alone", "raw", "equal"),
    ("alone", "linear", "equal"),
    ("local", "drbd-a", "equal"),
    ("received", "drbd-b", "equal"),
    ("received", "md-nbd", "equal"),
    ("written", "raw", "more"),
    ("written", "drbd-c", "equal"),
)
# A barrier: of best_effort and DRBD 8.4 it is durable here, of sync_all and md on
# both sides.
FSYNC_PAIRS = (
    ("alone", "raw", "equal"),
    ("written", "raw", "more"),
    ("written", "drbd-c", "equal"),
    ("sync_all", "drbd-c", "more"),
    ("sync_all", "md-nbd", "equal"),
)
READ_PAIRS = (
    ("alone", "raw", "equal"),
    ("alone", "linear", "equal"),
    ("written", "raw", "equal"),
    ("written", "drbd-c", "equal"),
    ("written", "md-nbd", "equal"),
)


def pairs_of(workload):
    """The pairs whose two targets are measured under this workload."""
    if WORKLOADS[workload].get("fsync"):
        pairs = FSYNC_PAIRS
    elif WORKLOADS[workload]["rw"] == "randread":
        pairs = READ_PAIRS
    else:
        pairs = PLAIN_PAIRS
    have = MEASURED[workload]
    return [p for p in pairs if p[0] in have and p[1] in have]


def wraps_wanted(workload, target):
    """How often the ring of a target has to go round in one run."""
    return 3 if target in SWBLOCK and writes(workload) else 0


def writes(workload):
    return WORKLOADS[workload]["rw"] != "randread"


def order(targets, round_number):
    """Each round begins one target later: what drifts within a round hits all."""
    targets = list(targets)
    k = round_number % len(targets)
    return targets[k:] + targets[:k]


def fio_arguments(workload, device, seconds, seed):
    """One run; `seed` is that of the round, so that all targets get equal requests."""
    w = WORKLOADS[workload]
    args = ["fio", f"--name={workload}", f"--filename={device}", "--direct=1",
            "--ioengine=libaio", "--thread", "--time_based", f"--runtime={seconds}",
            f"--ramp_time={RAMP_S}", "--group_reporting", "--norandommap",
            "--allrandrepeat=1", f"--randseed={seed}", "--output-format=json"]
    for key in ("rw", "bs", "iodepth", "numjobs", "size", "fsync", "rwmixread"):
        if key in w:
            args.append(f"--{key}={w[key]}")
    return args


RAMP_S = 1


def seconds_of(workload, seconds):
    """One request at a time takes longer to turn the ring."""
    w = WORKLOADS[workload]
    return seconds * (2 if w["iodepth"] * w["numjobs"] == 1 else 1)
