# SPDX-License-Identifier: GPL-2.0-only
"""A strict reader of Prometheus' text format 0.0.4: what is not in order is an error."""
import collections
import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"'
SAMPLE = re.compile(rf"({NAME})(?:\{{((?:{LABEL})(?:,{LABEL})*)\}})? "
                    r"([-+]?[0-9]+(?:\.[0-9]+)?|NaN|[-+]Inf)")
TYPES = ("counter", "gauge", "histogram", "summary", "untyped")
UNESCAPE = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}

Sample = collections.namedtuple("Sample", "name labels value")


class Page:
    """Samples of a valid page."""

    def __init__(self):
        self.types = {}
        self.samples = []

    def all(self, name, **labels):
        """Samples of that name with at least those labels."""
        return [s for s in self.samples if s.name == name and
                all(s.labels.get(k) == v for k, v in labels.items())]

    def one(self, name, **labels):
        """The value of the only one, or None."""
        found = self.all(name, **labels)
        return found[0].value if len(found) == 1 else None


def need(cond, line, what):
    """An error of the page."""
    if not cond:
        raise ValueError(f"{what}: {line}")


def base(types, name):
    """The family that a sample belongs to."""
    for end in ("_bucket", "_sum", "_count"):
        if name.endswith(end) and types.get(name[:-len(end)]) == "histogram":
            return name[:-len(end)]
    return name


def parse_sample(line):
    """One line with a value."""
    m = SAMPLE.fullmatch(line)
    need(m, line, "no sample")
    labels = {}
    for k, v in re.findall(LABEL, m[2] or ""):
        need(k not in labels, line, "a label twice")
        labels[k] = re.sub(r'\\["\\n]', lambda e: UNESCAPE[e[0]], v)
    return Sample(m[1], labels, float(m[m.lastindex]))


def check_histogram(page, name):
    """Buckets rise, end with +Inf, and that is the count."""
    groups = collections.defaultdict(list)
    for s in page.samples:
        if s.name == name + "_bucket":
            need("le" in s.labels, s, "a bucket without le")
            rest = {k: v for k, v in s.labels.items() if k != "le"}
            groups[frozenset(rest.items())].append((float(s.labels["le"]), s.value))
    for key, buckets in groups.items():
        need(buckets == sorted(buckets), key, "edges or counts fall")
        need(len({le for le, _ in buckets}) == len(buckets), key, "an edge twice")
        need(all(a[1] <= b[1] for a, b in zip(buckets, buckets[1:])), key,
             "counts fall")
        need(buckets[-1][0] == float("inf"), key, "no +Inf")
        for part in ("_count", "_sum"):
            found = [s for s in page.samples if s.name == name + part and
                     frozenset(s.labels.items()) == key]
            need(len(found) == 1, key, "no single " + part)
            if part == "_count":
                need(found[0].value == buckets[-1][1], key, "+Inf is not the count")
    counts = [s for s in page.samples if s.name == name + "_count"]
    need(len(counts) == len(groups), name, "a count without buckets")


def parse(text):
    """The page; ValueError if anything is not as the format wants it."""
    page, helps, ended, current = Page(), set(), set(), None
    seen = set()
    need(text.endswith("\n") and "\r" not in text, text[-50:], "no end of line")
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            name = line.split(" ")[2]
            need(re.fullmatch(NAME, name) and len(line.split(" ", 3)[3]) > 5, line,
                 "no help")
            need(name not in helps, line, "a family twice")
            helps.add(name)
            ended.add(current)
            current = name
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            need(kind in TYPES, line, "no such type")
            need(name == current and name not in page.types, line,
                 "TYPE is not behind its HELP")
            page.types[name] = kind
        else:
            s = parse_sample(line)
            need(base(page.types, s.name) == current and current in page.types, line,
                 "a sample outside its family")
            need(current not in ended, line, "a family in two parts")
            need(page.types[current] != "counter" or (s.name.endswith("_total") and
                                                      s.value >= 0), line, "no counter")
            key = (s.name, frozenset(s.labels.items()))
            need(key not in seen, line, "a sample twice")
            seen.add(key)
            page.samples.append(s)
    for name, kind in page.types.items():
        if kind == "histogram":
            check_histogram(page, name)
    return page
