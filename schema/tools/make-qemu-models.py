#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Write schema/data/qemu-cpu-models.tsv: where QEMU's named models differ from libvirt's.

    make-qemu-models.py --dictionary dictionary.json --models cpu-models.tsv --out FILE QEMU…

Asks each QEMU given (a command; spaces separate its words) to expand all its models, without
hardware and without a machine.  Run again whenever a newer QEMU is at hand.

Standard library only; runs on Python 3.9.
"""

import argparse
import json
import subprocess
import sys

# What accelerators switch by themselves, whatever the model: no property of a model.
BY_ACCELERATOR = {"hypervisor", "vme", "x2apic", "svm", "acpi", "monitor"}
# Not models but whatever the host or the emulator can do.
UNNAMED = {"host", "max", "base"}


class Qemu:
    """A QEMU that waits for questions."""

    def __init__(self, command):
        self.process = subprocess.Popen(
            command.split() + ["-accel", "tcg", "-machine", "none", "-nodefaults", "-display",
                               "none", "-S", "-qmp", "stdio"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if "QMP" not in self.process.stdout.readline():
            sys.exit(f"'{command}' does not greet as QEMU does")
        self.ask("qmp_capabilities")

    def ask(self, command, **arguments):
        request = {"execute": command}
        if arguments:
            request["arguments"] = arguments
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        while True:
            reply = json.loads(self.process.stdout.readline())
            if "error" in reply:
                sys.exit(f"{command}: {reply['error']['desc']}")
            if "return" in reply:
                return reply["return"]

    def close(self):
        self.ask("quit")
        self.process.wait(timeout=10)


def read_models(path):
    """name → libvirt's features."""
    with open(path, encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file if not line.startswith("#")]
    name, features = rows[0].index("name"), rows[0].index("features")
    return {row[name]: set(row[features].split()) for row in rows[1:]}


def libvirt_names(path):
    """QEMU's spelling → libvirt's name, for features both know."""
    with open(path, encoding="utf-8") as file:
        capabilities = json.load(file)["capabilities"]
    names = {}
    for capability in capabilities:
        libvirt = capability.get("names", {}).get("libvirt")
        for spelling in capability.get("names", {}).get("qemu", []) if libvirt else []:
            names[spelling] = libvirt[0]
    return names


def comparable(features):
    return {name for name in features
            if name not in BY_ACCELERATOR and not name.startswith("vmx-")}


def differences(qemu, models, names):
    """(name, canonical name, more, less) of each model that QEMU has."""
    known = set(names.values())
    for definition in sorted(qemu.ask("query-cpu-definitions"), key=lambda d: d["name"]):
        name = definition["name"]
        if name in UNNAMED:
            continue
        reply = qemu.ask("query-cpu-model-expansion", type="full", model={"name": name})
        has = {names[prop] for prop, value in reply["model"]["props"].items()
               if value is True and prop in names}
        ours = models.get(name)
        has, want = comparable(has), comparable((ours or set()) & known)
        yield (name, "yes" if ours is not None else "no", " ".join(sorted(has - want)) or "-",
               " ".join(sorted(want - has)) or "-")


def main():
    parser = argparse.ArgumentParser(description="Write the table of QEMU's CPU models.")
    for name in ("dictionary", "models", "out"):
        parser.add_argument(f"--{name}", required=True, metavar="FILE")
    parser.add_argument("qemu", nargs="+", metavar="QEMU")
    arguments = parser.parse_args()
    models, names = read_models(arguments.models), libvirt_names(arguments.dictionary)
    found, versions = {}, []
    for command in arguments.qemu:
        qemu = Qemu(command)
        version = qemu.ask("query-version")["qemu"]
        version = f"{version['major']}.{version['minor']}.{version['micro']}"
        versions.append(version)
        for row in differences(qemu, models, names):
            found.setdefault(row, []).append(version)
        qemu.close()
    with open(arguments.out, "w", encoding="utf-8") as file:
        file.write(
            "# SPDX-License-Identifier: LGPL-2.1-or-later\n"
            "# qemu-cpu-models.tsv: what QEMU's models have more and less than libvirt's of the\n"
            "# same name (cpu-models.tsv). Written by schema/tools/make-qemu-models.py.\n"
            f"# Left out: vmx-*, and what accelerators switch by themselves "
            f"({' '.join(sorted(BY_ACCELERATOR))}).\n"
            "# For the newest machine type of each QEMU; older ones may take more away.\n")
        file.write("\t".join(("name", "in_libvirt", "qemu", "more", "less", "source")) + "\n")
        for row, where in sorted(found.items(), key=lambda item: (item[0][0], item[1])):
            file.write("\t".join((row[0], row[1], " ".join(where), row[2], row[3],
                                  "QMP query-cpu-model-expansion full")) + "\n")


if __name__ == "__main__":
    main()
