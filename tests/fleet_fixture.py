# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of questions about a whole fleet share: hosts that have the QEMUs of recorded lab
hosts and nothing else, guests, and what is asked of them."""

import copy
import json
import os
import tempfile
import time

from answers_fixture import problems, validator
from hosts_fixture import HOSTS, Capbroker

# QEMU 7.2, 10.0 and 11.1
OLD, MID, NEW = "lab-debian12", "lab-debian13", "lab-sid"
DAY = 86400


def host(name, qemu, age=0):
    """A host without assigned devices, emulating; its profile is @age seconds old."""
    with open(os.path.join(HOSTS, qemu, "profile.json"), encoding="utf-8") as file:
        document = json.load(file)
    document["emulators"] = [one for one in document["emulators"] if one["accel"] == "tcg"]
    document["host"] = {"name": name, "arch": "x86_64", "aliases": {}}
    document["iommus"], document["devices"] = [], []
    document["probe"]["time"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - age))
    return document


def without(document, machine):
    """The same with a QEMU that was built without a machine type."""
    document = copy.deepcopy(document)
    for emulator in document["emulators"]:
        if "machines" in emulator:
            emulator["machines"] = [m for m in emulator["machines"] if m["name"] != machine]
    return document


def guest(name, machine, running=True, devices="", number=0):
    """A definition; the name has a UUID and a network card's address of its own."""
    number = number or sum(ord(letter) << 8 * (i % 3) for i, letter in enumerate(name))
    live = f" id='{number % 900 + 1}'" if running else ""
    return (f"<domain type='qemu'{live}><name>{name}</name>"
            f"<uuid>10000000-0000-4000-8000-{number:012x}</uuid><memory unit='MiB'>256</memory><vcpu>1</vcpu>"
            f"<os><type arch='x86_64' machine='{machine}'>hvm</type></os><features><acpi/></features>"
            f"<devices><emulator>/usr/bin/qemu-system-x86_64</emulator>{devices}"
            f"<interface type='user'><mac address='52:54:00:{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:"
            f"{number & 255:02x}'/><model type='e1000'/></interface></devices></domain>")


class Fleet(Capbroker):
    """The program on a database with these hosts, and guests where they are; use as a context."""

    def __init__(self, hosts=(), guests=()):
        """@guests: (host or None, definition)"""
        super().__init__()
        self.files = tempfile.TemporaryDirectory(prefix="capbroker-fleet-test-")
        self.number = 0
        self.validator = None
        for document in hosts:
            self.add_host(document)
        for where, definition in guests:
            self.add_guest(where, definition)

    def __exit__(self, *arguments):
        self.files.cleanup()
        super().__exit__(*arguments)

    def file(self, ending, text):
        self.number += 1
        path = os.path.join(self.files.name, f"{self.number}{ending}")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def add_host(self, document, *options):
        self.run("import", *options, self.file(".json", json.dumps(document)))

    def add_guest(self, where, definition):
        self.run("import", *(("--host", where) if where else ()), self.file(".xml", definition))

    def valid(self, tally, *arguments):
        """(exit status, answer), which is held against the schema."""
        status, out, errors = self.try_run("--json", *arguments)
        try:
            document = json.loads(out)
        except ValueError:
            tally.check(False, f"{arguments}: {status} {out} {errors}")
            return status, {}
        for error in self.errors(document):
            tally.check(False, f"{arguments}: not valid: {error}")
        return status, document

    def errors(self, document):
        """What the schema says against an answer; nothing where nobody can ask it."""
        if self.validator is None:
            self.validator = validator() or False
        return problems(self.validator or None, document)

    def refused(self, tally, words, *arguments):
        """Exit status 2, one line that has the words, and nothing else."""
        status, out, errors = self.try_run(*arguments)
        tally.check(status == 2 and not out and words in errors and errors.count("\n") == 1,
                    f"{arguments}: {status} {out} {errors}, not one line with {words!r}")

    def shows(self, tally, patterns, *arguments):
        """Text of 80 columns in which these words are, spaces drawn together."""
        _, out, errors = self.try_run(*arguments)
        flat = " ".join(out.split())
        for words in patterns:
            tally.check(words in flat, f"{arguments}: {words!r} is not in\n{out}{errors}")
        tally.check(all(len(line) <= 80 for line in out.splitlines()), f"{arguments}: wide\n{out}")
        return out


def groups(answer):
    """{guests' names joined: group}"""
    return {" ".join(one["guests"]): one for one in answer["guest_groups"]}
