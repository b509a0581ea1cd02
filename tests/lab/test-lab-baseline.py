#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""test-lab-baseline.py: the common baseline of three generations starts on each of their QEMUs.

The three are asked twice: as the recorded Debian hosts (tests/hosts/lab-*; with KVM only where it
gives here what it gave there), and as hosts made of a fresh probe, one for each QEMU. With each
accelerator the baseline's QEMU arguments, which enforce, start on all three; so does what its <cpu>
for libvirt means to each.
"""

import json
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

from lab_fixture import RECORDED, emulators, profile_of, same_kvm

from start_fixture import Broker, Names, cpu_argument, facts, qmp

PROBE_SECONDS = 240
EMULATOR = "/usr/bin/qemu-system-x86_64"

failures = []


def report(good, what, why=""):
    print("%s %s%s" % ("ok" if good else "not ok", what, "" if good else ": " + why.strip()))
    if not good:
        failures.append(what)


def broker_of(folder, name, files):
    """Knows the hosts of these profiles, by name."""
    place = os.path.join(folder, name)
    os.makedirs(place, exist_ok=True)
    broker = Broker("capbroker", place)
    for host, path in files.items():
        process = broker.run("import", "--name", host, path)
        if process.returncode:
            sys.exit("import of %s failed: %s" % (path, process.stderr))
    return broker


def probed_profiles(folder, paths):
    """A host for each QEMU, as if it were the one that is installed there."""
    whole = os.path.join(folder, "whole.json")
    named = [word for path in paths.values() for word in ("--emulator", path)]
    subprocess.run(["capbroker-probe", "--timeout", str(PROBE_SECONDS), "--output", whole, *named],
                   check=True)
    files = {}
    for version, path in paths.items():
        with open(whole, encoding="utf-8") as file:
            doc = json.load(file)
        doc["host"].pop("uuid", None)
        doc["emulators"] = [dict(entry, path=EMULATOR) for entry in doc["emulators"]
                            if entry.get("path") == path and entry.get("view", "qemu") == "qemu"]
        # what libvirt says is of the installed one alone
        doc["facts"] = [fact for fact in doc["facts"] if fact["scope"]["view"] != "libvirt"]
        files["qemu-" + version] = os.path.join(folder, version + ".json")
        with open(files["qemu-" + version], "w", encoding="utf-8") as file:
            json.dump(doc, file)
    return files


def baseline(broker, accel, form):
    process = broker.run("baseline", "--accel", accel, "--format", form, "all")
    if process.returncode or not process.stdout.strip():
        report(False, "baseline --accel %s --format %s" % (accel, form), process.stderr)
        return ""
    return process.stdout.strip()


def guest_of(text, accel):
    """libvirt's <cpu> as the start tests have guests."""
    cpu = ElementTree.fromstring(text)
    return {"accel": accel, "mode": cpu.get("mode", "custom"), "model": cpu.findtext("model"),
            "check": "full", "features": {feature.get("name"): feature.get("policy", "require")
                                          for feature in cpu.findall("feature")}}


def starts(path, arguments):
    replies, stderr = qmp(path, arguments + ["-m", "64"], [{"execute": "query-status"}])
    return bool(replies and "return" in replies[0]), stderr


def try_fleet(what, broker, accel, paths, there, names):
    arguments, cpu = baseline(broker, accel, "qemu").split(), baseline(broker, accel, "libvirt")
    if not arguments or not cpu:
        return
    report(arguments[-1].endswith(",enforce"), "%s: the arguments enforce" % what)
    machine = arguments[arguments.index("-machine") + 1].partition(",")[0]
    for version, path in paths.items():
        report(*starts_on(path, arguments, "%s, its arguments on QEMU %s" % (what, version)))
        meant = cpu_argument(guest_of(cpu, accel), names, there[version])
        report(*starts_on(path, ["-accel", accel, "-machine", machine, "-cpu", meant],
                          "%s, its <cpu> on QEMU %s" % (what, version)))


def starts_on(path, arguments, what):
    good, stderr = starts(path, arguments)
    return good, what, "%s\n  %s" % (stderr, " ".join(arguments))


def main():
    paths = emulators()
    names = Names()
    there = {version: facts(path) for version, path in paths.items()}
    with tempfile.TemporaryDirectory() as folder:
        recorded = broker_of(folder, "recorded", {
            RECORDED[version]: profile_of(RECORDED[version]) for version in paths})
        probed = broker_of(folder, "probed", probed_profiles(folder, paths))
        for accel in there[min(there)]["accels"]:
            if accel == "kvm" and not all(same_kvm(RECORDED[v], there[v]) for v in paths):
                print("left out: KVM of the recorded hosts (KVM gives other things here)")
            else:
                try_fleet("recorded hosts with %s" % accel, recorded, accel, paths, there, names)
            try_fleet("probed QEMUs with %s" % accel, probed, accel, paths, there, names)
    sys.exit("FAIL: %d" % len(failures) if failures else 0)


if __name__ == "__main__":
    main()
