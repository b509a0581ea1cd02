#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""check --hotplug: a device against what a running guest was started with, on the host it runs on.

Hosts are the QEMUs of recorded lab hosts with IOMMUs and devices of the test's own. Each case differs
from a sound one in one thing, and names the one check that has to say so.
"""

import json
import os
import sys
import tempfile

from answers_fixture import problems, validator
from dictionary_fixture import Tally
from hosts_fixture import HOSTS, Capbroker

KERNEL = {"view": "kernel"}
LOW, MSI_END = (0, 0xfedfffff), 0xfef00000
WIDE = [LOW, (MSI_END, (1 << 48) - 1)]
NARROW = [LOW, (MSI_END, (1 << 39) - 1)]
TINY = [LOW, (MSI_END, (1 << 33) - 1)]                       # 8 GiB
MOVES = {"vfio.migration.stop-copy": True, "vfio.migration.p2p": True,
         "vfio.device-features": ["dma-logging-start", "migration"]}
STAYS = {"vfio.migration.stop-copy": False, "vfio.migration.p2p": False}


def fact(name, value):
    return {"id": name, "value": value, "state": "known", "scope": KERNEL, "origin": "told"}


def facts(ranges, more):
    known = {"iommu.ranges": [[hex(first), hex(last)] for first, last in ranges]} if ranges else {}
    return [fact(name, value) for name, value in {**known, **more}.items()]


def unit(name, ranges, kind="vtd", **more):
    told = {"iommu.interrupt-remapping": True}
    told.update({key.replace("_", "."): value for key, value in more.items()})
    return {"id": name, "type": kind, "facts": facts(ranges, told)}


def device(address, iommu, group, driver="vfio-pci", **told):
    return {"address": address, "vendor": "0x8086", "device": "0x10d3", "class": "0x020000",
            "driver": driver, "iommu": iommu, "group": group, "eligible": True,
            "facts": facts(None, told)}


def host(name, qemu, units, devices):
    with open(os.path.join(HOSTS, qemu, "profile.json"), encoding="utf-8") as file:
        document = json.load(file)
    document["emulators"] = [one for one in document["emulators"] if one["accel"] == "tcg"]
    document["host"] = {"name": name, "arch": "x86_64", "aliases": {}}
    document["iommus"], document["devices"] = units, devices
    document["facts"].append(fact("iommu.option.unsafe-interrupts", False))
    if devices:
        document["probe"]["sources"].append({"name": "pci", "state": "ok", "complete": True})
    for one in units:
        one["devices"] = [d["address"] for d in devices if d["iommu"] == one["id"]]
    return document


def units():
    return [unit("dmar0", WIDE), unit("dmar1", NARROW), unit("dmar2", TINY),
            unit("dmar3", WIDE, **{"iommu.interrupt-remapping": False}),
            unit("dmar4", WIDE, **{"iommu.page-sizes": "0x10000", "iommu.alignment": 65536}),
            unit("dmar5", WIDE, **{"iommu.nested": True, "iommu.page-sizes": "0x40201000"}),
            unit("dmar6", None)]


def devices():
    return [device("0000:01:00.0", "dmar0", 1, **MOVES), device("0000:02:00.0", "dmar0", 2, **MOVES),
            device("0000:03:00.0", "dmar0", 3, **STAYS), device("0000:04:00.0", "dmar0", 4),
            device("0000:05:00.0", "dmar1", 5, **MOVES), device("0000:06:00.0", "dmar2", 6, **MOVES),
            device("0000:07:00.0", "dmar3", 7, **MOVES), device("0000:08:00.0", "dmar4", 8, **MOVES),
            device("0000:09:00.0", "dmar5", 9, **MOVES), device("0000:0a:00.0", "dmar6", 10, **MOVES),
            device("0000:0b:00.0", "dmar0", 11, **MOVES),
            device("0000:0b:00.1", "dmar0", 11, **MOVES),
            device("0000:0c:00.0", "dmar0", 12, **MOVES),
            device("0000:0c:00.1", "dmar0", 12, driver="snd_hda_intel"),
            device("0000:0d:00.0", "dmar0", 13, **{**MOVES, "vfio.migration.p2p": False})]


FLEET = [host("new", "lab-debian13", units(), devices()),
         host("new2", "lab-debian13", units(), devices()[:2]),
         host("old", "lab-debian12", units(), [d for d in devices() if d["group"] != 11]),
         host("bare", "lab-debian13", [], [])]


def hostdev(address, more="", **attributes):
    bus, slot, function = address[5:7], address[8:10], address[11:]
    given = "".join(f" {key}='{value}'" for key, value in attributes.items())
    return (f"<hostdev mode='subsystem' type='pci' managed='yes'><driver name='vfio'{given}/><source>"
            f"<address domain='0x0000' bus='0x{bus}' slot='0x{slot}' function='0x{function}'/>"
            f"</source>{more}</hostdev>")


def at(bus):
    return f"<address type='pci' domain='0x0000' bus='0x{bus:02x}' slot='0x00' function='0x0'/>"


PORTS = "".join(f"<controller type='pci' index='{i}' model='pcie-root-port'/>" for i in (1, 2))
BRIDGE = "<controller type='pci' index='3' model='pcie-to-pci-bridge'/>"
VTD39 = "<iommu model='intel'><driver intremap='on' caching_mode='on' aw_bits='39'/></iommu>"
VTD48 = VTD39.replace("39", "48")
VIRTIO = "<iommu model='virtio'><driver granule='4'/></iommu>".replace(
    "<driver granule='4'/>", "<driver><granule size='4' unit='KiB'/></driver>")
ROOM = "<maxMemory slots='4' unit='GiB'>%d</maxMemory>"
DIMM = ("<memory model='dimm'><target><size unit='GiB'>%d</size><node>0</node></target></memory>")
NUMA = "<cpu><numa><cell id='0' cpus='0' memory='4' unit='GiB'/></numa></cpu>"


def guest(devices_xml=PORTS, room="", cpu="", attributes="id='1'", machine="pc-q35-7.2", after=""):
    return (f"<domain type='qemu' {attributes} xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>"
            f"<name>g</name>{room}<memory unit='GiB'>4</memory><vcpu>1</vcpu>"
            f"<os><type arch='x86_64' machine='{machine}'>hvm</type></os>"
            f"<features><acpi/><apic/><ioapic driver='qemu'/></features>{cpu}"
            f"<devices><emulator>/usr/bin/qemu-system-x86_64</emulator>{devices_xml}</devices>"
            f"{after}</domain>")


NIC = hostdev("0000:01:00.0")
PLUGGED = hostdev("0000:02:00.0")
HAS = PORTS + hostdev("0000:01:00.0", at(1))
LINE = ("<qemu:commandline><qemu:arg value='-device'/>"
        "<qemu:arg value='intel-iommu,caching-mode=on,aw-bits=39,intremap=on'/></qemu:commandline>")

# host, guest, device, answer, check that says so (None: none may say anything), effect, words
CASES = [
    ("new", guest(), PLUGGED, "ok", None, None, ""),
    ("new", guest(HAS), PLUGGED, "ok", None, None, ""),
    ("new", guest(), "<interface type='hostdev'><source><address type='pci' domain='0' bus='2' "
     "slot='0' function='0'/></source></interface>", "ok", None, None, ""),
    # allowed, and then the guest stays
    ("new", guest(), hostdev("0000:03:00.0"), "warn", "host-device-moves", "trapped",
     "can't be moved: its driver can't save"),
    ("new", guest(), hostdev("0000:04:00.0"), "warn", "host-device-moves", "trapped",
     "may not be movable"),
    ("new", guest(HAS), hostdev("0000:0d:00.0"), "warn", "host-device-moves", "trapped",
     "each must stop talking"),
    # known to stay, and of one of the two it isn't known besides: that is left out
    ("new", guest(VTD39 + PORTS), hostdev("0000:04:00.0"), "warn", "host-device-moves", "trapped",
     "behind a virtual IOMMU"),
    ("new", guest(VTD39 + PORTS), PLUGGED, "warn", "host-device-moves", "trapped",
     "moves no assigned device behind a virtual IOMMU"),
    ("new", guest(), hostdev("0000:0b:00.1"), "warn", "hotplug-onward", "trapped", "no other host"),
    # refused: not there, its unit, its group
    ("new", guest(), hostdev("0000:7f:00.0"), "block", "host-device-present", "fails-safely", "no device"),
    ("new", guest(), hostdev("0000:07:00.0"), "block", "host-device-isolated", "fails-safely",
     "interrupts aren't remapped"),
    ("new", guest(), hostdev("0000:0c:00.0"), "block", "host-device-group", "fails-safely",
     "0000:0c:00.1 in it too, which the host's driver snd_hda_intel"),
    ("new", guest(VTD39 + PORTS + hostdev("0000:0b:00.0", at(1))), hostdev("0000:0b:00.1"), "block",
     "host-device-group", "fails-safely", "share IOMMU group 11"),
    ("new", guest(VTD39 + PORTS + BRIDGE + hostdev("0000:0b:00.0", at(1))), hostdev("0000:0b:00.1"),
     "unknown", "host-device-group", "fails-safely", "conventional PCI bridge"),
    # width and ranges: the guest's memory, its room, its virtual IOMMU
    ("new", guest(room=ROOM % 16, cpu=NUMA), PLUGGED, "ok", None, None, ""),
    ("new", guest(room=ROOM % 16, cpu=NUMA), hostdev("0000:06:00.0"), "block", "hotplug-room", "hazard",
     "room for memory at 0x180000000-0x47fffffff"),
    ("new", guest(VTD48 + PORTS), hostdev("0000:05:00.0"), "block", "viommu-devices", "fails-safely",
     "guest's IOMMU has 48 address bits, host's gives 39"),
    ("old", guest(VTD48 + PORTS), hostdev("0000:05:00.0"), "block", "viommu-reach", "hazard",
     "0x8000000000"),
    ("new", guest(VTD39.replace("caching_mode='on' ", "") + PORTS), PLUGGED, "block", "viommu-devices",
     "fails-safely", "caching mode"),
    ("new", guest(after=LINE), PLUGGED, "warn", "host-device-moves", "trapped", "behind a virtual IOMMU"),
    ("new", guest(), hostdev("0000:0a:00.0"), "unknown", "host-device-mappable", "fails-safely",
     "not known"),
    # page sizes frozen
    ("new", guest(VIRTIO + PORTS), hostdev("0000:08:00.0"), "block", "hotplug-frozen", "fails-safely",
     "frozen with pages of 4 KiB"),
    ("old", guest(VIRTIO + PORTS), hostdev("0000:08:00.0"), "block", "hotplug-frozen", "hazard",
     "QEMU ends when it is plugged in"),
    ("new", guest(VIRTIO + PORTS), hostdev("0000:09:00.0"), "warn", "host-device-moves", "trapped", ""),
    # format: iommufd
    ("old", guest(), hostdev("0000:02:00.0", iommufd="yes"), "block", "host-device-isolated",
     "fails-safely", "has no iommufd"),
    # memory
    ("new", guest(HAS, ROOM % 16, NUMA), DIMM % 2, "ok", None, None, ""),
    ("new", guest(PORTS + hostdev("0000:06:00.0", at(1)), ROOM % 16, NUMA), DIMM % 8, "block",
     "host-device-mappable", "hazard", "QEMU ends when that fails"),
    ("new", guest(PORTS, ROOM % 16, NUMA), DIMM % 32, "block", "definition-valid", "fails-safely", ""),
    ("new", guest(), DIMM % 1, "block", "definition-valid", "fails-safely", "maxMemory"),
    # kinds, ports, and what rules say of other devices
    ("new", guest(), VTD39, "block", "hotplug-supported", "fails-safely", "attaches no <iommu>"),
    ("new", guest("<controller type='pci' index='1' model='pcie-root-port'/>"
                  "<interface type='network'><source network='default'/>" + at(1) + "</interface>"),
     PLUGGED, "block", "hotplug-supported", "fails-safely", "every port"),
    ("new", guest(), "<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>", "ok",
     None, None, ""),
    ("new", guest(), "<hostdev mode='subsystem' type='scsi_host'/>", "unknown", "part-judged",
     "fails-safely", "assigned host device"),
    # what is wrong with the guest already isn't the device's fault, but may hide the device's own
    ("new", guest(PORTS + hostdev("0000:7e:00.0", at(1))), PLUGGED, "unknown", "hotplug-supported",
     "fails-safely", "has this against it: the host has no device 0000:7e:00.0"),
    ("bare", guest(), PLUGGED, "unknown", "host-device-present", "fails-safely", "not known"),
]


class Asked:
    def __init__(self, capbroker, folder):
        self.capbroker, self.folder = capbroker, folder

    def file(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def answer(self, name, guest_xml, device_xml):
        return self.capbroker.ask("check", self.file("guest.xml", guest_xml), "--from", name,
                                  "--hotplug", self.file("device.xml", device_xml))


def check_case(tally, asked, case):
    name, guest_xml, device_xml, answer, check, effect, words = case
    told = asked.answer(name, guest_xml, device_xml)
    verdict = told["verdicts"][0]
    findings = verdict["findings"]
    what = f"{name}: {device_xml[:60]}… in {guest_xml[guest_xml.find('<devices>'):][60:200]}"
    tally.check(told["question"] == "hotplug" and len(told["verdicts"]) == 1 and
                verdict["host"] == name == told["from"], f"{what}: the question")
    tally.check(verdict["hotplug"] == answer, f"{what}: {verdict['hotplug']}, not {answer}: "
                f"{[(f['check'], f['verdict'], f['text']) for f in findings]}")
    tally.check([f["check"] for f in findings if f["verdict"] == answer][:1] == ([check] if check else []),
                f"{what}: said by {[(f['check'], f['text']) for f in findings]}, not by {check}")
    for finding in findings[:1]:
        tally.check(finding["effect"] == effect and words in finding["text"] and finding["hotplug"],
                    f"{what}: {finding['effect']}: {finding['text']}")


def check_onward(tally, asked):
    """Two hosts are like it in what counts for a guest without devices, one in what the device needs."""
    sound = asked.answer("new", guest(), PLUGGED)["verdicts"][0]
    tally.check((sound["onward_before"], sound["onward_hosts"]) == (3, 2), f"onward: {sound}")
    alone = asked.answer("new", guest(), hostdev("0000:0b:00.0"))["verdicts"][0]
    tally.check(alone["onward_before"] == 3, f"onward: {alone}")


def check_known(tally, asked):
    """A known guest is asked where it runs; its stored definition is enough."""
    xml = guest(VTD48 + PORTS).replace("<name>g</name>", "<name>stored</name><uuid>5e0f0000-1000-4000-"
                                       "8000-00000000aa01</uuid>")
    asked.capbroker.run("import", "--host", "new", asked.file("stored.xml", xml))
    plug = asked.file("device.xml", hostdev("0000:05:00.0"))
    told = asked.capbroker.ask("check", "stored", "--hotplug", plug)
    tally.check(told["from"] == "new" and told["verdicts"][0]["hotplug"] == "block" and
                told["device"] == {"element": "hostdev", "address": "0000:05:00.0"}, f"stored: {told}")
    text = asked.capbroker.run("check", "stored", "--hotplug", plug, fine=(1,))
    for words in ("stored: plug hostdev 0000:05:00.0 in on new: BLOCK", "BLOCK   viommu-devices",
                  "start the guest anew: set aw_bits='39'", "other hosts would take it with the device"):
        tally.check(words in text, f"text: {words!r} is not in\n{text}")
    text = asked.capbroker.run("check", asked.file("g.xml", guest()), "--from", "new", "--hotplug",
                               asked.file("device.xml", hostdev("0000:03:00.0")))
    tally.check("gets there, can't come back" not in text and "the guest stays" in text, text)


def check_schema(tally, asked):
    schema = validator()
    for case in CASES[:8]:
        errors = problems(schema, asked.answer(*case[:3]))
        tally.check(not errors, f"schema: {errors}")


def check_refused(tally, asked):
    """What isn't a question: exit status 2 and one line that says what to do."""
    g, plug = asked.file("g.xml", guest()), asked.file("plug.xml", PLUGGED)
    cpu = asked.file("cpu.xml", "<cpu><model>Penryn</model></cpu>")
    cases = [((g, "--hotplug", plug), "say --from HOST"),
             ((g, "--from", "new", "--to", "old", "--hotplug", plug), "--to doesn't go with --hotplug"),
             ((g, "--from", "new", "--hotplug", g), "<domain> is no device"),
             ((g, "--from", "new", "--hotplug", asked.file("m.xml", "<memory model='dimm'/>")), "no amount"),
             ((g, "--from", "new", "--hotplug", asked.file("torn.xml", PLUGGED[:40])), "torn.xml"),
             ((g, "--from", "new", "--hotplug", os.path.join(asked.folder, "none.xml")), "none.xml"),
             ((g, "--from", "new", "--hotplug", asked.file("big.xml", "<disk>" + "<source/>" * 9000 +
                                                           "</disk>")), "64 KiB"),
             ((cpu, "--from", "new", "--hotplug", plug), "a bare <cpu> takes no devices")]
    for arguments, words in cases:
        status, out, errors = asked.capbroker.try_run("check", *arguments)
        tally.check(status == 2 and not out and words in errors and errors.count("\n") == 1,
                    f"{arguments[-1]}: {status} {out} {errors}")


def main():
    tally = Tally()
    with Capbroker() as capbroker, tempfile.TemporaryDirectory() as folder:
        asked = Asked(capbroker, folder)
        for document in FLEET:
            capbroker.run("import", asked.file(document["host"]["name"] + ".json", json.dumps(document)))
        for case in CASES:
            check_case(tally, asked, case)
        check_onward(tally, asked)
        check_known(tally, asked)
        check_schema(tally, asked)
        check_refused(tally, asked)
    tally.finish("questions of hot-plug", least=len(CASES) * 3)


sys.exit(main())
