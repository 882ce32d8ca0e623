# SPDX-License-Identifier: GPL-2.0-only
"""The list of mutants, and what one of them makes of a source file.

A mutant in core.txt is

    @ NAME FILE RULE, RULE: what it does wrong
    - text that stands once in kmod/core/FILE
    + what it becomes

with as many pairs of - and + as the rule has places. White space, line breaks
and comments between the words of C do not count.
"""
import re

TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|\w+|[^\s\w]')
GAP = r"(?:\s|/\*.*?\*/)*"


class Mutant:
    def __init__(self, name, file, rules, text):
        self.name, self.file, self.rules, self.text = name, file, rules, text
        self.hunks = []		# [old, new]


def read(path):
    """All mutants of a list; raises ValueError with the line that is wrong."""
    found = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        mark, rest = line[0], line[1:].strip()
        if mark == "@":
            m = re.fullmatch(r"(\S+) (\S+) ([^:]+): (.+)", rest)
            if not m:
                raise ValueError("%s:%d: @ NAME FILE RULES: text" % (path, number))
            if any(m[1] == x.name for x in found):
                raise ValueError("%s:%d: %s is there twice" % (path, number, m[1]))
            found.append(Mutant(*m.groups()))
        elif mark in "-+" and found:
            hunks = found[-1].hunks
            if mark == "-" and (not hunks or hunks[-1][1] is not None):
                hunks.append([rest, None])
            elif mark == "-":
                hunks[-1][0] += " " + rest
            elif not hunks:
                raise ValueError("%s:%d: + without -" % (path, number))
            else:
                hunks[-1][1] = ((hunks[-1][1] or "") + " " + rest).strip()
        else:
            raise ValueError("%s:%d: not @, -, + or #" % (path, number))
    for x in found:
        if not x.hunks or any(new is None for _, new in x.hunks):
            raise ValueError("%s: %s has no - and +" % (path, x.name))
    return found


def pattern(text):
    text = re.sub(r"/\*.*?\*/", " ", text)
    words = TOKEN.findall(text)
    expr = GAP.join(re.escape(w) for w in words)
    if words[0][0].isalnum():
        expr = r"\b" + expr
    if words[-1][-1].isalnum():
        expr += r"\b"
    return re.compile(expr, re.S)


def apply(mutant, source):
    """The changed source; ValueError if a text does not stand there exactly once."""
    for old, new in mutant.hunks:
        source, n = pattern(old).subn(lambda m, text=new: text, source)
        if n != 1:
            raise ValueError("stands %d times in %s: %s" % (n, mutant.file, old))
    return source
