#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Write schema/data/qemu-properties.tsv: what QEMU's devices and objects can be told, by version.

    make-qemu-properties.py --data FOLDER --out FILE QEMU…

Asks each QEMU given (a command; spaces separate its words) for the types that FOLDER's
qemu-devices.tsv and rules name, and some more.  Run again whenever a newer QEMU is at
hand, with all of them; a site uses capbroker-refresh instead.

Standard library only; runs on Python 3.9.
"""

import argparse
import sys

import qemu_facts
import tables

# (device, the newest spelling): older ones, oldest first.  That they mean the same is written in
# QEMU's git history, and not told by QEMU.
SPELLINGS = {
    ("intel-iommu", "fsts"): ("x-flts", "flts"),
    ("intel-iommu", "scalable-mode"): ("x-scalable-mode",),
    ("vfio-pci", "enable-migration"): ("x-enable-migration",),
}
HEADER = ("device", "property", "type", "default", "not_in", "first_in", "last_in", "spellings",
          "source")
COMMENTS = (
    "qemu-properties.tsv: properties of QEMU's devices, machine types and other objects, with",
    "their defaults. Written by schema/tools/make-qemu-properties.py.",
    "A row: from first_in to last_in (- : the newest looked at) the property is there and has",
    "that default (JSON; - : none told), as far as was looked at; not_in: the newest looked at",
    "before, which it isn't so in. A property that changes its default has several rows. A row",
    "without a property is the type itself, one without a type a QEMU that was looked at.",
    "spellings: names that one property had, oldest first. machine:q35 is the newest of that",
    "kind; defaults are the device's own, which older machine types may change.",
)
SOURCE = "QMP device-list-properties"


def spellings(device, name):
    for (owner, newest), older in SPELLINGS.items():
        if owner == device and name in older + (newest,):
            return " ".join(older + (newest,))
    return tables.NONE


def rows_of(versions, facts):
    """@facts: version → type → property → (type, default)"""
    for version in versions:
        yield (tables.NONE,) * 5 + (version, tables.NONE, tables.NONE, "QMP query-version")
    for device in sorted({name for version in versions for name in facts[version]}):
        for cell, *span in tables.spans(versions, lambda v, d=device: True if d in facts[v] else None):
            yield (device, tables.NONE, "type", tables.NONE, *span, tables.NONE,
                   "QMP qom-list-types")
        told = [v for v in versions if facts[v].get(device, {}) is not None]
        names = {name for version in told for name in facts[version].get(device, ())}
        for name in sorted(names):
            for cell, *span in tables.spans(told, lambda v, d=device, n=name: facts[v].get(d, {}).get(n)):
                yield (device, name, *cell, *span, spellings(device, name), SOURCE)


def main():
    parser = argparse.ArgumentParser(description="Write the table of QEMU's properties.")
    parser.add_argument("--data", required=True, metavar="FOLDER")
    parser.add_argument("--out", required=True, metavar="FILE")
    parser.add_argument("qemu", nargs="+", metavar="QEMU")
    arguments = parser.parse_args()
    listed = [row["device"] for row in tables.load("qemu-devices.tsv", arguments.data).rows]
    named = qemu_facts.named_by_rules(arguments.data)
    facts = {}
    wanted = dict.fromkeys((*qemu_facts.TYPES, *listed, *named))
    wanted = [name for name in wanted if name not in qemu_facts.APART]
    for command in arguments.qemu:
        try:
            with qemu_facts.Qemu(command) as qemu:
                version = qemu.version()[0]
            facts[version] = qemu_facts.all_properties(command, wanted)
        except qemu_facts.QemuError as error:
            sys.exit(f"{command}: {error}")
    versions = sorted(facts, key=tables.version_key)
    tables.write(arguments.out, COMMENTS, HEADER, rows_of(versions, facts))


if __name__ == "__main__":
    main()
