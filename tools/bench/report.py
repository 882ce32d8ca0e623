# SPDX-License-Identifier: GPL-2.0-only
"""docs/benchmarks.md out of bench.json: everything in it comes from there."""
import statistics

import figures
import plan

REC_NAME = {"rec": "swblock, history in the log", "delta": "swblock, by changed-block bitmap",
            "drbd-rec": "DRBD 8.4, protocol C", "md-rec": "md-raid1 over nbd"}


def num(value, digits=2):
    return "-" if value is None else f"{value:.{digits}f}"


def table(head, rows):
    out = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return out + ["| " + " | ".join(str(c) for c in r) + " |" for r in rows]


def reason(text):
    return "not measured: " + text.replace("|", "/").replace("\n", " ")


def pair_rows(doc):
    rows = []
    for p in doc["pairs"]:
        r = p["ratio"]
        rows.append([p["workload"], f"{p['mode']} / {p['peer']}",
                     "more" if p["promise"] == "more" else "equal"] +
                    ([f"**{r['median']:.2f}**", f"{r['min']:.2f} to {r['max']:.2f}"] if r
                     else [reason(p["not_measured"]), ""]))
    return rows


def cost_rows(doc):
    rows = []
    for t in doc["targets"]:
        c = t["cost"]
        if t["not_measured"] or not c:
            rows.append([t["workload"], t["target"], reason(t["not_measured"] or "no samples")] +
                        [""] * 7)
            continue
        rows.append([t["workload"], t["target"],
                     num(c.get("wire_per_byte"), 3),
                     num(c.get("disk_per_byte_a")), num(c.get("disk_per_byte_b")),
                     num(c["packets"]), f"{num(c['switches_a'])} + {num(c['switches_b'])}",
                     f"{num(c['pages_a'])} + {num(c['pages_b'])}",
                     f"{num(c['disk_flushes_a'])} + {num(c['disk_flushes_b'])}",
                     num(t["wraps_min"], 1)])
    return rows


def cpu_rows(doc):
    """CPU of both guests for each I/O, as a multiple of the raw device's in the same run."""
    rows = []
    for w in plan.WORKLOADS:
        cost = {t["target"]: t["cost"] for t in doc["targets"] if t["workload"] == w}
        raw = cost.get("raw")
        if not raw or not raw["cpu_us_a"]:
            continue
        for target, c in cost.items():
            if c and target != "raw":
                rows.append([w, target, num(c["cpu_us_a"] / raw["cpu_us_a"]),
                             num(c["cpu_us_b"] / raw["cpu_us_a"])])
    return rows


def recovery_rows(doc):
    """One line a step and target: seconds and bytes, as medians."""
    groups = {}
    for r in doc["recovery"]:
        groups.setdefault((r["what"], r["target"]), []).append(r)
    rows = []
    for (what, target), mine in sorted(groups.items()):
        bad = [r["error"] for r in mine if r["error"]]
        if bad:
            rows.append([what, REC_NAME[target], reason(bad[0]), "", ""])
            continue
        seconds = figures.spread([r["seconds"] for r in mine])
        wire = statistics.median(r["wire_bytes"] for r in mine)
        per = f"{wire / plan.SCATTER_BYTES:.3f}" if what == "catch-up" else "-"
        rows.append([what, REC_NAME[target],
                     f"{seconds['median']:.2f} ({seconds['min']:.2f} to {seconds['max']:.2f})",
                     f"{wire / (1 << 20):.1f}", per])
    return rows


def allocation_rows(doc):
    rows = []
    for r in doc["allocations"]:
        if r["not_measured"]:
            rows.append([r["target"], reason(r["not_measured"]), "", ""])
            continue
        rows.append([r["target"]] + [", ".join(f"{k} {v:.3f}" for k, v in r[kind].items()) or "none"
                                     for kind in ("own", "sites", "all")])
    return rows


