#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Contracts: what running guests were started with, frozen; a new version for each change, with its
cause; the QEMU that a guest runs, which needn't be the installed one; the element that travels."""

import json
import os
import shutil
import subprocess
import sys

from answers_fixture import problems, validator
from dictionary_fixture import Tally
from hook_fixture import HERE, SOURCE, VIOMMU, Hook
from hosts_fixture import HOSTS

VALIDATOR = validator()
QEMU = {"path": "/usr/bin/qemu-system-x86_64", "deleted": False}
UUID = "5e0f0000-1000-4000-8000-0000000000aa"
DISK = "<disk type='file' device='disk'><target dev='vd%s' bus='virtio'/></disk>"


def entry(run=3, devices="", qemu=None, memory=262144, cpu="qemu64"):
    """A guest as a probe tells of it."""
    definition = (f"<domain type='qemu' id='{run}'><name>lab</name><uuid>{UUID}</uuid>"
                  f"<memory unit='KiB'>{memory}</memory><vcpu>1</vcpu>"
                  "<os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os>"
                  f"<devices><emulator>{QEMU['path']}</emulator>{devices}</devices></domain>")
    return {"name": "lab", "uuid": UUID, "type": "qemu", "running": True, "memory_kib": memory,
            "os": {"type": "hvm", "arch": "x86_64", "machine": "pc-q35-7.2"}, "vcpus": 1,
            "cpu": {"path": "/domain/cpu", "mode": "custom", "model": cpu, "features": []},
            "definition": definition, "unjudged": [], **({"qemu": qemu} if qemu else {})}


class Probe:
    """Lists of a host's guests, as probes one after another find them."""

    def __init__(self, tally, hook):
        self.tally, self.hook = tally, hook

    def see(self, *entries, host=SOURCE):
        path = self.hook.path("guests.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"format": "capbroker.guests/1", "host": host, "complete": True,
                       "guests": list(entries)}, file)
        self.hook.run("import", path)
        answer = self.hook.ask("guests", UUID)
        self.tally.check(not problems(VALIDATOR, answer), f"schema: {problems(VALIDATOR, answer)}")
        return answer["contracts"]


