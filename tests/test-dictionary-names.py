# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every name that recorded hosts, guests, libvirt and QEMU use is known, and means its own bit."""

import glob
import json
import os
import xml.etree.ElementTree as ElementTree

from dictionary_fixture import Tally, dictionary, names, recorded

KEYS = {"features", "features_from_cpuid", "expanded", "expanded_features", "missing", "delta",
        "extra", "disabled", "baseline"}
# libvirt 11.3 looked for these in the half of the MSR that says what must be set
HALVES = {0x48b, 0x48d, 0x48e, 0x48f, 0x490}


def feature_names(value, key=None):
    """Feature names anywhere in an oracle's row; 'disable:x' stands for x."""
    if isinstance(value, dict):
        for inner, item in value.items():
            yield from feature_names(item, inner)
    elif isinstance(value, list):
        for item in value:
            if isinstance(item, str) and key in KEYS:
                yield item.split(":", 1)[-1]
            else:
                yield from feature_names(item, key)


def check_oracle(tally, known):
    for path in sorted(glob.glob(os.path.join(recorded("oracle"), "*.jsonl"))):
        found = set()
        with open(path, encoding="utf-8") as file:
            for line in file:
                found.update(feature_names(json.loads(line)))
        for name in sorted(found):
            tally.check(name in known, f"{os.path.basename(path)}: feature '{name}' is unknown")


def bits_of(feature):
    """(register name, bit) of each bit a CPU map gives a feature."""
    for cpuid in feature.findall("cpuid"):
        leaf = int(cpuid.get("eax_in"), 0)
        subleaf = int(cpuid.get("ecx_in", "0"), 0)
        for part in ("eax", "ebx", "ecx", "edx"):
            mask = int(cpuid.get(part, "0"), 0)
            if mask:
                yield f"cpuid.{leaf:x}.{subleaf:x}.{part}", mask.bit_length() - 1
    for msr in feature.findall("msr"):
        index = int(msr.get("index"), 0)
        mask = int(msr.get("edx"), 0) << 32 | int(msr.get("eax"), 0)
        bit = mask.bit_length() - 1
        yield f"msr.{index:x}", bit + 32 if index in HALVES and bit < 32 else bit


def check_cpu_map(tally, libvirt, qemu, kernel):
    path = recorded("libvirt-cpu_map", "x86_features.xml")
    spellings = {"qemu": qemu, "linux": kernel}
    for feature in ElementTree.parse(path).getroot().findall("feature"):
        name = feature.get("name")
        entry = libvirt.get(name)
        tally.check(entry is not None, f"libvirt's feature '{name}' is unknown")
        if entry is None:
            continue
        for place in bits_of(feature):
            tally.check(place == (entry["register"], entry["low"]),
                        f"'{name}' is at {place}, not {entry['register']} bit {entry['low']}")
        tally.check((feature.get("migratable") == "no") ==
                    ("unmigratable=libvirt" in entry["flags"]),
                    f"'{name}': migratable as libvirt says")
        for alias in feature.findall("alias"):
            other = spellings[alias.get("source")].get(alias.get("name"))
            tally.check(other is entry, f"alias '{alias.get('name')}' leads to '{name}'")


def check_qemu(tally, qemu):
    for path in sorted(glob.glob(recorded("truth", "libvirt", "hosts") +
                                 "/*/qmp-*-query-cpu-model-expansion-*.json")):
        with open(path, encoding="utf-8") as file:
            props = json.load(file)["return"]["model"]["props"]
        for name, value in props.items():
            entry = qemu.get(name)
            tally.check(entry is not None, f"{os.path.basename(path)}: '{name}' is unknown")
            if entry and isinstance(value, bool):
                tally.check(entry["type"] == "bool", f"'{name}' is a bool of QEMU's")
            elif entry:
                tally.check(entry["type"] != "bool", f"'{name}' is no bool of QEMU's")


def main():
    entries = dictionary()
    tally = Tally()
    libvirt, qemu, kernel = (names(entries, ns) for ns in ("libvirt", "qemu", "kernel"))
    check_oracle(tally, libvirt)
    check_cpu_map(tally, libvirt, qemu, kernel)
    check_qemu(tally, qemu)
    tally.finish("names and bits", least=10000)


main()
