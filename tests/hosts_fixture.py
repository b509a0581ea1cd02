# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of recorded hosts share: capbroker on a database of its own, the demo fleet."""

import glob
import json
import os
import subprocess
import sys
import tempfile

TOP = os.environ.get("top_srcdir", os.path.join(os.path.dirname(__file__), ".."))
TESTS = os.path.join(TOP, "tests")
HOSTS = os.path.join(TESTS, "hosts")
LOAD = os.path.join(TESTS, "load-fleet.sh")


def profiles():
    """name → path of every recorded host's profile."""
    paths = sorted(glob.glob(os.path.join(HOSTS, "*", "profile.json")))
    if not paths:
        sys.exit("no recorded host below tests/hosts")
    return {os.path.basename(os.path.dirname(path)): path for path in paths}


def rows(path):
    """A table's rows as dicts."""
    with open(path, encoding="utf-8") as file:
        lines = [line.rstrip("\n").split("\t") for line in file if not line.startswith("#")]
    return [dict(zip(lines[0], line)) for line in lines[1:]]


def text_of(value):
    """A document as the digest and the store have it: sorted and compact."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


class Capbroker:
    """The program on a scratch database; use as a context."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="capbroker-hosts-test-")
        self.database = os.path.join(self.folder.name, "demo.db")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.folder.cleanup()

    def run(self, *arguments, fine=(0,)):
        """Its standard output; ends the test where the exit status is none of those."""
        result = subprocess.run(["capbroker", "--db", self.database, *arguments], text=True,
                                capture_output=True, stdin=subprocess.DEVNULL, check=False)
        if result.returncode not in fine or result.stderr:
            sys.exit(f"capbroker {' '.join(arguments)}: exit status {result.returncode}\n"
                     f"{result.stderr}")
        return result.stdout

    def try_run(self, *arguments):
        """(exit status, stdout, stderr), whatever they are."""
        result = subprocess.run(["capbroker", "--db", self.database, *arguments], text=True,
                                capture_output=True, stdin=subprocess.DEVNULL, check=False)
        return result.returncode, result.stdout, result.stderr

    def ask(self, *arguments, fine=(0, 1, 3)):
        return json.loads(self.run("--json", *arguments, fine=fine))

    def load_fleet(self):
        subprocess.run(["sh", LOAD, "--db", self.database], check=True, stdout=subprocess.DEVNULL,
                       stdin=subprocess.DEVNULL)
