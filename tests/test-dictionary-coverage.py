# SPDX-License-Identifier: LGPL-2.1-or-later
"""Counts the dictionary's entries that some recorded host has, and prints the others with reasons.

An entry is fired by a fact that is known and says something: a bool that is true, a number, a name;
or by a member of the profile that says the same (members() below).  Entries of IOMMUs and devices
are also fired by what the tests of their readers ask, each bit of each register by itself. Those of virtual
IOMMUs are no host's: they must be the properties of viommu-properties.tsv, one for one.
untested-capabilities.tsv lists what none fires and why.  Fails where that list and the hosts don't agree, or
where a tenth of the dictionary or more isn't fired.  With -v, the ids and reasons one by one.
"""

import collections
import glob
import json
import os
import sys

from decode_fixture import decode, requests_of_tests
from dictionary_fixture import SKIP, TOP, dictionary

UNTESTED = os.path.join(TOP, "tests", "untested-capabilities.tsv")
PROPERTIES = os.path.join(TOP, "schema", "data", "viommu-properties.tsv")
ROOMS = {"intel-iommu": "intel", "amd-iommu": "amd", "virtio-iommu-pci": "virtio",
         "arm-smmuv3": "smmuv3"}
MOST = 0.1


def fired(value):
    """Ids of facts that say something, anywhere in a profile."""
    if isinstance(value, dict):
        if "id" in value and value.get("state") == "known" and \
                value.get("value") not in (None, False, "", []):
            yield value["id"]
        for item in value.values():
            yield from fired(item)
    elif isinstance(value, list):
        for item in value:
            yield from fired(item)


def members(profile):
    """Ids that a profile answers for by members of its own instead of facts."""
    if profile.get("host", {}).get("arch"):
        yield "host.arch"
    for entry in profile.get("emulators", []):
        of_libvirt = entry.get("view") == "libvirt"
        for name, told in (("path", "qemu.emulator"), ("accel", "qemu.accel"),
                           ("machines", "qemu.machine"), ("version", "qemu.version"),
                           ("package", "qemu.package"), ("modes", "libvirt.cpu-mode"),
                           ("cpu_models", "libvirt.cpu-model" if of_libvirt else None)):
            if told and entry.get(name):
                yield told
        if any("cpu_max" in machine or "vcpu_max" in machine
               for machine in [entry, *entry.get("machines", [])]):
            yield "qemu.vcpu-max"


def reasons():
    """id → why no recorded host fires it."""
    told = {}
    with open(UNTESTED, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if line.startswith("#") or not line.strip():
                continue
            name, tab, reason = line.rstrip("\n").partition("\t")
            if not tab or not reason or name in told:
                sys.exit(f"{UNTESTED}:{number}: no reason, or listed twice")
            told[name] = reason
    return told


def of_guests():
    """Ids of virtual IOMMUs: the model, and each property that the table has."""
    with open(PROPERTIES, encoding="utf-8") as file:
        rows = [line.split("\t") for line in file if not line.startswith("#")][1:]
    return {"viommu.model"} | {"viommu.%s.%s" % (ROOMS[row[0]], row[1]) for row in rows}


def main():
    hosts = sorted(glob.glob(os.path.join(TOP, "tests", "hosts", "*", "profile.json")))
    if not hosts:
        print("skipped: no recorded host below tests/hosts")
        return SKIP
    found = set()
    for path in hosts:
        with open(path, encoding="utf-8") as file:
            profile = json.load(file)
        found.update(fired(profile), members(profile))
    entries = dictionary()["capabilities"]
    ids = {entry["id"] for entry in entries if "qemu-option" not in entry["flags"]}
    guests = {name for name in ids if name.startswith("viommu.")}
    failures = ["%s: in the dictionary or in viommu-properties.tsv alone" % name
                for name in sorted(guests ^ of_guests())]
    ids -= guests
    unnamed = found - {entry["id"] for entry in entries}
    by_hosts = len(ids & found)
    for answer in decode(requests_of_tests()):
        found.update(fired(answer))
    silent, told = ids - found, reasons()
    print(f"{len(ids)} entries, {by_hosts} fired by {len(hosts)} recorded hosts, "
          f"{len(ids & found) - by_hosts} by tests of readers alone, {len(silent)} by none; "
          f"{len(unnamed)} facts have no entry; {len(guests)} entries are of guests' virtual IOMMUs")
    for reason, number in collections.Counter(told[name] for name in silent & told.keys()).items():
        print(f"{number:4}  {reason}")
    if "-v" in sys.argv[1:]:
        print("\n".join(f"{name}\t{told.get(name, '?')}" for name in sorted(silent)))
    failures += [f"{name}: no recorded host fires it and untested-capabilities.tsv has no reason"
                 for name in sorted(silent - told.keys())]
    failures += [f"{name}: in untested-capabilities.tsv, and " +
                 ("a recorded host fires it" if name in ids else "not in the dictionary")
                 for name in sorted(told.keys() - silent)]
    if len(silent) >= MOST * len(ids):
        failures.append(f"{len(silent)} of {len(ids)} entries are fired by no recorded host")
    print("\n".join(failures))
    return 1 if failures else 0


sys.exit(main())