def install(hook, version, inode):
    """The source is probed with a QEMU of that file; returns the file, as a guest's process shows it."""
    qemu = {**QEMU, "size": 1000, "mtime": 2000, "inode": inode}
    with open(os.path.join(HOSTS, "lab-debian13", "profile.json"), encoding="utf-8") as file:
        document = json.load(file)
    emulator = {**qemu, "version": version}
    del emulator["deleted"]
    document["fingerprint"] = {"kernel": "6.1", "boot_id": "x", "emulators": [emulator]}
    document["host"]["name"] = SOURCE
    path = hook.path("installed.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(document, file)
    hook.run("import", path)
    return qemu


def check_versions(tally, hook):
    probe = Probe(tally, hook)
    version = "10.0.13"
    qemu = install(hook, version, 5)
    first = probe.see(entry(qemu=qemu))
    tally.check(len(first) == 1 and first[0]["cause"] == "first seen" and first[0]["qemu"] == version and
                first[0]["host"] == SOURCE, f"first: {first}")
    tally.check(len(probe.see(entry(qemu=qemu))) == 1, "seen again makes a version")
    tally.check(len(probe.see(entry(run=9, qemu=qemu))) == 1, "the same, started again, makes a version")
    steps = [  # what is seen then, cause, what changed
        (entry(run=9, devices=DISK % "b", qemu=qemu), "hotplug", "definition"),
        (entry(run=9, qemu=qemu), "unplug", "definition"),
        (entry(run=9, qemu=qemu, cpu="kvm64"), "live CPU update", "cpu"),
        (entry(run=9, qemu=qemu, cpu="kvm64", memory=524288), "memory changed", "memory_kib"),
        (entry(run=12, qemu=qemu, cpu="qemu64", memory=524288), "started anew", "cpu"),
    ]
    for number, (seen, cause, changed) in enumerate(steps, 2):
        newest = probe.see(seen)[0]
        tally.check((newest["version"], newest["cause"]) == (number, cause) and changed in newest["changed"],
                    f"{cause}: version {newest['version']}, {newest['cause']}, {newest['changed']}")
    moved = probe.see(entry(run=1, cpu="qemu64", memory=524288, devices=DISK % "c"), host=HERE)[0]
    tally.check(moved["cause"] == f"moved from {SOURCE}", f"moved: {moved['cause']}")
    text = hook.run("guests", "lab")
    tally.check("hotplug" in text and "lab: 7 contracts" in text and max(map(len, text.splitlines())) <= 80,
                f"text: {text}")


def check_upgrade(tally, hook):
    """The package was upgraded under a running guest: its QEMU is that of its process."""
    probe = Probe(tally, hook)
    version = "10.0.13"
    qemu = install(hook, version, 5)
    probe.see(entry(qemu=qemu))
    replaced = {**qemu, "deleted": True}
    install(hook, "99.0", 6)
    seen = probe.see(entry(qemu=replaced))
    tally.check(len(seen) == 1 and seen[0]["qemu"] == version, f"upgraded under it: {seen}")
    grown = probe.see(entry(qemu=replaced, devices=DISK % "b"))[0]
    tally.check(grown["cause"] == "hotplug" and grown["qemu"] == version, f"hotplug afterwards: {grown}")
    other = {**replaced, "inode": 77}
    late = probe.see({**entry(qemu=other), "uuid": UUID.replace("aa", "ab")}, entry(qemu=replaced))
    tally.check(late[0]["qemu"] == version, f"the other guest: {late[0]}")
    answer = hook.ask("guests", UUID.replace("aa", "ab"))["contracts"][0]
    tally.check(answer["qemu"] is None and "replaced" in answer["cause"], f"first seen then: {answer}")


def check_element(tally, hook):
    """What travels, through libvirt's own metadata where there is one, and what the hook makes of it."""
    version = "10.0.13"
    qemu = install(hook, version, 5)
    viommu = entry(qemu=qemu, devices="<iommu model='intel'><driver intremap='off' caching_mode='on'/></iommu>")
    Probe(tally, hook).see({**viommu, "viommu": True})
    element = hook.run("guests", "lab", "--contract").strip()
    tally.check(element.startswith("<contract host='src'") and f"qemu='{version}'" in element and
                "<viommu device='intel-iommu'" in element and "caching-mode='on'" in element,
                f"element: {element}")
    tally.check(hook.try_run("guests", "--contract")[0] == 2, "an element of no guest")
    if not shutil.which("virsh"):
        print("no virsh: the element isn't held against libvirt's metadata")
        return
    line = (f"metadata test urn:capbroker:contract:1 capbroker --live --set \"{element}\"; dumpxml test")
    result = subprocess.run(["virsh", "-q", "-c", "test:///default", line], capture_output=True, text=True,
                            check=False, stdin=subprocess.DEVNULL)
    if "<metadata>" not in result.stdout:
        tally.check(False, f"libvirt refuses the element: {result.stderr}")
        return
    metadata = "<metadata>" + result.stdout.split("<metadata>")[1].split("</metadata>")[0] + "</metadata>"
    hook.run("forget", SOURCE)  # nobody here knows the source any more
    hook.policy("report")
    hook.call(VIOMMU)
    tally.check(hook.last()[0] == "unknown", f"without: {hook.last()}")
    hook.call(VIOMMU.replace("<memory", metadata + "<memory", 1))
    tally.check(hook.last()[0] != "unknown", f"with the element: {hook.last()}")


def main():
    tally = Tally()
    for part in (check_versions, check_upgrade, check_element):
        with Hook() as hook:
            part(tally, hook)
    tally.finish("looks at contracts", least=17)


sys.exit(main())
