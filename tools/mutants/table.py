# SPDX-License-Identifier: GPL-2.0-only
"""docs/design/mutants.md: what kills each mutant. Written by a whole run, read
by a quick one. No times in it, so that equal runs write equal tables."""
import re

HEAD = """<!-- SPDX-License-Identifier: GPL-2.0-only -->
# Mutants

Written by `make mutants`; do not edit. Each row is one rule broken on purpose, and the first of each
kind that notices: a unit test of that file or of the step, a scenario of `tools/scenarios/`, a random
run of distsim (seed). Behind a scenario or a seed stands the invariant that its checker names
([invariants.md](invariants.md)); "expectation" means that a line of the scenario was not met.

A mutant counts as killed only by a scenario or a seed; where the simulators do not run the file, its
unit test explores every order of events and counts, too (%s). Random runs go up to seed %d; where
a scenario has killed the mutant already, up to seed %d. A dash says that nothing of that kind
noticed within that.

%d mutants: %d killed, %d survived.
"""

TAIL = """
## Second locks

Rules that are not in the list, because another one, which is, implies them; they stay as a defence
against a change of the other.

- `check_data`: records whose epoch falls below the last or rises above the adopted one. The primary's
  lineage, compared right behind, allows neither (`data-lineage-blind`).
- `check_data` and `ack`: nothing from or for a failed disk. Its sessions end in the step in which it
  fails, and START refuses it (`start-failed-disk`).
- `session_drop`, `adopt_fence`: a new log generation. A cut begins one of its own (`cut-generation`),
  and adoption flushes before any cut (P6).
- `classify`: a group of an older incarnation behind one of a newer. What a cut or a crash leaves is
  above the sealed end (`no-dead`) and names another predecessor (`no-chain`).
- `truncated`: a cut ends in the session that asked for it. While one is under way no other opens.
- `swb_ring_place`: one unit always stays free. The room that the executor keeps for open records is
  larger; `test_ring` has the case.
- `last_closed`: old openers count as gone only if nobody has the device open. In the simulator nobody
  can open it in between.
"""

KINDS = ("unit", "distsim", "seed")
CELLS = {"unit": "Unit test", "distsim": "Scenario", "seed": "Seed"}


# the simulators' nodes keep their sockets, take no times and record nothing
EXPLORED = {"lat.c", "move.c", "record.c"}


class Row:
    def __init__(self, name, file, rules, text):
        self.name, self.file, self.rules, self.text = name, file, rules, text
        self.unit = self.distsim = self.seed = ""
        self.broken = None

    def hit(self):
        return self.distsim or self.seed or \
            (self.file in EXPLORED and self.unit)

    def told(self):
        return "; ".join("%s %s" % (CELLS[k].lower(), getattr(self, k))
                         for k in KINDS if getattr(self, k))


def lines(rows):
    yield "| Mutant | Breaks | Unit test | Scenario | Seed |"
    yield "|---|---|---|---|---|"
    for r in rows:
        breaks = (r.rules + ": " if r.rules else "") + r.text
        yield "| %s | %s | %s |" % (
            r.name, breaks, " | ".join(getattr(r, k) or "-" for k in KINDS))


def write(path, rows, seeds, after):
    hit = sum(bool(r.hit()) for r in rows)
    out = [HEAD % (", ".join(sorted(EXPLORED)), seeds, min(after, seeds), len(rows), hit, len(rows) - hit)]
    for file in sorted({r.file for r in rows if r.file}):
        out += ["## core/" + file, ""]
        out += list(lines(r for r in rows if r.file == file)) + [""]
    out += ["## The executor and the controller", "",
            "Rules of `tools/sim/broken.c`, which the core takes for granted.", ""]
    out += list(lines(r for r in rows if not r.file))
    path.write_text("\n".join(out) + "\n" + TAIL)


def read(path):
    """name -> {kind: text} of the table."""
    found = {}
    if not path.exists():
        return found
    for line in path.read_text().splitlines():
        m = re.fullmatch(r"\| (\S+) \| .* \| (.*) \| (.*) \| (.*) \|", line)
        if m and m[1] != "Mutant":
            found[m[1]] = {k: "" if v == "-" else v
                           for k, v in zip(KINDS, m.groups()[1:])}
    return found
