#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""test-start-definitions.py: definitions spliced of recorded ones, predicted, then really started.

Each is one recorded definition with parts of others put into it, and now and then a value that
another has, so that rules meet that no recording shows together. The installed libvirt creates
them paused. What it refuses for reasons that aren't ours to judge (truth-out-of-scope.tsv) is
counted apart. Fails where an ok or warn was refused, where more than 2 % of the blocks started, or
where more than 5 % are unknown. Options: --seed N, --count N, --keep FILE.
"""

import collections
import copy
import glob
import json
import os
import random
import re
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

from libvirt_fixture import Libvirt
from start_fixture import UUID, Broker, kvm_says, options, qmp

SRCDIR = os.environ.get("srcdir", os.path.dirname(os.path.abspath(__file__)))
DATA = os.environ.get("CAPBROKER_SHARED_DATA", os.path.join(SRCDIR, "..", "..", "shared", "data"))
RECORDED = os.path.join(DATA, "truth", "libvirt", "starts", "xml")
EMULATOR = "/usr/bin/qemu-system-x86_64"
PARTS = ["features", "clock", "os", "memoryBacking", "memory", "maxMemory", "vcpu", "cpu", "cputune",
         "launchSecurity", "numatune", "iothreads", "pm", "sysinfo", "on_crash", "keywrap"]
PROPERTIES = ["intel-iommu", "amd-iommu", "virtio-iommu-pci", "e1000e", "virtio-net-pci"]
BATCH = 10  # an abort of libvirt's takes no more than so many with it


def recorded():
    ElementTree.register_namespace("qemu", "http://libvirt.org/schemas/domain/qemu/1.0")
    roots = []
    for path in sorted(glob.glob(os.path.join(RECORDED, "*.xml"))):
        try:
            root = ElementTree.parse(path).getroot()
        except ElementTree.ParseError:
            continue  # recorded because it is none
        if root.get("type") in ("kvm", "qemu"):
            roots.append(root)
    return roots


def put_device(rng, domain, other):
    mine, theirs = domain.find("devices"), other.find("devices")
    choices = [device for device in theirs if device.tag != "emulator"] if theirs is not None else []
    if mine is None or not choices:
        return
    device = copy.deepcopy(rng.choice(choices))
    if rng.random() < 0.5:
        for old in mine.findall(device.tag):
            mine.remove(old)
    mine.append(device)


def put_part(rng, domain, other):
    choices = [tag for tag in PARTS if other.find(tag) is not None]
    if not choices:
        return
    tag = rng.choice(choices)
    for old in domain.findall(tag):
        domain.remove(old)
    domain.extend(copy.deepcopy(new) for new in other.findall(tag))


def put_value(rng, domain, roots):
    node = rng.choice([node for node in domain.iter() if node.attrib and node is not domain])
    name = rng.choice(sorted(node.attrib))
    values = sorted({other.get(name) for root in roots for other in root.iter(node.tag)
                     if other.get(name)})
    node.set(name, rng.choice(values))


def splice(rng, number, roots):
    domain = copy.deepcopy(rng.choice(roots))
    for _ in range(rng.choice([1, 1, 2, 3])):
        put = put_device if rng.random() < 0.6 else put_part
        put(rng, domain, rng.choice(roots))
    if rng.random() < 0.3:
        put_value(rng, domain, roots)
    for tag, text in (("name", "x%04d" % number), ("uuid", UUID % number)):
        for old in domain.findall(tag):
            domain.remove(old)
        ElementTree.SubElement(domain, tag).text = text
    return ElementTree.tostring(domain, encoding="unicode")


def qemu_says(folder):
    """QEMU's own replies, as files to import: their names give the scope."""
    paths = []
    for accel in ["tcg"] + (["kvm"] if os.access("/dev/kvm", os.R_OK | os.W_OK) else []):
        model = {"tcg": "max", "kvm": "host"}[accel]
        asked = {name: {"execute": name} for name in ("query-version", "query-machines",
                                                      "query-cpu-definitions")}
        asked["query-cpu-model-expansion-full-" + model] = {
            "execute": "query-cpu-model-expansion",
            "arguments": {"type": "full", "model": {"name": model}}}
        if accel == "tcg":
            asked["qom-list-types-device"] = {
                "execute": "qom-list-types", "arguments": {"implements": "device", "abstract": False}}
            for device in PROPERTIES:
                asked["device-list-properties-" + device] = {
                    "execute": "device-list-properties", "arguments": {"typename": device}}
        replies, _ = qmp(EMULATOR, ["-machine", "none", "-accel", accel], list(asked.values()))
        for name, reply in zip(asked, replies or []):
            paths.append(os.path.join(folder, "qmp-%s-none-%s.json" % (accel, name)))
            with open(paths[-1], "w", encoding="utf-8") as file:
                json.dump(reply, file)
    return paths


