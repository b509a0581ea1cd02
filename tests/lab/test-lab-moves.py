#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""test-lab-moves.py: predict, then really move, seeded guests between QEMUs, through a file.

usage: test-lab-moves.py [--seed N] [--count N] [--keep FILE]

The two sides of a pair differ in a property of their virtual IOMMU, in its model, in the machine
type or in QEMU's version, or in nothing. judge-move says first whether that is safe, from the
recorded hosts lab-debian12, lab-debian13 and lab-sid; then the guest is saved by one QEMU and
loaded by the other, and what it would read of the IOMMU is compared: what it saw, what it sees, and what a
guest that was started there sees.

Fails where a pair that QEMU refuses or that differs in silence isn't blocked (where CAP.ESRTPS is all
that differs, which every QEMU does, it may be a warning), and where a pair of equal arguments that
stays the same isn't ok.
"""

import argparse
import collections
import concurrent.futures
import json
import os
import random
import subprocess
import sys
import tempfile

from lab_fixture import RECORDED, TESTS, emulators, profile_of
from move_session import move
from viommu_draw import FIRST, MACHINES, SCALABLE, SWITCH

sys.path.insert(0, TESTS)
from viommu_truth import definition  # noqa: E402

ESRTPS = 1 << 63
FAMILIES = ["intel-iommu"] * 6 + ["virtio-iommu-pci"] * 3 + ["amd-iommu"] * 3 + ["none"]
# Our names of properties; those that only newer QEMUs have are drawn less often.
PROPERTIES = {
    "intel-iommu": [("aw-bits", ["39", "48"]), ("caching-mode", SWITCH), ("device-iotlb", SWITCH),
                    ("dma-translation", SWITCH), ("intremap", ["on", "off", "auto"]),
                    ("eim", ["on", "off", "auto"]), ("snoop-control", SWITCH), ("pt", SWITCH),
                    ("dma-drain", SWITCH), ("scalable", SWITCH), ("first", SWITCH),
                    ("stale-tm", SWITCH), ("fs1gp", SWITCH), ("pasid-bits", ["0", "8", "16"]),
                    ("x-pasid-mode", SWITCH), ("x-buggy-eim", SWITCH), ("svm", SWITCH)],
    "virtio-iommu-pci": [("aw-bits", ["32", "39", "48", "64"]), ("boot-bypass", SWITCH),
                         ("granule", ["4k", "8k", "16k", "64k", "host"])],
    "amd-iommu": [("intremap", SWITCH), ("device-iotlb", SWITCH), ("pt", SWITCH), ("xtsup", SWITCH),
                  ("dma-remap", SWITCH), ("dma-translation", SWITCH)],
    "none": [],
}


def spell(name, qemu):
    return {"scalable": SCALABLE, "first": FIRST}.get(name, {}).get(qemu, name)


def arguments(side):
    model, words = side["model"], ["%s=%s" % (spell(name, side["qemu"]), value)
                                   for name, value in sorted(side["properties"].items())]
    if model == "none":
        return []
    if model == "virtio-iommu-pci":
        words += ["disable-legacy=on", "addr=05.0"]
    if model != "amd-iommu" or not side["pci"]:
        return ["-device", ",".join([model] + words)]
    return ["-device", "AMDVI-PCI,id=amdvi0,addr=04.0", "-device",
            ",".join([model, "pci-id=amdvi0"] + words)]


def draw_properties(rng, model, qemu):
    table = PROPERTIES[model]
    found = dict((name, rng.choice(values)) for name, values in
                 rng.sample(table, min(len(table), rng.choice([0, 0, 1, 1, 2, 3]))))
    if "first" in found:
        found["scalable"] = "on"
    if qemu == "7.2" and model != "intel-iommu" and rng.random() < 0.8:
        return {name: value for name, value in found.items() if name in ("intremap", "boot-bypass")}
    return found


def draw_side(rng, qemu, model, machine):
    return {"qemu": qemu, "model": model, "machine": machine, "pci": rng.random() < 0.85,
            "properties": draw_properties(rng, model, qemu)}


def change(rng, source, qemu):
    """The other side: in half of the pairs the same but for QEMU."""
    target = {**source, "qemu": qemu, "properties": dict(source["properties"])}
    what = rng.choice(["nothing"] * 6 + ["property"] * 7 + ["model", "machine"])
    if what == "property" and PROPERTIES[source["model"]]:
        name, values = rng.choice(PROPERTIES[source["model"]])
        target["properties"][name] = rng.choice(values)
    elif what == "model":
        target = draw_side(rng, qemu, rng.choice(FAMILIES + ["none"] * 3), source["machine"])
    elif what == "machine":
        target["machine"] = rng.choice(MACHINES[qemu]) + ",kernel-irqchip=split"
    return target


def draw(rng, qemus):
    qemu, other = rng.choice(qemus), rng.choice(qemus)
    model = rng.choice(FAMILIES)
    if model == "amd-iommu" and rng.random() < 0.6:
        qemu = other = qemus[-1]
    both = [name for name in MACHINES[qemu] if name in MACHINES[other] and name != "q35"]
    machine = rng.choice(both) + rng.choice(["", ",kernel-irqchip=split", ",kernel-irqchip=split"])
    source = draw_side(rng, qemu, model, machine)
    pair = {"source": source, "target": change(rng, source, other)}
    for side in pair.values():
        side["args"] = arguments(side)
    return pair


def predict(pairs, folder):
    """What judge-move says of each: (verdict, why)."""
    lines = []
    for number, pair in enumerate(pairs):
        names = []
        for name, side in pair.items():
            names.append(os.path.join(folder, "%d-%s.xml" % (number, name)))
            with open(names[-1], "w", encoding="utf-8") as file:
                file.write(definition(side["machine"], ["-m", "64M"] + side["args"]))
        profiles = [profile_of(RECORDED[side["qemu"]]) for side in pair.values()]
        lines.append("\t".join(profiles + names))
    process = subprocess.run(["./judge-move"], input="\n".join(lines) + "\n", text=True,
                             capture_output=True, check=False)
    answers = [tuple(line.split("\t")) for line in process.stdout.splitlines()]
    if len(answers) != len(pairs):
        sys.exit("judge-move: %d answers for %d pairs: %s" % (len(answers), len(pairs),
                                                              process.stderr))
    return answers


def without_esrtps(registers):
    return {**registers, "cap": registers["cap"] & ~ESRTPS}


def kind_of(pair, happened):
    if "refused" in happened:
        return "refused"
    seen, own, after = happened["seen"], happened["own"], happened["after"]
    if seen == after == own:
        same = pair["source"]["model"] == pair["target"]["model"] and \
            pair["source"]["properties"] == pair["target"]["properties"]
        return "equal" if same else "looks equal"
    if seen == after and "cap" in own and without_esrtps(own) == without_esrtps(seen):
        return "ESRTPS alone"
    return "differs in silence"


ALLOWED = {"refused": ("block",), "differs in silence": ("block",),
           "ESRTPS alone": ("warn", "block"),
           # what differs where nobody can look may be worse than it looks
           "looks equal": ("ok", "warn", "block"), "equal": ("ok",)}


def tell(pair, said, kind, happened):
    print("said %s (%s), %s: %s" % (*said, kind, json.dumps(happened)))
    for name, side in pair.items():
        print("  %s: %s -machine %s %s" % (name, side["qemu"], side["machine"],
                                           " ".join(side["args"])))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=20261130)
    parser.add_argument("--count", type=int, default=100, help="pairs")
    parser.add_argument("--keep", metavar="FILE", help="write each pair and what came of it there")
    chosen = parser.parse_args()
    paths, table, wrong = emulators(), collections.Counter(), 0
    rng, kept = random.Random(chosen.seed), []
    qemus = sorted((version for version in paths if version in MACHINES), key=float)
    pairs = [draw(rng, qemus) for _ in range(chosen.count)]
    with tempfile.TemporaryDirectory(prefix="capbroker-lab-") as folder:
        answers = predict(pairs, folder)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            runs = [pool.submit(move, paths, pair, os.path.join(folder, "%d.state" % number))
                    for number, pair in enumerate(pairs)]
            for pair, said, run in zip(pairs, answers, runs):
                happened = run.result()
                kind = kind_of(pair, happened)
                table[pair["source"]["model"], kind, said[0]] += 1
                kept.append({"pair": pair, "said": said, "kind": kind, "happened": happened})
                if said[0] not in ALLOWED[kind]:
                    wrong += 1
                    tell(pair, said, kind, happened)
    if chosen.keep:
        with open(chosen.keep, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(one) + "\n" for one in kept)
    for (model, kind, said), n in sorted(table.items()):
        print("%-18s %-20s said %-8s %4d" % (model, kind, said, n))
    moved = sum(n for (_, kind, _), n in table.items() if kind != "refused")
    print("%d pairs, %d loaded, %d wrong (seed %d)" % (len(pairs), moved, wrong, chosen.seed))
    sys.exit(1 if wrong or not moved else 0)


if __name__ == "__main__":
    main()
