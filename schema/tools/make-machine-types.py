#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Write schema/data/machine-types.tsv: upstream's versioned x86 machine types and their clock.

    make-machine-types.py FILE

What it knows is in machine_clock.py.

Standard library only; runs on Python 3.9.
"""

import sys

import machine_clock
import tables

HEADER = ("family", "version", "released", "deprecated", "removed", "deprecated_in", "removed_in",
          "source")
COMMENTS = (
    "machine-types.tsv: upstream's versioned x86 machine types. Written by",
    "schema/tools/make-machine-types.py. Dates to come follow upstream's rhythm",
    "of three releases a year. What a host's own QEMU says comes first.",
)


def rows():
    key = tables.version_key
    for family, first in machine_clock.FAMILIES.items():
        for version in sorted(machine_clock.RELEASES, key=key):
            if key(version) < key(first) or version == "4.0.1" and family != "pc-q35":
                continue
            if family == "pc" and key(version) > key(machine_clock.LAST_PC):
                continue
            yield machine_clock.row(family, version)


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: make-machine-types.py FILE")
    tables.write(sys.argv[1], COMMENTS, HEADER, rows())


if __name__ == "__main__":
    main()
