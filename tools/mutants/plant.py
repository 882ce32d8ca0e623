#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Put one mutant into a tree of links to the sources: plant.py NAME DIRECTORY.

Every other file of the core there is the true one again.
"""
import os
import pathlib
import sys

sys.dont_write_bytecode = True
import mutate	# noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
CORE = HERE.parent.parent / "kmod" / "core"


def main():
    name, tree = sys.argv[1], pathlib.Path(sys.argv[2]) / "kmod" / "core"
    found = [m for m in mutate.read(HERE / "core.txt") if m.name == name]
    if not found or not found[0].file:
        sys.exit("plant: no mutant of the core is called " + name)
    mutant = found[0]
    text = mutate.apply(mutant, (CORE / mutant.file).read_text())
    place = tree / mutant.file
    if not place.is_symlink() and place.exists() and place.read_text() == text:
        return
    new = place.with_suffix(".new")
    new.write_text(text)
    os.replace(new, place)


main()
