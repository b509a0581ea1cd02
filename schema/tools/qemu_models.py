# SPDX-License-Identifier: LGPL-2.1-or-later
"""qemu_models.py: where QEMU's named CPU models differ from libvirt's of the same name.

Standard library only; runs on Python 3.9.
"""

import json

# What accelerators switch by themselves, whatever the model: no property of a model.
BY_ACCELERATOR = {"hypervisor", "vme", "x2apic", "svm", "acpi", "monitor"}
# Not models but whatever the host or the emulator can do.
UNNAMED = {"host", "max", "base"}
SOURCE = "QMP query-cpu-model-expansion full"


def read_names(path):
    """(QEMU's spelling → libvirt's name of features both know, all of QEMU's spellings)"""
    with open(path, encoding="utf-8") as file:
        capabilities = json.load(file)["capabilities"]
    names, spellings = {}, set()
    for capability in capabilities:
        own = {} if "arch" in capability else capability.get("names", {})
        libvirt = own.get("libvirt")
        spellings.update(own.get("qemu", []))
        for spelling in own.get("qemu", []) if libvirt else []:
            names[spelling] = libvirt[0]
    return names, spellings


def comparable(features):
    return {name for name in features
            if name not in BY_ACCELERATOR and not name.startswith("vmx-")}


def expansions(qemu):
    """(name, properties that are set) of each named model that QEMU has."""
    for definition in sorted(qemu.ask("query-cpu-definitions"), key=lambda d: d["name"]):
        name = definition["name"]
        if name in UNNAMED:
            continue
        reply = qemu.ask("query-cpu-model-expansion", type="full", model={"name": name})
        yield name, {prop for prop, value in reply["model"]["props"].items() if value is True}


def difference(name, properties, models, names):
    """(name, in libvirt?, more, less): @models: name → libvirt's features."""
    ours = models.get(name)
    has = comparable({names[prop] for prop in properties if prop in names})
    want = comparable((ours or set()) & set(names.values()))
    return (name, "yes" if ours is not None else "no", " ".join(sorted(has - want)) or "-",
            " ".join(sorted(want - has)) or "-")
