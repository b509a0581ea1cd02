#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""test-viommu-verdicts.py: virtual IOMMUs before an assigned device on a host of 39 address bits,
and on one with AMD's hole: does QEMU start, and does DMA work; one row a cause.

What each row says was seen in guests of the lab (lab/test-lab-viommu.py starts such guests for real
and lets them map); here the hosts are written down, so that it is tested without them.
"""

import json
import os
import sys
import tempfile

from start_fixture import Broker
from viommu_truth import QEMUS, definition, fact, with_qemu

TOP = os.environ.get("top_srcdir", os.path.join(os.path.dirname(__file__), ".."))
ADDRESS = "0000:00:02.0"
RANGES = {"vtd": [["0x0", "0xfedfffff"], ["0xfef00000", "0x7fffffffff"]],
          "amdvi": [["0x0", "0xfedfffff"], ["0xfef00000", "0xfcffffffff"],
                    ["0x10000000000", "0xffffffffffffffff"]]}
DEVICE = ["-device", "vfio-pci,host=" + ADDRESS]
IOMMUFD = ["-object", "iommufd,id=fd0", "-device", "vfio-pci,host=%s,iommufd=fd0" % ADDRESS]
SOUND = "intel-iommu,caching-mode=on,aw-bits="

# QEMU, host, machine, arguments, qemu_starts, dma_works
ROWS = [
    # the width: QEMU looks at it since 9.1, and asks for 48 bits by itself since 9.2
    ("10.0", "vtd", "pc-q35-9.2", ["-device", "intel-iommu,caching-mode=on"] + DEVICE, "block",
     "block"),
    ("10.0", "vtd", "pc-q35-9.1", ["-device", "intel-iommu,caching-mode=on"] + DEVICE, "ok", "ok"),
    ("10.0", "vtd", "pc-q35-9.2", ["-device", SOUND + "39"] + DEVICE, "ok", "ok"),
    ("11.1", "vtd", "q35", ["-device", SOUND + "39"] + IOMMUFD, "ok", "ok"),
    ("7.2", "vtd", "q35", ["-device", SOUND + "48"] + DEVICE, "ok", "block"),
    # the hole, at which none looks
    ("11.1", "amdvi", "q35", ["-device", SOUND + "48"] + DEVICE, "ok", "block"),
    ("11.1", "amdvi", "q35", ["-device", SOUND + "39"] + DEVICE, "ok", "ok"),
    # caching mode, and the order
    ("7.2", "vtd", "q35", ["-device", "intel-iommu"] + DEVICE, "block", "block"),
    ("7.2", "vtd", "q35", DEVICE + ["-device", "intel-iommu"], "block", "block"),
    ("10.0", "vtd", "q35", DEVICE + ["-device", "intel-iommu"], "block", "block"),
    ("11.1", "vtd", "q35", DEVICE + ["-device", "intel-iommu"], "ok", "block"),
    ("10.0", "vtd", "q35", DEVICE + ["-device", SOUND + "39"], "ok", "block"),
    # what ends QEMU when the guest switches its IOMMU on
    ("7.2", "vtd", "q35", ["-device", SOUND + "39,snoop-control=on"] + DEVICE, "ok", "block"),
    ("11.1", "vtd", "q35", ["-device", SOUND + "39,snoop-control=on"] + DEVICE, "ok", "block"),
    ("11.1", "vtd", "q35", ["-device", SOUND + "39,snoop-control=on,dma-translation=off"] + DEVICE,
     "ok", "ok"),
    # machines without them
    ("10.0", "vtd", "pc", ["-device", SOUND + "39"] + DEVICE, "block", "block"),
    ("11.1", "vtd", "pc-i440fx-9.2", ["-device", "amd-iommu,dma-remap=on"] + DEVICE, "block",
     "block"),
    ("10.0", "vtd", "pc", ["-device", "virtio-iommu-pci"] + DEVICE, "ok", "ok"),
    # extended interrupt mode without KVM
    ("7.2", "vtd", "q35", ["-device", SOUND + "39,eim=on"] + DEVICE, "block", "block"),
    ("7.2", "vtd", "q35", ["-device", SOUND + "39,eim=on,x-buggy-eim=on"] + DEVICE, "ok", "ok"),
    ("10.0", "vtd", "q35", ["-device", SOUND + "39,eim=on"] + DEVICE, "ok", "ok"),
    # virtio's and AMD's
    ("10.0", "vtd", "q35", ["-device", "virtio-iommu-pci,iommu_platform=on"] + DEVICE, "ok", "ok"),
    ("10.0", "vtd", "q35", ["-device", "virtio-iommu-pci,granule=16k"] + IOMMUFD, "block", "block"),
    ("10.0", "vtd", "q35", ["-device", "virtio-iommu-pci,granule=16k"] + DEVICE, "ok", "ok"),
    ("10.0", "vtd", "q35", ["-device", "amd-iommu"] + DEVICE, "block", "block"),
    ("11.1", "amdvi", "q35", ["-device", "amd-iommu"] + DEVICE, "ok", "block"),
    ("11.1", "amdvi", "q35", ["-device", "amd-iommu,dma-remap=on"] + DEVICE, "ok", "ok"),
    ("11.1", "vtd", "q35", ["-device", "amd-iommu,dma-remap=on"] + DEVICE, "ok", "block"),
]


def host(kind):
    """A profile without a QEMU."""
    unit = {"id": "dmar0", "type": kind, "devices": [ADDRESS], "facts": [
        fact("iommu.interrupt-remapping", True, "t"), fact("iommu.nested", False, "t")]}
    device = {"address": ADDRESS, "vendor": "0x8086", "device": "0x10d3", "class": "0x020000",
              "driver": "vfio-pci", "iommu": "dmar0", "group": 1, "eligible": True, "facts": [
                  fact("iommu.ranges", RANGES[kind], "t"), fact("iommu.alignment", 4096, "t")]}
    return {"format": "capbroker.profile/1", "host": {"name": kind, "arch": "x86_64"},
            "probe": {"sources": []}, "iommus": [unit], "devices": [device], "facts": [
                fact("iommu.option.unsafe-interrupts", False, "t")]}


def fleet(folder):
    """A broker that knows each host with each QEMU, as HOST-QEMU."""
    broker, path = Broker("capbroker", folder), os.path.join(folder, "profile.json")
    for qemu in QEMUS:
        for kind in RANGES:
            with open(path, "w", encoding="utf-8") as file:
                json.dump(with_qemu(host(kind), kind, qemu, TOP), file)
            process = broker.run("import", "--name", "%s-%s" % (kind, qemu), path)
            if process.returncode:
                sys.exit("import: %s" % process.stderr)
    return broker


def judge(broker, qemu, kind, machine, args):
    path = os.path.join(broker.folder, "guest.xml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(definition(machine, ["-m", "64M"] + args))
    process = broker.run("--json", "check", path, "--to", "%s-%s" % (kind, qemu))
    return json.loads(process.stdout)["verdicts"][0]


def main():
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        broker = fleet(folder)
        for qemu, kind, machine, args, *wanted in ROWS:
            verdict = judge(broker, qemu, kind, machine, args)
            said = [{"warn": "ok"}.get(verdict[name], verdict[name])
                    for name in ("qemu_starts", "dma_works")]
            if said == wanted:
                continue
            bad += 1
            print("%s on %s, %s %s: said %s, not %s" % (qemu, kind, machine, " ".join(args), said,
                                                       wanted))
            for finding in verdict["findings"]:
                print("  %(verdict)s %(check)s: %(text)s" % finding)
        fixes = [finding["fix"] for finding in judge(broker, *ROWS[0][:4])["findings"]]
        if "set aw_bits='39'" not in fixes:
            bad += 1
            print("no way out is named of a width of 48 bits by default: %s" % fixes)
    print("%d rows, %d wrong" % (len(ROWS), bad))
    sys.exit(1 if bad else 0)


main()
