#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Imports every file of the recorded data's folders that describe hosts and guests as they lie
there.  At least 95 of 100 in each folder must be taken; what is refused is listed, with the reason,
in import-refused.tsv, and nothing else is."""

import os
import subprocess
import sys
import tempfile

from dictionary_fixture import recorded
from hosts_fixture import TESTS, rows

FOLDERS = ("libvirt-capabilities", "libvirt-domaincaps", "capabilities-other", "libvirt-domains",
           "libvirt-qemucaps")
SHARE = 0.95


def files(folder):
    path = recorded(folder)
    for name in sorted(os.listdir(path)):
        if os.path.isfile(os.path.join(path, name)):
            yield f"{folder}/{name}", os.path.join(path, name)


def refusal(path, scratch):
    """What the program says where it refuses a file, or None."""
    database = os.path.join(scratch, "import.db")
    result = subprocess.run(["capbroker", "--db", database, "import", path], text=True, check=False,
                            capture_output=True, stdin=subprocess.DEVNULL)
    for name in os.listdir(scratch):
        os.unlink(os.path.join(scratch, name))
    if result.returncode == 0:
        return None
    lines = result.stderr.splitlines()
    if result.returncode != 2 or len(lines) != 1 or path not in lines[0]:
        return f"not refused in one line that names it (status {result.returncode}): {lines}"
    return lines[0]


def main():
    expected = {row["file"]: row["reason"]
                for row in rows(os.path.join(TESTS, "import-refused.tsv"))}
    wrong, met = [], set()
    with tempfile.TemporaryDirectory(prefix="capbroker-import-test-") as scratch:
        for folder in FOLDERS:
            taken = total = 0
            for name, path in files(folder):
                said = refusal(path, scratch)
                total += 1
                taken += said is None
                if said and name not in expected:
                    wrong.append(f"{name}: refused, and not in the table: {said}")
                elif said and "not refused" in said:
                    wrong.append(f"{name}: {said}")
                elif said is None and name in expected:
                    wrong.append(f"{name}: in the table of what is refused, and was taken")
                if said:
                    met.add(name)
            print(f"{folder}: {taken} of {total} files ({100 * taken / max(total, 1):.1f} %)")
            if taken < SHARE * total or not total:
                wrong.append(f"{folder}: fewer than {100 * SHARE:.0f} % are taken")
    for name in sorted(met):
        print(f"refused: {name}: {expected.get(name, '?')}")
    for line in wrong:
        print(f"wrong: {line}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
