# SPDX-License-Identifier: GPL-2.0-only
"""Figures out of what fio and the kernel said. No I/O, no clock: tests feed it."""
import re
import statistics

import plan

TICKS_PER_S = 100	# of /proc/stat, whatever HZ is


class Missing(Exception):
    """A figure that could not be measured; the text is the reason."""


def of_fio(text, workload):
    """What one run achieved, from fio's JSON, which lines of text may precede."""
    import json
    start = text.find("{")
    if start < 0:
        raise Missing("fio said nothing")
    try:
        job = json.loads(text[start:])["jobs"][0]
    except (ValueError, KeyError, IndexError) as e:
        raise Missing("fio's output is not whole") from e
    if job["error"]:
        raise Missing(f"fio error {job['error']}")
    side = "write" if plan.writes(workload) else "read"
    if not job[side]["total_ios"]:
        raise Missing("fio did no I/O")
    lat = job[side]["clat_ns"]
    both = ("read", "write")
    run = {
        "iops": sum(job[s]["iops"] for s in both),
        "bytes_per_s": sum(job[s]["bw_bytes"] for s in both),
        "ios": sum(job[s]["total_ios"] for s in both),
        "lat_mean_us": lat["mean"] / 1000,
        "lat_p50_us": lat.get("percentile", {}).get("50.000000", 0) / 1000,
        "lat_p99_us": lat.get("percentile", {}).get("99.000000", 0) / 1000,
    }
    if plan.WORKLOADS[workload].get("fsync"):
        run["sync_mean_us"] = job["sync"]["lat_ns"]["mean"] / 1000
    return run


def score(run):
    """What a ratio compares. More is better."""
    return run["iops"]


def per_request(before, after, block_bytes):
    """Costs of each I/O between two samples; a sample has "a", "b" and "device".

    Requests are counted by their bytes: a flush may be accounted as a write, too."""
    written = (after["device"]["write_sectors"] - before["device"]["write_sectors"]) * 512
    got = (after["device"]["read_sectors"] - before["device"]["read_sectors"]) * 512
    ios = (written + got) // block_bytes
    if ios <= 0:
        raise Missing("no I/O between the two samples")

    def grown(host, key):
        return after[host][key] - before[host][key]

    def bytes_to_disks(host):
        old = before[host]["disks"]
        return 512 * sum(d["write_sectors"] - old[n]["write_sectors"]
                         for n, d in after[host]["disks"].items() if n in old)

    cost = {"ios": ios}
    for host in ("a", "b"):
        cost[f"cpu_us_{host}"] = grown(host, "busy_ticks") * 1e6 / TICKS_PER_S / ios
        cost[f"switches_{host}"] = grown(host, "switches") / ios
        cost[f"pages_{host}"] = grown(host, "pages") / ios
        cost[f"disk_flushes_{host}"] = sum(
            d["flushes"] - before[host]["disks"][n]["flushes"]
            for n, d in after[host]["disks"].items() if n in before[host]["disks"]) / ios
    cost["packets"] = (grown("a", "sent_packets") + grown("a", "received_packets")) / ios
    if written:
        wire = grown("a", "sent_bytes") + grown("a", "received_bytes")
        cost["wire_per_byte"] = wire / written
        cost["disk_per_byte_a"] = bytes_to_disks("a") / written
        cost["disk_per_byte_b"] = bytes_to_disks("b") / written
    return cost


def wraps(before, after, ring_bytes):
    """How often the ring went round: bytes of groups, which is at least what they take."""
    return (after - before) / ring_bytes


def spread(values):
    values = sorted(values)
    if not values:
        raise Missing("no value")
    return {"median": statistics.median(values), "min": values[0], "max": values[-1],
            "n": len(values)}


def usable(cells, workload, target, rounds):
    """The runs of a target by round, or Missing with the first reason."""
    mine = {c["round"]: c for c in cells
            if c["workload"] == workload and c["target"] == target}
    for r in range(rounds):
        if r not in mine:
            raise Missing(f"{target}: round {r + 1} was not run")
        if mine[r]["error"]:
            raise Missing(f"{target}: {mine[r]['error']}")
    return mine


