# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes corpus/recording anew: the recordings that test-probe-iommu.py makes, each as one text of
parts "@@ PATH" and the file's bytes (fuzz-recording.c), the small ones of them.

    top_srcdir=. build/run python3 tests/fuzz/make-recording-seeds.py
"""

import os
import shutil
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
LARGEST = 8192
sys.path.insert(0, TESTS)


def pack(folder):
    parts = []
    for path, _, names in sorted(os.walk(folder)):
        for name in sorted(names):
            whole = os.path.join(path, name)
            if os.path.isfile(whole) and not os.path.islink(whole):
                with open(whole, "rb") as file:
                    parts.append((os.path.relpath(whole, folder), file.read()))
    return b"\n".join(b"@@ " + name.encode() + b"\n" + text for name, text in parts)


def made():
    """Every recording that the test makes, in the order it asks of them."""
    path = os.path.join(TESTS, "test-probe-iommu.py")
    with open(path, encoding="utf-8") as file:
        source = file.read().split("\nwith scratch() as folder:")[0]
    module = {"__name__": "seeds"}
    exec(compile(source, path, "exec"), module)
    found = []
    asked = module["replay"]

    def replay(folder):
        found.append(pack(folder))
        return asked(folder)

    module["replay"] = replay
    with tempfile.TemporaryDirectory() as base:
        for name in ("apertures", "regions", "eligible", "no_units", "torn", "hostile", "answers",
                     "many_ranges", "power", "smmu", "options"):
            module[name](base)
    return [text for text in dict.fromkeys(found) if len(text) <= LARGEST]


def main():
    folder = os.path.join(HERE, "corpus", "recording")
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    seeds = made()[::2]
    for number, text in enumerate(seeds, 1):
        with open(os.path.join(folder, f"{number:02}"), "wb") as file:
            file.write(text)
    print(f"recording: {len(seeds)} inputs, {sum(map(len, seeds))} bytes")


main()
