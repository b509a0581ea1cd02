# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the dictionary's tests share: the generator at hand, recorded data, a tally."""

import glob
import json
import os
import subprocess
import sys
import tempfile

TOP = os.environ.get("top_srcdir", os.path.join(os.path.dirname(__file__), ".."))
SCHEMA = os.path.join(TOP, "schema")
GENERATOR = os.path.join(SCHEMA, "gen-dictionary.py")
DATA = os.path.join(TOP, "..", "shared", "data")
SKIP = 77


def generate(files, *options):
    """(exit status, stdout, stderr) of the generator."""
    result = subprocess.run([sys.executable, GENERATOR, *options, *files], text=True,
                            capture_output=True, check=False)
    return result.returncode, result.stdout, result.stderr


def dictionary():
    """The dictionary as the generator's JSON."""
    files = sorted(glob.glob(os.path.join(SCHEMA, "dictionary", "*.dict")))
    status, text, errors = generate(files, "--json", "-")
    if status != 0:
        sys.exit(f"the dictionary itself is refused:\n{errors}")
    return json.loads(text)


def recorded(*parts):
    """A path in the recorded data; ends the test as skipped where there is none."""
    path = os.path.join(DATA, *parts)
    if not os.path.exists(path):
        print(f"skipped: no recorded data at ../shared/data/{'/'.join(parts)}")
        sys.exit(SKIP)
    return path


def names(entries, namespace):
    """name → entry, of what x86 has."""
    return {name: entry for entry in entries["capabilities"] if "arch" not in entry
            for name in entry.get("names", {}).get(namespace, [])}


def read_table(name):
    """Rows of a schema/data table as dicts."""
    with open(os.path.join(SCHEMA, "data", name), encoding="utf-8") as file:
        lines = file.read().splitlines()
    if not lines[0].startswith("# SPDX-License-Identifier: LGPL-2.1-or-later"):
        sys.exit(f"{name}: no licence line")
    rows = [(number, line.split("\t")) for number, line in enumerate(lines, 1)
            if line and not line.startswith("#")]
    header = rows[0][1]
    for number, row in rows[1:]:
        if len(row) != len(header) or not all(row):
            sys.exit(f"{name}:{number}: {len(row)} cells, or an empty one, below a header of "
                     f"{len(header)}")
    return [dict(zip(header, row)) for _, row in rows[1:]]


class Tally:
    """Counts what was looked at; complains at once, fails at the end, and never passes on none."""

    def __init__(self):
        self.good = self.bad = 0

    def check(self, ok, text):
        if ok:
            self.good += 1
        else:
            self.bad += 1
            print(f"wrong: {text}")

    def finish(self, what, least=1):
        print(f"{what}: {self.good} right, {self.bad} wrong")
        if self.good < least:
            print(f"only {self.good} were looked at, {least} are expected")
        sys.exit(1 if self.bad or self.good < least else 0)


def scratch():
    return tempfile.TemporaryDirectory(prefix="capbroker-test-")
