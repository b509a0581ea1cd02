# SPDX-License-Identifier: LGPL-2.1-or-later
"""move_fixture.py: hosts and guests written down in few words, for tests of moves between them.

A host is a profile of a QEMU with its accelerator's CPU (a complete list: what isn't named is
absent), of libvirt and of facts of the host; a guest is a definition as
virsh dumpxml --migratable gives it.
"""

import json
import os
import sys
import tempfile

from answers_fixture import built_dictionary
from start_fixture import Broker

TOP = os.environ.get("top_srcdir", os.path.join(os.path.dirname(__file__), ".."))
EMULATOR = "/usr/bin/qemu-system-x86_64"
MACHINES = ["pc-q35-%s" % v for v in ("6.2", "7.2", "8.2", "9.0", "9.2", "10.0", "11.0")]
DOMAIN = """<domain type='%(type)s'><name>g</name><uuid>6f3b7c1e-5a0d-4a53-9f5e-000000000001</uuid>
<memory unit='MiB'>%(memory)s</memory><vcpu>%(vcpus)s</vcpu>
<os%(os)s><type arch='x86_64' machine='%(machine)s'>hvm</type></os><features><acpi/><apic/></features>
%(cpu)s<devices><emulator>%(emulator)s</emulator>%(devices)s</devices></domain>"""


def model_features(name):
    """libvirt's features of a model, from the table of models."""
    with open(os.path.join(TOP, "schema", "data", "cpu-models.tsv"), encoding="utf-8") as file:
        lines = [line.rstrip("\n").split("\t") for line in file if not line.startswith("#")]
    place = lines[0].index("features")
    return set(next(row for row in lines[1:] if row[0] == name)[place].split())


def number(version):
    return tuple(int(part) for part in version.split(".")[:2])


class Ids:
    """Ids of the dictionary by libvirt's names of features."""

    def __init__(self):
        entries = built_dictionary()
        self.ids = {name: entry["id"] for entry in entries if "arch" not in entry
                    for name in entry.get("names", {}).get("libvirt", [])}

    def of(self, name):
        return self.ids.get(name, "cpu." + name)


def known(name, value, view=None):
    made = {"id": name, "value": value, "state": "known", "origin": "made for a test"}
    if view:
        made["scope"] = {"view": view}
    return made


class Hosts:
    """A broker that knows hosts as they are told; use as a context."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.broker, self.ids = Broker("capbroker", self.folder.name), Ids()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.folder.cleanup()

    def add(self, name, features, qemu="9.2.0", libvirt="10.10.0", accel="kvm", facts=(), emulator=EMULATOR,
            host_model=None, vendor=None, raw=(), bits=None):
        """@features: libvirt's names of what QEMU gives; @raw: what KVM lists; @host_model: its model."""
        cpu = [known(self.ids.of(one), True) for one in sorted({"hypervisor", *features})]
        if vendor:
            cpu.append(known("cpu.vendor", vendor))
        machines = [{"name": m, "cpu_max": 288} for m in MACHINES if number(m.rsplit("-", 1)[1]) <= number(qemu)]
        entry = {"path": emulator, "version": qemu, "accel": accel, "machine": "none", "arch": "x86_64",
                 "machines": machines, "complete": True, "migratable": False}
        profile = {"format": "capbroker.profile/1", "host": {"name": name, "arch": "x86_64"},
                   "probe": {"sources": []},
                   "facts": [known("libvirt.version", libvirt, "libvirt")] + list(facts) +
                            [known(self.ids.of(one), True, "kvm") for one in raw] +
                            ([known("cpu.phys-bits", bits, "raw")] if bits else []),
                   "emulators": [dict(entry, view="qemu", facts=cpu)]}
        if host_model:
            profile["emulators"].append(dict(
                entry, view="libvirt", machine="q35", facts=cpu, cpu_model=host_model, host_model=host_model, modes={"custom": True, "host-model": True, "host-passthrough": True}))
            for one in profile["emulators"][1:]:
                one.pop("machines")
                one.pop("migratable")
        self.add_profile(name, profile)

    def add_profile(self, name, profile):
        path = os.path.join(self.folder.name, "host.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(profile, file)
        process = self.broker.run("import", "--name", name, path)
        if process.returncode:
            sys.exit("import of %s: %s" % (name, process.stderr))

    def judge(self, guest, source, target):
        """The verdict on a guest's move, or on its start where there is no source."""
        path = os.path.join(self.folder.name, "guest.xml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(guest)
        way = ["--from", source] if source else []
        process = self.broker.run("--json", "check", path, *way, "--to", target)
        if process.returncode == 2:
            sys.exit("check: %s" % process.stderr)
        return json.loads(process.stdout)["verdicts"][0]


def guest(cpu="", machine="pc-q35-9.0", devices="", vcpus=1, memory=64, emulator=EMULATOR, os_attributes="",
          kind="kvm"):
    return DOMAIN % {"type": kind, "cpu": cpu, "machine": machine, "devices": devices, "vcpus": vcpus,
                     "memory": memory, "emulator": emulator, "os": os_attributes}


def custom(model, features=(), inner="", check="full"):
    """A CPU as a running guest's definition has it."""
    named = "".join("<feature policy='require' name='%s'/>" % one for one in ["hypervisor", *features])
    return "<cpu mode='custom' match='exact' check='%s'><model fallback='forbid'>%s</model>%s%s</cpu>" % (
        check, model, inner, named)


def find(verdict, check):
    return next((f for f in verdict["findings"] if f["check"] == check), None)
