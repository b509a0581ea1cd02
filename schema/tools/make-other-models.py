#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Write schema/data/other-cpu-models.tsv: processor models of architectures other than x86.

    make-other-models.py --libvirt VERSION=CPU_MAP… --s390x QEMU [--out FILE]

CPU_MAP is the folder cpu_map of a libvirt release, oldest first: models of POWER and 64-bit Arm
with the registers that tell them.  QEMU is a command of a qemu-system-s390x (spaces separate its
words), which is asked to expand its models and to show which features its groups stand for.
Run again whenever a newer libvirt or QEMU is at hand.

Standard library only; runs on Python 3.9.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

COLUMNS = ("arch", "kind", "name", "vendor", "first_libvirt", "signatures", "features", "source")
# What they are called here: the room of their features in the dictionary.
FAMILIES = {"ppc64": "ppc64", "arm": "arm64"}
# Properties of the object that say nothing of the processor.
NO_FEATURES = {"dedicated", "hotpluggable", "hotplugged", "migration-safe", "realized",
               "start-powered-off", "static"}
UNNAMED = {"host", "max", "qemu"}


def signatures(family, model, vendors):
    """Registers that tell a model: PVR/mask on POWER, implementer/part of MIDR on Arm."""
    for pvr in model.findall("pvr"):
        value = int(pvr.get("value"), 16)
        if family == "ppc64":
            yield f"{value:08x}/{int(pvr.get('mask'), 16):08x}"
        else:
            vendor = model.find("vendor")
            yield f"{vendors[vendor.get('name')]:02x}/{value:03x}"


def libvirt_models(releases):
    """Rows of the newest release that has a model; first_libvirt is the oldest."""
    rows, first = {}, {}
    for version, folder in releases:
        vendors = {e.get("name"): int(e.get("value"), 16) for e in
                   ElementTree.parse(os.path.join(folder, "arm_vendors.xml")).iter("vendor")}
        for file in sorted(os.listdir(folder)):
            family = FAMILIES.get(file.partition("_")[0])
            if not family or not file.endswith(".xml"):
                continue
            for model in ElementTree.parse(os.path.join(folder, file)).iter("model"):
                key = (family, model.get("name"))
                first.setdefault(key, version)
                vendor = model.find("vendor")
                rows[key] = (family, "model", key[1],
                             vendor.get("name") if vendor is not None else "-", first[key],
                             " ".join(signatures(family, model, vendors)), "-",
                             f"libvirt {version} cpu_map")
    return [rows[key] for key in sorted(rows, key=lambda k: (k[0], natural(k[1])))]


def natural(name):
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


class Qemu:
    """A QEMU for s390x that waits for questions."""

    def __init__(self, command):
        self.process = subprocess.Popen(
            command.split() + ["-accel", "tcg", "-machine", "none", "-nodefaults", "-display",
                               "none", "-S", "-qmp", "stdio"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if "QMP" not in self.process.stdout.readline():
            sys.exit(f"'{command}' does not greet as QEMU does")
        self.ask("qmp_capabilities")
        qemu = self.ask("query-version")["qemu"]
        self.version = f"{qemu['major']}.{qemu['minor']}.{qemu['micro']}"

    def reply(self, command, **arguments):
        request = {"execute": command}
        if arguments:
            request["arguments"] = arguments
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        while True:
            reply = json.loads(self.process.stdout.readline())
            if "error" in reply or "return" in reply:
                return reply

    def ask(self, command, **arguments):
        reply = self.reply(command, **arguments)
        if "error" in reply:
            sys.exit(f"{command}: {reply['error']['desc']}")
        return reply["return"]

    def expand(self, model, props=None):
        """The features that are on, or None where QEMU refuses the question."""
        question = {"name": model, **({"props": props} if props else {})}
        reply = self.reply("query-cpu-model-expansion", type="full", model=question)
        if "error" in reply:
            return None
        return {name for name, on in reply["return"]["model"]["props"].items() if on is True}

    def close(self):
        self.ask("quit")
        self.process.wait(timeout=10)


def groups_of(qemu, newest):
    """group → its members.  QEMU lists a group instead of its members where all are on."""
    names = {p["name"] for p in qemu.ask("device-list-properties", typename="max-s390x-cpu")
             if p["type"] == "bool"} - NO_FEATURES
    names = {n for n in names if qemu.expand(newest, {n: True}) is not None}
    listed = qemu.expand(newest, dict.fromkeys(names, True))
    members = sorted(names - listed)
    whole = qemu.expand(newest, dict.fromkeys(members, True))
    groups = {}
    for member in members:
        props = dict.fromkeys(members, True)
        props[member] = False
        for group in whole - qemu.expand(newest, props):
            groups.setdefault(group, []).append(member)
    return groups


def s390x_rows(command):
    qemu = Qemu(command)
    source = f"QEMU {qemu.version} query-cpu-model-expansion"
    models = [d["name"] for d in qemu.ask("query-cpu-definitions") if d["name"] not in UNNAMED]
    newest = max((name for name in models if name.startswith("gen")), key=natural)
    for group, members in sorted(groups_of(qemu, newest).items(), key=lambda g: natural(g[0])):
        yield ("s390x", "group", group, "-", "-", "-", " ".join(members), source)
    for model in sorted(models, key=natural):
        yield ("s390x", "model", model, "IBM", "-", "-", " ".join(sorted(qemu.expand(model))),
               source)
    qemu.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--libvirt", action="append", required=True, metavar="VERSION=CPU_MAP")
    parser.add_argument("--s390x", required=True, metavar="QEMU")
    parser.add_argument("--out", default="-", metavar="FILE")
    args = parser.parse_args()
    releases = [release.split("=", 1) for release in args.libvirt]
    lines = ["# SPDX-License-Identifier: LGPL-2.1-or-later",
             "# other-cpu-models.tsv: processor models of other architectures than x86. Written by",
             "# schema/tools/make-other-models.py. signatures: PVR/mask on POWER, implementer/part of",
             "# MIDR_EL1 on Arm. kind group: QEMU's word for all these features together.",
             "\t".join(COLUMNS)]
    lines += ["\t".join(row) for row in libvirt_models(releases)]
    lines += ["\t".join(row) for row in s390x_rows(args.s390x)]
    text = "\n".join(lines) + "\n"
    if args.out == "-":
        sys.stdout.write(text)
        return 0
    with open(args.out, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