def ratio(cells, workload, swb, peer, rounds):
    """Median, least and greatest of the ratios within each round."""
    ours = usable(cells, workload, swb, rounds)
    theirs = usable(cells, workload, peer, rounds)
    each = []
    for r in range(rounds):
        if score(theirs[r]["run"]) <= 0:
            raise Missing(f"{peer}: no progress")
        each.append(score(ours[r]["run"]) / score(theirs[r]["run"]))
    return spread(each)


def all_pairs(cells, rounds, workloads=None):
    """One row a pair: ratio or reason."""
    rows = []
    for w in workloads or plan.WORKLOADS:
        for swb, peer, promise in plan.pairs_of(w):
            row = {"workload": w, "mode": swb, "peer": peer, "promise": promise,
                   "ratio": None, "not_measured": None}
            try:
                row["ratio"] = ratio(cells, w, swb, peer, rounds)
            except Missing as e:
                row["not_measured"] = str(e)
            rows.append(row)
    return rows


def targets_summary(cells, rounds, workloads=None):
    """One row a workload and target: medians of what one run said and cost."""
    rows = []
    for w in workloads or plan.WORKLOADS:
        for target in plan.MEASURED[w]:
            row = {"workload": w, "target": target, "run": None, "cost": None,
                   "wraps_min": None, "not_measured": None}
            try:
                mine = usable(cells, w, target, rounds)
            except Missing as e:
                row["not_measured"] = str(e)
                rows.append(row)
                continue
            row["run"] = medians([c["run"] for c in mine.values()])
            row["cost"] = medians([c["cost"] for c in mine.values() if c["cost"]]) or None
            turns = [c["wraps"] for c in mine.values() if c["wraps"] is not None]
            row["wraps_min"] = min(turns) if turns else None
            rows.append(row)
    return rows


def medians(dicts):
    keys = set().union(*dicts) if dicts else ()
    return {k: statistics.median(d[k] for d in dicts if k in d) for k in sorted(keys)}


def line(row):
    """The line of a pair on standard output."""
    head = f"bench: {row['workload']} {row['mode']}/{row['peer']}"
    if row["not_measured"]:
        return f"{head} not measured: {row['not_measured']}"
    r = row["ratio"]
    return f"{head} {r['median']:.2f} {r['min']:.2f} {r['max']:.2f}"


def block_bytes(workload):
    return int(plan.WORKLOADS[workload]["bs"].rstrip("k")) << 10


# --- allocations, from the text of a trace with stack traces --------------------

EVENT = re.compile(r": (kmem_cache_alloc|kmalloc|mm_page_alloc)(?:_node)?: ")
# below these frames the network or the lower disk's queue is at work, whoever called
BORDER = re.compile(r"\b(tcp_|ip_|sock_|__sock|inet|sk_|skb|alloc_skb|__alloc_skb|kernel_send|"
                    r"kernel_recv|submit_bio|__submit_bio|blk_|__blk|virt|dev_queue|net_rx|napi)")


def allocations(text, modules):
    """Counts by event: of all allocations, of those that `modules` ask for themselves, and
    of the latter by the function that asks."""
    count = {"all": {}, "own": {}, "sites": {}}
    event, frames = None, []

    def add(kind, key):
        count[kind][key] = count[kind].get(key, 0) + 1

    def close():
        if event is None:
            return
        add("all", event)
        for f in frames:
            if any(f"[{m}]" in f for m in modules):
                add("own", event)
                add("sites", f.split("+", 1)[0])
                break
            if BORDER.search(f):
                break

    for text_line in text.splitlines():
        m = EVENT.search(text_line)
        if m:
            close()
            event, frames = m.group(1), []
        elif text_line.lstrip().startswith("=> "):
            frames.append(text_line.strip()[3:])
    close()
    return count


# --- the physical limit ---------------------------------------------------------

def limit_us(raw_us, ping_us, checksum_us):
    """T_sync of the model: submit and local write, beside the way to the peer and its write.

    raw_us: a lone write on the raw device, submit and completion in it; ping_us: a
    round trip of so many bytes over TCP; checksum_us: of one write, on one side."""
    local = checksum_us + raw_us
    remote = ping_us + checksum_us + raw_us
    return max(local, remote) + checksum_us
