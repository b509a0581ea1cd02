# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of read-iommu.h share: decode-iommu at hand, and facts as tests look at them."""

import importlib.util
import json
import os
import subprocess
import sys

BUILD = os.environ.get("top_builddir", "..")
TESTS = os.path.dirname(os.path.abspath(__file__))
DECODER = os.path.join(BUILD, "tests", "decode-iommu")


def decode(requests):
    """Answers to lines of requests, in their order."""
    text = "".join(request + "\n" for request in requests)
    result = subprocess.run([DECODER], input=text, text=True, capture_output=True, check=False)
    if result.returncode or result.stderr:
        sys.exit(f"decode-iommu: exit status {result.returncode}\n{result.stderr}")
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    if len(answers) != len(requests):
        sys.exit(f"decode-iommu: {len(answers)} answers to {len(requests)} requests")
    return answers


def facts(answer, part="facts", view=None):
    """id → value of what is known, else the state, in capitals: ABSENT."""
    return {fact["id"]: fact["value"] if fact["state"] == "known" else fact["state"].upper()
            for fact in answer[part] if view in (None, fact["scope"]["view"])}


def agree(tally, found, wanted, what):
    """Each fact that is wanted is there, and says that."""
    for name, value in wanted.items():
        tally.check(found.get(name) == value, f"{what}: {name} is {found.get(name)}, not {value}")


def load_test(name):
    """A test as a module; its last line runs it, which isn't wanted here."""
    path = os.path.join(TESTS, name)
    with open(path, encoding="utf-8") as file:
        source = file.read().removesuffix("main()\n")
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, None))
    exec(compile(source, path, "exec"), module.__dict__)
    return module


def requests_of_tests():
    """What the tests of read-iommu.h ask that is fine, so that others can see what that fires."""
    return [request for name in ("acpi", "pci", "registers", "vfio")
            for request in load_test(f"test-read-{name}.py").requests()]
