#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Write schema/data/qemu-cpu-models.tsv: where QEMU's named models differ from libvirt's.

    make-qemu-models.py --dictionary dictionary.json --models cpu-models.tsv --out FILE QEMU…

Asks each QEMU given (a command; spaces separate its words) to expand all its models, without
hardware and without a machine.  Run again whenever a newer QEMU is at hand.

Standard library only; runs on Python 3.9.
"""

import argparse
import sys

import qemu_facts
import qemu_models
import tables

COMMENTS = (
    "qemu-cpu-models.tsv: what QEMU's models have more and less than libvirt's of the",
    "same name (cpu-models.tsv). Written by schema/tools/make-qemu-models.py.",
    "Left out: vmx-*, and what accelerators switch by themselves "
    f"({' '.join(sorted(qemu_models.BY_ACCELERATOR))}).",
    "For the newest machine type of each QEMU; older ones may take more away.",
)
HEADER = ("name", "in_libvirt", "qemu", "more", "less", "source")


def main():
    parser = argparse.ArgumentParser(description="Write the table of QEMU's CPU models.")
    for name in ("dictionary", "models", "out"):
        parser.add_argument(f"--{name}", required=True, metavar="FILE")
    parser.add_argument("qemu", nargs="+", metavar="QEMU")
    arguments = parser.parse_args()
    models = {row["name"]: set(row["features"].split())
              for row in tables.parse(arguments.models, "cpu-models.tsv").rows}
    names, _ = qemu_models.read_names(arguments.dictionary)
    found = {}
    for command in arguments.qemu:
        try:
            with qemu_facts.Qemu(command) as qemu:
                version = qemu.version()[0]
                for name, properties in qemu_models.expansions(qemu):
                    row = qemu_models.difference(name, properties, models, names)
                    found.setdefault(row, []).append(version)
        except qemu_facts.QemuError as error:
            sys.exit(f"{command}: {error}")
    rows = ((row[0], row[1], " ".join(where), row[2], row[3], qemu_models.SOURCE)
            for row, where in sorted(found.items(), key=lambda item: (item[0][0], item[1])))
    tables.write(arguments.out, COMMENTS, HEADER, rows)


if __name__ == "__main__":
    main()
