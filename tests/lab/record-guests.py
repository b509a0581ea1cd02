#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""record-guests.py: makes tests/hosts/NAME/{recording.json,profile.json,README} of lab guests.

usage: build/run python3 tests/lab/record-guests.py [--output FOLDER] [NAME…]

Boots the guests that have a line below, has their probe read what it reads of IOMMUs, PCI, ACPI and
the kernel, and keeps what it recorded as one file of text, which test-probe-hosts.py replays. A
guest is a machine of QEMU's and no one's: nothing in its recording is private.
"""

import argparse
import base64
import concurrent.futures
import json
import os
import sys
import tempfile

from guest_fixture import Lab, progress, table
from lab_fixture import TESTS

sys.path.insert(0, TESTS)
from recording_fixture import ONLY, name_of, replay, write_profile  # noqa: E402

# Guest and QEMU → what it shows that no other does.
SHOWS = {
    "intel-39@7.2": "a VT-d of 39 bits, CAP without bit 63; the commonest client's width",
    "intel-39@11.1": "the same by a newer QEMU: CAP has bit 63 (ESRTPS)",
    "intel-48@11.1": "48 bits, with a hole for interrupts at fee00000",
    "intel-48-cm@11.1": "caching mode",
    "intel-48-eim@11.1": "interrupts with x2APIC destinations (EIM)",
    "intel-48-snoop@11.1": "snoop control, and what follows from it",
    "intel-48-iotlb@11.1": "ATS: ECAP.DT, an ATSR in DMAR, a device that has it behind a port",
    "intel-48-sm@7.2": "scalable mode as QEMU 7.2 has it",
    "intel-48-sm@11.1": "scalable mode with second stage only",
    "intel-first-stage@11.1": "scalable mode with first stage only: 47 bits",
    "intel-no-remapping@11.1": "no interrupt remapping: binding is refused (EPERM)",
    "intel-unsafe@11.1": "no interrupt remapping, and the kernel told not to mind",
    "intel-no-translation@11.1": "a DMAR table, and a unit that doesn't translate",
    "intel-switched-off@11.1": "a unit that would translate, switched off by an option",
    "intel-mtty@11.1": "a mediated device whose state can migrate",
    "amd@7.2": "AMD's EFR as QEMU 7.2 has it",
    "amd@11.1": "AMD's EFR, the hole below 1 TiB",
    "amd-xt@11.1": "XTSup",
    "virtio@11.1": "a virtio-iommu on x86: binding is refused (EPERM)",
    "virtio-unsafe@11.1": "a virtio-iommu of 39 bits that devices are bound to",
    "none@11.1": "no IOMMU at all",
    "stock-intel-48@11.1": "a distribution's kernel: no iommufd, type1 containers",
    "stock-amd@11.1": "the same with AMD's IOMMU",
    "arm-smmuv3-1@7.2": "SMMUv3 as QEMU 7.2 has it",
    "arm-smmuv3-1@11.1": "SMMUv3, stage 1 only",
    "arm-smmuv3-2@11.1": "SMMUv3, stage 2 only: 44 bits",
    "arm-smmuv3-nested@11.1": "SMMUv3 with both: page tables can be a nesting parent",
    "arm-virtio@11.1": "a virtio-iommu on arm64",
    "arm-none@11.1": "arm64 without an IOMMU",
}


def packed(files, prefix):
    """A recording's files as JSON has them: text, or base64 of what is none."""
    recording = {}
    for path, content in sorted(files.items()):
        if not path.startswith(prefix + "/"):
            continue
        try:
            text = content.decode()
            recording[path[len(prefix) + 1:]] = text
            if "\0" in text:
                raise ValueError
        except ValueError:
            recording[path[len(prefix) + 1:]] = {"base64": base64.b64encode(content).decode()}
    return recording


def readme(guest, version, shows):
    lines = ["SPDX-License-Identifier: LGPL-2.1-or-later",
             "%s: %s" % (name_of(guest.name, version), shows), "", "Facts:",
             "- all by a guest of QEMU %s (TCG), made by tests/lab/record-guests.py from the row" % version,
             "  %s of tests/lab/guests.tsv: what it was told to emulate, and its kernel" % guest.name,
             "- %s was given to vfio-pci and claimed" % guest.device, "", "Shows: %s." % shows]
    return "\n".join(lines) + "\n"


def keep(guest, version, result, folder):
    """Writes one host; what is wrong, or None."""
    shows = SHOWS["%s@%s" % (guest.name, version)]
    if result.files is None:
        return "no results: " + " / ".join(progress(result))
    run = "claimed" if result.files.get("claimed.status", b"").strip() == b"0" else "unclaimed"
    recording = packed(result.files, run)
    if not recording:
        return "no recording: %s" % result.files.get(run + ".errors", b"").decode()
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "recording.json"), "w", encoding="utf-8") as file:
        json.dump(recording, file, indent=1, sort_keys=True, ensure_ascii=False)
        file.write("\n")
    with open(os.path.join(folder, "README"), "w", encoding="utf-8") as file:
        file.write(readme(guest, version, shows))
    write_profile(folder, replay(folder))
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", metavar="FOLDER", default=os.path.join(TESTS, "hosts"))
    parser.add_argument("names", nargs="*", metavar="NAME@QEMU", help="only these")
    chosen = parser.parse_args()
    rows = {"%s@%s" % (g.name, version): (g, version) for g in table() for version in g.qemus}
    wanted = [rows[name] for name in chosen.names or SHOWS]
    bad = 0
    with tempfile.TemporaryDirectory(prefix="capbroker-lab-") as folder:
        lab = Lab(folder, sorted({guest.kernel for guest, _ in wanted}))
        for reason in lab.missing:
            print("without %s" % reason)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            runs = [(guest, version, pool.submit(lab.run, guest, version, "lab.only=" + ONLY))
                    for guest, version in wanted if lab.emulator(guest, version)]
            for guest, version, future in runs:
                name = name_of(guest.name, version)
                wrong = keep(guest, version, future.result(), os.path.join(chosen.output, name))
                print("%-32s %s" % (name, wrong or "recorded"))
                bad += bool(wrong)
    sys.exit(bad > 0 or len(runs) < len(wanted))


if __name__ == "__main__":
    main()
