# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes corpus/acpi, corpus/pci and corpus/vfio anew: the inputs that the tests of the readers make,
whole and spoilt, so that a fuzzer starts where each reader's branches are.  Tables of real machines
stay out of it.

    top_srcdir=. top_builddir=build build/run python3 tests/fuzz/make-seeds.py
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
sys.path.insert(0, TESTS)

from decode_fixture import load_test  # found beside the tests


def write(kind, inputs):
    folder = os.path.join(HERE, "corpus", kind)
    os.makedirs(folder, exist_ok=True)
    for name in os.listdir(folder):
        os.remove(os.path.join(folder, name))
    for number, data in enumerate(inputs, 1):
        with open(os.path.join(folder, f"{number:02}"), "wb") as file:
            file.write(data)
    print(f"{kind}: {len(inputs)} inputs, {sum(map(len, inputs))} bytes")


def trim(data):
    """Without the zeros at the end: configuration space is mostly those."""
    return data[:max(64, len(data.rstrip(b"\0")) + 4)]


def main():
    acpi, pci, vfio = (load_test(f"test-read-{name}.py") for name in ("acpi", "pci", "vfio"))
    write("acpi", [row[0] for row in acpi.GOOD] + [row[0] for row in acpi.BAD[::3]])
    write("pci", [trim(bytes.fromhex(row[0])) for rows in (pci.GOOD, pci.BAD)
                  for name, row in rows.items() if name not in ("no bytes", "gone")][::2])
    hwinfo = bytes([1, 20, 9]) + bytes.fromhex("0100000000000000" "06062f228c00d281"
                                               "4a0ff00000880000")
    write("vfio", [row[0] for row in vfio.GOOD.values()] + [row[0] for row in vfio.BAD.values()][::3]
          + [hwinfo, bytes([2, 0, 8]) + bytes(40), vfio.REGIONS.encode(), b"25bf732fa2295afe:53d\n"])


main()
