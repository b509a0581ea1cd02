# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the probe's tests share: running it, reading its profile, a tally of what failed."""

import json
import os
import re
import subprocess
import sys
import tempfile

TOP = os.environ.get("top_srcdir", os.path.join(os.path.dirname(__file__), ".."))
DATA = os.path.join(TOP, "..", "shared", "data")
PROBE = "capbroker-probe"
# Probes that neither start a QEMU nor wait for a daemon.
QUICK = "kernel,cpuid,msr,kvm,mitigations"
STATES = {"ok", "partial", "unreadable", "missing", "timed-out", "failed"}

# valgrind knows few of KVM's ioctls and would take its own remark on the others for an error.
os.environ["VALGRIND_OPTS"] = "--sim-hints=lax-ioctls"
VALGRIND = "CAPBROKER_WRAPPERS" in os.environ

failures = []


def check(condition, what):
    """Counts a failure and goes on."""
    if not condition:
        failures.append(what)
        print(f"not ok: {what}")


def seconds(n):
    """A time limit as an argument: longer where valgrind makes everything slow."""
    return str(n * 6 if VALGRIND else n)


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(77)


def done():
    sys.exit(1 if failures else 0)


def probe(*arguments, program=PROBE, **options):
    """(exit status, stdout, stderr)"""
    result = subprocess.run([program, *arguments], capture_output=True, check=False, timeout=300,
                            **options)
    return result.returncode, result.stdout.decode(), result.stderr.decode()


def profile(*arguments, **options):
    """The profile's text and the profile; a run that gives none ends the test."""
    status, text, errors = probe(*arguments, **options)
    if status != 0:
        print(f"capbroker-probe {' '.join(arguments)}: exit status {status}: {errors}")
        sys.exit(1)
    return text, json.loads(text)


def refused(*arguments):
    """That a run ends with status 2 and one line that names the program; returns the line."""
    status, text, errors = probe(*arguments)
    line = errors.strip()
    check(status == 2, f"{arguments}: exit status {status}, not 2")
    check(not text, f"{arguments}: prints a profile although it fails")
    check(line.startswith("capbroker-probe: ") and "\n" not in line,
          f"{arguments}: not one line of error: {errors!r}")
    return line


def timeless(text):
    """A profile's text without times."""
    return re.sub(r'"(ms|time)": [^\n]*', "", text)


def sources(document):
    return {s["name"]: s for s in document["probe"]["sources"]}


def facts(document, view):
    """id → fact, of the top level's facts in one view."""
    return {f["id"]: f for f in document["facts"] if f["scope"]["view"] == view}


def scratch():
    return tempfile.TemporaryDirectory(prefix="capbroker-test-")


def write(folder, path, content):
    """A file in a recording."""
    path = os.path.join(folder, path.lstrip("/"))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())
    return path
