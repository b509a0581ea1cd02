#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""test-start-definitions.py: definitions made of recorded ones, predicted, then really started.

Every third is spliced: one recorded definition with parts of others put into it, and now and then a
value that another has, so that rules meet that no recording shows together. The rest are ones that
started, with a part of another and one change (start_changes.py), by turns of each stratum. The
installed libvirt creates them paused. What it refuses for reasons that aren't ours to judge
(truth-out-of-scope.tsv) is counted apart. Fails where an ok or warn was refused, where more than
2 % of the blocks started, or where more than 5 % are unknown. Options: --seed N, --count N, --keep
FILE; --every FOLDER, every change of every element of the definitions in it, once (takes hours).
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
from start_changes import STRATA, Newer, change_one, changes_of
from start_fixture import UUID, Broker, kvm_says, options, qmp

SRCDIR = os.environ.get("srcdir", os.path.dirname(os.path.abspath(__file__)))
DATA = os.environ.get("CAPBROKER_SHARED_DATA", os.path.join(SRCDIR, "..", "..", "shared", "data"))
RECORDED = os.path.join(DATA, "truth", "libvirt", "starts", "xml")
GRAMMAR = os.path.join(SRCDIR, "..", "schema", "data", "libvirt-grammar.tsv")
EMULATOR = "/usr/bin/qemu-system-x86_64"
PARTS = ["features", "clock", "os", "memoryBacking", "memory", "maxMemory", "vcpu", "cpu", "cputune",
         "launchSecurity", "numatune", "iothreads", "pm", "sysinfo", "on_crash", "keywrap"]
PROPERTIES = ["intel-iommu", "amd-iommu", "virtio-iommu-pci", "e1000e", "virtio-net-pci"]
BASE = """<domain type='qemu'><memory unit='MiB'>256</memory><vcpu>2</vcpu>
<os><type arch='x86_64' machine='%s'>hvm</type></os><features><acpi/><apic/></features>
<devices><memballoon model='none'/></devices></domain>"""
BATCH = 10  # an abort of libvirt's takes no more than so many with it


def definitions(folder, names=None):
    """name → root of each definition in a folder that can be read."""
    roots = {}
    for path in sorted(glob.glob(os.path.join(folder, "*.xml"))):
        if names is not None and os.path.basename(path) not in names:
            continue
        try:
            root = ElementTree.parse(path).getroot()
        except ElementTree.ParseError:
            continue  # recorded because it is none
        if root.get("type") in ("kvm", "qemu"):
            roots[os.path.basename(path)] = root
    return roots