def start(libvirt, guests):
    """(started, error) of each; None where libvirt died of a definition in the same batch."""
    outcomes = []
    for first in range(0, len(guests), BATCH):
        batch = [("x%04d" % (first + i), xml) for i, xml in enumerate(guests[first:first + BATCH])]
        answers = libvirt.create(batch)
        outcomes += answers + [None] * (len(batch) - len(answers))
    return outcomes


def not_ours():
    with open(os.path.join(SRCDIR, "truth-out-of-scope.tsv"), encoding="utf-8") as file:
        return [re.compile(line.split("\t")[0], re.MULTILINE) for line in file
                if line.strip() and not line.startswith("#")]


def predict(broker, folder, xml):
    path = os.path.join(folder, "guest.xml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(xml)
    process = broker.run("--json", "check", path)
    if process.returncode == 2:  # not a definition at all
        return "block", process.stderr.strip()
    verdict = json.loads(process.stdout)["verdicts"][0]
    texts = ["%(check)s: %(text)s" % f for f in verdict["findings"] if f["verdict"] == verdict["start"]]
    return verdict["start"], texts[0] if texts else "-"


def disagreement(said, started, out_of_scope):
    if said == "unknown":
        return "unknown"
    if said == "block":
        return "false block" if started else None
    return None if started or out_of_scope else "false ok"


def judge(broker, folder, guests, outcomes):
    table, bad, patterns = collections.Counter(), collections.Counter(), not_ours()
    for number, (xml, outcome) in enumerate(zip(guests, outcomes)):
        if outcome is None:
            table["-", "libvirt died"] += 1
            continue
        started, why = outcome
        said, text = predict(broker, folder, xml)
        outside = not started and any(pattern.search(why) for pattern in patterns)
        table[said, "started" if started else "out of scope" if outside else "refused"] += 1
        kind = disagreement(said, started, outside)
        bad[kind] += 1
        if kind:
            print("%s x%04d: %s | %s" % (kind, number, text[:160], "started" if started else
                                         " ".join(why.splitlines()[-1:])[:240]))
    return table, bad


def main():
    chosen = options(__doc__.splitlines()[0], 20261124, 60)
    if not os.path.isdir(RECORDED):
        print("SKIP: %s isn't here (recorded definitions are kept beside the source tree)" % RECORDED)
        sys.exit(77)
    with Libvirt() as libvirt, tempfile.TemporaryDirectory() as folder:
        if libvirt.missing or not os.access(EMULATOR, os.X_OK):
            print("SKIP: %s" % (libvirt.missing or "no %s here" % EMULATOR))
            sys.exit(77)
        rng, roots = random.Random(chosen.seed), recorded()
        guests = [splice(rng, number, roots) for number in range(chosen.count)]
        machines = {match.group(1) for xml in guests
                    for match in [re.search('machine="([^"]+)"', xml)] if match}
        files = (kvm_says(folder) + libvirt.facts(folder, sorted(machines | {"pc", "q35"})) +
                 qemu_says(folder))
        outcomes = start(libvirt, guests)
        broker = Broker("capbroker", folder)
        process = broker.run("import", "--name", "host", *files)
        if process.returncode:
            sys.exit("import failed: " + process.stderr)
        table, bad = judge(broker, folder, guests, outcomes)
    if chosen.keep:
        with open(chosen.keep, "w", encoding="utf-8") as file:
            json.dump([guests, outcomes], file)
    print("seed %d, libvirt %s" % (chosen.seed, libvirt.version))
    for (said, happened), n in sorted(table.items()):
        print("%-8s %-12s %4d" % (said, happened, n))
    blocks = sum(n for (said, _), n in table.items() if said == "block")
    sys.exit(int(bad["false ok"] > 0 or 50 * bad["false block"] > blocks or
                 20 * bad["unknown"] > chosen.count))


if __name__ == "__main__":
    main()
