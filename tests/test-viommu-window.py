#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""test-viommu-window.py: what firmware places at the end of a guest's addresses (64-bit BARs),
against what the host maps for assigned devices; and the window that each pseries guest has.

Where firmware puts the memory of devices was read in SeaBIOS 1.16.3 (pciinit.c) and edk2
(PlatformInitLib); what QEMU does when it can't be mapped in vfio_listener_region_add().
"""

import json
import os
import sys
import tempfile

from start_fixture import Broker
from viommu_truth import fact, with_qemu

TOP = os.environ.get("top_srcdir", os.path.join(os.path.dirname(__file__), ".."))
WIDE, NARROW, THIRD = "0000:01:00.0", "0000:02:00.0", "0000:03:00.0"
RANGES = [["0x0", "0xfedfffff"], ["0xfef00000", "0x7fffffffff"]]
GUEST = """<domain type='%s'><name>g</name><memory unit='MiB'>512</memory><vcpu>1</vcpu>
<os><type arch='%s' machine='%s'>hvm</type></os>%s<devices>%s</devices></domain>"""
CPU = "<cpu mode='custom' match='exact'><model>qemu64</model>%s</cpu>"
SHARED = "<shmem name='s'><model type='ivshmem-plain'/><size unit='M'>64</size></shmem>"


def assigned(address):
    domain, bus, slot, function = address.replace(".", ":").split(":")
    return ("<hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0x%s' "
            "bus='0x%s' slot='0x%s' function='0x%s'/></source></hostdev>" % (
                domain, bus, slot, function))


def bits(number):
    return CPU % ("<maxphysaddr mode='emulate' bits='%d'/>" % number)


# CPU, devices, and what host-device-window says
PC = [
    (CPU % "", [assigned(WIDE), assigned(THIRD)], None),   # 40 bits, which firmware doesn't believe
    (bits(46), [assigned(WIDE), assigned(THIRD)], "warn"),
    (bits(46), [assigned(WIDE), assigned(NARROW)], "warn"),  # NARROW can't reach WIDE's memory
    (bits(46), [assigned(NARROW)], None),
    (bits(46), [assigned(WIDE)], None),
    (bits(39), [assigned(WIDE), assigned(THIRD)], None),
    (bits(46), [assigned(NARROW), SHARED], "unknown"),
    (bits(39), [assigned(NARROW), SHARED], None),
    (bits(52), [SHARED], None),
]
# start of the host's window, its size, whether it makes more; host-device-mappable, dma_works
POWER = [
    (0, 1 << 30, True, None, "ok"),
    (0, 1 << 31, True, None, "ok"),
    (0, 1 << 30, False, "unknown", "unknown"),
    (0, 1 << 29, False, "block", "block"),
    (0, 1 << 29, True, "unknown", "unknown"),
    (1 << 30, 1 << 31, False, "block", "block"),
    (None, None, None, "unknown", "unknown"),
]


def device(address, wide):
    return {"address": address, "vendor": "0x8086", "device": "0x10d3", "class": "0x020000",
            "driver": "vfio-pci", "iommu": "u0", "group": int(address[5:7]), "eligible": True,
            "facts": [fact("pci.wide-regions", wide, "t")]}


def intel():
    """A PC of 39 address bits, whose CPU has 46."""
    unit = {"id": "u0", "type": "vtd", "devices": [WIDE, NARROW, THIRD], "facts": [
        fact("iommu.interrupt-remapping", True, "t"), fact("iommu.ranges", RANGES, "t"),
        fact("iommu.nested", False, "t")]}
    return {"format": "capbroker.profile/1", "host": {"name": "pc", "arch": "x86_64"},
            "probe": {"sources": []}, "iommus": [unit],
            "devices": [device(WIDE, True), device(NARROW, False), device(THIRD, True)],
            "facts": [fact("iommu.option.unsafe-interrupts", False, "t")]}


def power(start, size, more):
    path = os.path.join(TOP, "tests", "hosts", "power8-qemu7.1", "profile.json")
    with open(path, encoding="utf-8") as file:
        profile = json.load(file)
    facts = [fact("iommu.interrupt-remapping", True, "t")]
    if size is not None:
        facts += [fact("spapr.dma32-window-start", start, "t"),
                  fact("spapr.dma32-window-size", size, "t"), fact("spapr.ddw", more, "t")]
    # firmware that lets KVM keep what the pseries machine promises
    profile["facts"] += [fact("pseries.cap-" + cap, level, "t") for cap, level in
                         (("cfpc", 1), ("sbbc", 1), ("ibs", 1), ("ccf-assist", True))]
    profile["iommus"] = [{"id": "u0", "type": "spapr", "devices": [WIDE], "facts": facts}]
    profile["devices"] = [device(WIDE, True)]
    return profile


def known(broker, name, profile):
    path = os.path.join(broker.folder, "profile.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(profile, file)
    process = broker.run("import", "--name", name, path)
    if process.returncode:
        sys.exit("import: %s" % process.stderr)


def judge(broker, host, guest):
    path = os.path.join(broker.folder, "guest.xml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(guest)
    return json.loads(broker.run("--json", "check", path, "--to", host).stdout)["verdicts"][0]


def of_check(verdict, check):
    found = {one["verdict"] for one in verdict["findings"] if one["check"] == check}
    return found.pop() if len(found) == 1 else sorted(found) or None


def main():
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        broker = Broker("capbroker", folder)
        known(broker, "pc", with_qemu(intel(), "pc", "10.0", TOP))
        for cpu, devices, wanted in PC:
            verdict = judge(broker, "pc", GUEST % ("qemu", "x86_64", "q35", cpu, "".join(devices)))
            said = of_check(verdict, "host-device-window")
            if said != wanted or (wanted == "unknown") != (verdict["dma_works"] == "unknown"):
                bad += 1
                print("%s %s: %s, dma %s" % (cpu, devices, said, verdict["dma_works"]))
        for number, (start, size, more, wanted, dma) in enumerate(POWER):
            known(broker, "power%d" % number, power(start, size, more))
            verdict = judge(broker, "power%d" % number,
                            GUEST % ("kvm", "ppc64le", "pseries", "", assigned(WIDE)))
            said = of_check(verdict, "host-device-mappable"), verdict["dma_works"]
            stage = {None: "shadow", "block": "refuse"}.get(wanted, verdict["viommu"])
            if said != (wanted, dma) or verdict["viommu"] != stage:
                bad += 1
                print("%s %s %s: %s, %s" % (start, size, more, said, verdict["viommu"]))
                for finding in verdict["findings"]:
                    print("  %(verdict)s %(check)s: %(text)s" % finding)
        none = judge(broker, "power0", GUEST % ("kvm", "ppc64le", "pseries", "", ""))
        bad += none["viommu"] != "emulated"
    print("%d rows, %d wrong" % (len(PC) + len(POWER) + 1, bad))
    sys.exit(1 if bad else 0)


main()