def that_started():
    """The recorded definitions that started somewhere."""
    with open(os.path.join(RECORDED, "..", "results.jsonl"), encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return {os.path.basename(row["xml_file"]) for row in rows if row["ok"]}


def put(domain, part, alone):
    """Puts a copy of a part into the place it has in a definition; returns the copy."""
    part = copy.deepcopy(part)
    into = domain if part.tag in PARTS else domain.find("devices")
    for old in into.findall(part.tag) if alone else []:
        into.remove(old)
    into.append(part)
    return part


def parts_of(other):
    devices = [node for node in other.findall("devices/*") if node.tag != "emulator"]
    return devices, [node for node in other if node.tag in PARTS]


def put_one(rng, domain, other):
    """Puts a device, or something else, of another definition into one; returns it, or None."""
    devices, rest = parts_of(other)
    choices = devices if rng.random() < 0.6 else rest
    if not choices or domain.find("devices") is None:
        return None
    part = rng.choice(choices)
    return put(domain, part, part.tag in PARTS or rng.random() < 0.5)


def put_value(rng, domain, roots):
    node = rng.choice([node for node in domain.iter() if node.attrib and node is not domain])
    name = rng.choice(sorted(node.attrib))
    values = sorted({other.get(name) for root in roots for other in root.iter(node.tag)
                     if other.get(name)})
    node.set(name, rng.choice(values))


def splice(rng, roots):
    domain = copy.deepcopy(rng.choice(roots))
    for _ in range(rng.choice([1, 1, 2, 3])):
        put_one(rng, domain, rng.choice(roots))
    if rng.random() < 0.3:
        put_value(rng, domain, roots)
    return domain


def change(rng, stratum, roots, started, newer):
    domain = copy.deepcopy(rng.choice(started))
    part = put_one(rng, domain, rng.choice(roots)) if rng.random() < 0.7 else None
    change_one(rng, domain, stratum, newer, part)
    return domain


def draw(seed, count):
    """[(stratum, what, definition)] of a seed."""
    rng, names, newer = random.Random(seed), that_started(), Newer(GRAMMAR)
    everything = definitions(RECORDED)
    roots = list(everything.values())
    started = [root for name, root in everything.items() if name in names]
    guests = []
    for number in range(count):
        stratum = STRATA[number // 3 * 2 % 5 - number % 3] if number % 3 else "splice"
        domain = change(rng, stratum, roots, started, newer) if number % 3 else splice(rng, roots)
        guests.append((stratum, "", domain))
    return guests


def base_for(root):
    kind = root.find("os/type")
    pc = kind is not None and re.match("pc(-[0-9]|-i440fx|$)", kind.get("machine", ""))
    return ElementTree.fromstring(BASE % ("pc" if pc else "q35"))


def every_change(folder):
    """[(stratum, what, definition)]: each change of each kind of part in a folder, once."""
    newer, seen, guests = Newer(GRAMMAR), set(), []
    for name, root in definitions(folder).items():
        for part in [part for parts in parts_of(root) for part in parts]:
            kind = part.tag, part.get("type"), part.get("model"), part.get("mode")
            trial = base_for(root)
            for i, found in enumerate(changes_of(trial, newer, put(trial, part, True))):
                if (kind, *found[:3]) in seen:
                    continue
                seen.add((kind, *found[:3]))
                domain = base_for(root)
                changes_of(domain, newer, put(domain, part, True))[i][3]()
                guests.append((found[0], "%s %s%s" % (name, found[1], found[2]), domain))
    return guests


def named(number, domain):
    for tag, text in (("name", "x%05d" % number), ("uuid", UUID % number)):
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
    """(started, error) of each; None where libvirt died of it without a word."""
    outcomes = []
    while len(outcomes) < len(guests):
        first = len(outcomes)
        answers = libvirt.create([("x%05d" % (first + i), xml)
                                  for i, xml in enumerate(guests[first:first + BATCH])])
        while answers and answers[-1] == (False, ""):  # it had died before
            answers.pop()
        outcomes += answers or [None]
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
    texts = ["%(check)s: %(text)s" % f for f in verdict["findings"]
             if f["verdict"] == verdict["start"]]
    return verdict["start"], texts[0] if texts else "-"


def disagreement(said, started, out_of_scope):
    if said == "unknown":
        return "unknown"
    if said == "block":
        return "false block" if started else None
    return None if started or out_of_scope else "false ok"


def judge(broker, folder, guests, outcomes):
    table, bad = collections.defaultdict(collections.Counter), collections.Counter()
    patterns = not_ours()
    for number, ((stratum, what, xml), outcome) in enumerate(zip(guests, outcomes)):
        if outcome is None:
            table["-", "libvirt died"][stratum] += 1
            continue
        started, why = outcome
        said, text = predict(broker, folder, xml)
        outside = not started and any(pattern.search(why) for pattern in patterns)
        happened = "started" if started else "out of scope" if outside else "refused"
        table[said, happened][stratum] += 1
        kind = disagreement(said, started, outside)
        bad[kind] += 1
        if kind:
            print("%s x%05d %s (%s): %s | %s" % (
                kind, number, stratum, what, text[:160],
                "started" if started else " ".join(why.splitlines()[-1:])[:240]))
    return table, bad


def show(table):
    print("%-8s %-12s %6s" % ("said", "happened", "all") +
          "".join("%14s" % stratum for stratum in ("splice", *STRATA)))
    for (said, happened), strata in sorted(table.items()):
        print("%-8s %-12s %6d" % (said, happened, sum(strata.values())) +
              "".join("%14d" % strata[stratum] for stratum in ("splice", *STRATA)))


def parts_of_all(chosen):
    if not chosen.every:
        return draw(chosen.seed, chosen.count)
    guests = every_change(chosen.every)
    print("%d changes" % len(guests))
    random.Random(chosen.seed).shuffle(guests)
    return guests[:chosen.count]


def main():
    chosen = options(__doc__.splitlines()[0], 20261124, 60, every=None)
    if not os.path.isdir(RECORDED):
        print("SKIP: %s isn't here (recorded definitions are kept beside the source tree)" % RECORDED)
        sys.exit(77)
    with Libvirt() as libvirt, tempfile.TemporaryDirectory() as folder:
        if libvirt.missing or not os.access(EMULATOR, os.X_OK):
            print("SKIP: %s" % (libvirt.missing or "no %s here" % EMULATOR))
            sys.exit(77)
        guests = [(stratum, what, named(number, domain))
                  for number, (stratum, what, domain) in enumerate(parts_of_all(chosen))]
        texts = [xml for _, _, xml in guests]
        machines = {match.group(1) for xml in texts
                    for match in [re.search('machine="([^"]+)"', xml)] if match}
        files = (kvm_says(folder) + libvirt.facts(folder, sorted(machines | {"pc", "q35"})) +
                 qemu_says(folder))
        outcomes = start(libvirt, texts)
        broker = Broker("capbroker", folder)
        process = broker.run("import", "--name", "host", *files)
        if process.returncode:
            sys.exit("import failed: " + process.stderr)
        table, bad = judge(broker, folder, guests, outcomes)
    if chosen.keep:
        with open(chosen.keep, "w", encoding="utf-8") as file:
            json.dump([guests, outcomes], file)
    print("seed %d, libvirt %s" % (chosen.seed, libvirt.version))
    show(table)
    blocks = sum(sum(strata.values()) for (said, _), strata in table.items() if said == "block")
    sys.exit(int(bad["false ok"] > 0 or 50 * bad["false block"] > blocks or
                 20 * bad["unknown"] > len(guests)))


if __name__ == "__main__":
    main()