def limit_lines(doc):
    """The model of the design page with the figures of this run."""
    env = doc["environment"]
    lat = {t["target"]: t["run"]["lat_mean_us"] for t in doc["targets"]
           if t["workload"] == "hot-d1" and t["run"]}
    if "raw" not in lat:
        return ["not measured: no figure of the raw device at depth 1"]
    crc = env["crc_4k_ns"] / 1000
    limit = figures.limit_us(lat["raw"], env["ping_4k_us"], crc)
    rows = []
    for t in ("written", "drbd-c"):	# what promises two written copies
        if t in lat:
            rows.append([t, f"{lat[t] / limit:.2f}", f"{max(0.0, 1 - limit / lat[t]) * 100:.0f} %"])
    return [f"A lone 4 KiB write that two disks hold when it is answered cannot take less than **1.00 = {limit:.0f} us** of this emulated "
            f"machine: a raw write ({lat['raw']:.0f}), a round trip of 4 KiB and an answer over "
            f"TCP between the guests ({env['ping_4k_us']:.0f}), the same raw write over there, "
            f"and two checksums ({crc:.0f} each, {env['crc']}). What is above it is "
            "the replicator's own part:", ""] + \
        table(["target", "latency / limit", "own part"], rows)


def markdown(doc):
    env = doc["environment"]
    out = ["<!-- SPDX-License-Identifier: GPL-2.0-only -->",
           "<!-- written by scripts/bench from bench.json; do not edit -->",
           "# Benchmarks", ""]
    if doc["disturbed"]:
        out += ["**Not a result**: " + "; ".join(doc["disturbed"]) + ".", ""]
    out += [f"`{doc['command']}`, {doc['date']}: {doc['rounds']} interleaved rounds of "
            f"{doc['seconds']} s a run, two guests of {env['cpus']} CPU each under QEMU emulation "
            "on one machine. What is compared with what, and why that is fair: "
            "[design/bench.md](design/bench.md). Microseconds of an emulated machine mean nothing "
            "elsewhere; ratios, and counts for each write, are what carries over.", "",
            "## Ratios", "",
            "Requests a second of the first over those of the second, in the same round; median, "
            "least and greatest over the rounds. More than 1: swblock is faster. *more*: swblock "
            "promises more than what it is compared with.", ""]
    out += table(["workload", "pair", "promise", "ratio", "spread"], pair_rows(doc))
    out += [""] + [f"- {w}: {plan.TITLE[w]}" for w in plan.WORKLOADS]
    out += ["", "## How far from the limit", ""] + limit_lines(doc)
    out += ["", "## A copy lost and regained", "",
            f"Time in seconds of this machine; {plan.SCATTER_BYTES >> 20} MiB of scattered "
            "4 KiB writes missed, a copy of 256 MiB rebuilt, the role taken again on the same host.", ""]
    out += table(["step", "target", "seconds", "MiB on the wire", "per byte written"],
                 recovery_rows(doc))
    out += ["", "## What a request costs", "",
            "In the middle of a run, for each request: bytes on the wire (Ethernet frames, both "
            "directions) and to each guest's disks per byte written, packets, context switches, "
            "pages allocated and disk flushes on each side (fio and the kernel's own included), "
            "and the fewest turns of the ring in a run.", ""]
    out += table(["workload", "target", "wire", "disk a", "disk b", "packets", "switches",
                  "pages", "flushes", "turns"], cost_rows(doc))
    out += ["", "CPU time of each guest for a request, over that of the raw device:", ""]
    out += table(["workload", "target", "guest a", "guest b"], cpu_rows(doc))
    out += ["", "Allocations for each write at depth 16, traced with their stacks in a run of "
            "their own: those that the module asks for (a mempool asks the slab first, so it "
            "counts), and all of the guest, with network, lower disk and fio.", ""]
    out += table(["target", "own", "asked for by", "all"], allocation_rows(doc))
    out += ["", "## Circumstances", ""]
    out += table(["what", "value"], [[k, v] for k, v in sorted(env.items())] +
                 [["other load on the machine", f"{doc['other_load'] * 100:.1f} % of its CPU time"]])
    return "\n".join(out) + "\n"
