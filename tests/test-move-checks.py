#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""test-move-checks.py: checks of a move from a known source, one case each that fires it and a neighbour
that doesn't: verdict, effect, and what the text must name."""

import json
import os
import sys

from move_fixture import Hosts, custom, find, guest, known, model_features

MODEL = "Haswell-noTSX-IBRS"
TPM = "<tpm model='tpm-tis'><backend type='passthrough'><device path='/dev/tpm0'/></backend></tpm>"
HOST = "<cpu mode='host-passthrough' check='none' migratable='on'/>"
FEATURES = model_features(MODEL)
N270 = model_features("n270")

# name: what hosts there are
FLEET = {
    "plain": {"features": FEATURES, "qemu": "9.2.0"},
    "newer": {"features": FEATURES, "qemu": "10.0.0", "libvirt": "11.10.0"},
    "stable": {"features": FEATURES, "qemu": "9.2.4"},
    "guarded": {"features": FEATURES | {"md-clear"}, "facts": [known("mitigation.mds", 1, "kernel"),
                                                              known("mitigation.l1tf", 2, "kernel")]},
    "open": {"features": FEATURES, "facts": [known("mitigation.mds", 0, "kernel"),
                                             known("mitigation.l1tf", 1, "kernel")]},
    "leaks": {"features": FEATURES, "raw": ["pku"], "facts": [known("kvm.xsave2", 0, "kvm")]},
    "strict": {"features": FEATURES, "raw": ["pku"], "facts": [known("kvm.xsave2", 4096, "kvm")]},
    "narrow": {"features": FEATURES, "bits": 39},
    "wide": {"features": FEATURES, "bits": 46},
    "atom-7.2": {"features": N270, "qemu": "7.2.0", "libvirt": "11.10.0"},
    "atom-10": {"features": N270, "qemu": "10.0.0", "libvirt": "11.10.0"},
    "named": {"features": FEATURES | {"cmpccxadd"}, "host_model": "Haswell-noTSX-IBRS", "libvirt": "12.8.0"},
    "names-less": {"features": FEATURES | {"cmpccxadd"}, "host_model": "Haswell-noTSX-IBRS", "libvirt": "9.0.0"},
    "nested": {"features": FEATURES | {"vmx", "vmx-vmfunc", "vmx-rdrand-exit"}},
    "nested-less": {"features": FEATURES | {"vmx", "vmx-vmfunc"}},
    "2400": {"features": FEATURES | {"invtsc"}, "facts": [known("cpu.tsc-khz", 2400000, "kvm"),
                                                       known("kvm.tsc-control", False, "kvm")]},
    "2600": {"features": FEATURES | {"invtsc"}, "facts": [known("cpu.tsc-khz", 2600000, "kvm"),
                                                       known("kvm.tsc-control", False, "kvm")]},
    "scales": {"features": FEATURES | {"invtsc"}, "facts": [known("cpu.tsc-khz", 2600000, "kvm"),
                                                         known("kvm.tsc-control", True, "kvm")]},
    "huge": {"features": FEATURES, "facts": [known("memory.huge-page", ["1048576", "2048"], "kernel"),
                                             known("memory.hugetlbfs", ["1048576", "2048"], "kernel")]},
    "huge-less": {"features": FEATURES, "facts": [known("memory.huge-page", ["2048"], "kernel"),
                                                  known("memory.hugetlbfs", ["2048"], "kernel")]},
    "saves-fs": {"features": FEATURES, "qemu": "10.0.13", "libvirt": "11.3.0",
                 "facts": [known("virtiofs.feature", ["migrate-precopy"], "libvirt")]},
    "no-fs": {"features": FEATURES, "qemu": "10.0.13", "libvirt": "11.3.0",
              "facts": [known("virtiofs.feature", [], "libvirt")]},
    "threads-told": {"features": FEATURES | {"cmp_legacy"}, "host_model": "Haswell-noTSX-IBRS", "qemu": "10.0.13",
                     "libvirt": "11.3.0"},
    "threads-untold": {"features": FEATURES | {"cmp_legacy"}, "host_model": "Haswell-noTSX-IBRS",
                       "qemu": "11.1.3", "libvirt": "12.8.0"},
    "iommu-new": {"features": FEATURES, "libvirt": "11.3.0"},
    "iommu-old": {"features": FEATURES, "libvirt": "9.0.0"},
}
PLAIN, ATOM = guest(custom(MODEL)), guest(custom("n270"), machine="pc-q35-7.2")
IOMMU = "<iommu model='intel'><driver intremap='on'%s/></iommu>"
TSC = guest(custom(MODEL)).replace(
    "<devices>", "<clock offset='utc'><timer name='tsc' frequency='2400000000'/></clock><devices>")
SEV = guest(custom(MODEL)).replace("</domain>", "<launchSecurity type='sev'><policy>0x3</policy></launchSecurity></domain>")
HUGE = guest(custom(MODEL)).replace("<vcpu>", "<memoryBacking><hugepages><page size='%d' unit='KiB'/></hugepages>"
                                    "</memoryBacking><vcpu>")
SHARED = guest(custom(MODEL), devices="<filesystem type='mount'><driver type='virtiofs'/><source dir='/s'/>"
               "<target dir='x'/></filesystem>").replace(
                   "<vcpu>", "<memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking><vcpu>")
OPTIONAL = guest(custom(MODEL, check="none").replace("</cpu>", "<feature policy='optional' name='cmpccxadd'/></cpu>"))
SPLIT = "<apic/><ioapic driver='qemu'/>"

# check, guest, from, to, verdict, effect, words of its text
FIRES = [
    ("cpu-missing", guest("<cpu mode='host-model' check='partial'/>"), "threads-told", "threads-untold", "warn",
     "hazard", ["cmp_legacy"]),
    ("qemu-version", PLAIN, "newer", "plain", "warn", "fails-safely", ["9.2.0", "10.0.0"]),
    ("mitigation-lost", PLAIN, "guarded", "open", "warn", "security-loss", ["mds"]),
    ("mitigation-lost", guest(HOST), "guarded", "plain", "warn", "security-loss", ["mds"]),
    ("xsave-state", PLAIN, "leaks", "strict", "warn", "hazard", ["PKRU"]),
    ("phys-bits", PLAIN, "wide", "narrow", "warn", "hazard", ["40", "39"]),
    ("phys-bits", ATOM, "atom-10", "atom-7.2", "warn", "hazard", ["36", "32"]),
    ("cpu-feature-known", guest("<cpu mode='host-model' check='partial'/>"), "named", "names-less", "block",
     "fails-safely", ["cmpccxadd"]),
    ("definition-kept", guest(custom(MODEL), devices=IOMMU % " dma_translation='off'").replace("<apic/>", SPLIT),
     "iommu-new", "iommu-old", "block", "hazard", ["dma_translation"]),
    ("device-migratable", guest(custom(MODEL), devices=TPM), "plain", "newer", "block", "hazard", ["TPM"]),
    ("device-migratable", guest(custom(MODEL), machine="pc-q35-11.0", devices="<crypto model='virtio' type='qemu'>"
                                "<backend model='builtin' queues='1'/></crypto>"), "newer", "plain", "block",
     "fails-safely", ["crypto"]),
    ("cpu-missing", OPTIONAL, "named", "newer", "block", "fails-safely", ["cmpccxadd"]),
    ("cpu-missing", guest(custom(MODEL, ["vmx", "vmx-vmfunc", "vmx-rdrand-exit"])), "nested", "nested-less", "block",
     "fails-safely", ["vmx-rdrand-exit"]),
    ("cpu-unmigratable", guest(custom(MODEL, ["invtsc"])), "2400", "2400", "block", "fails-safely", ["invtsc"]),
    ("tsc-frequency", TSC, "2400", "2600", "block", "fails-safely", ["2400000", "2600000"]),
    ("vcpu-limit", guest(custom(MODEL), vcpus=300), "plain", "newer", "block", "fails-safely", ["300", "288"]),
    ("launch-security", SEV, "plain", "newer", "block", "fails-safely", []),
    ("memory-backing", HUGE % 1048576, "huge", "huge-less", "block", "fails-safely", []),
    ("device-migratable", SHARED, "saves-fs", "no-fs", "block", "fails-safely", ["virtiofsd"]),
]
SILENT = [
    ("cpu-missing", guest("<cpu mode='host-model' check='partial'><topology sockets='1' cores='2' threads='1'/>"
                          "</cpu>", vcpus=2), "threads-told", "threads-untold"),
    ("cpu-missing", guest("<cpu mode='host-model' check='partial'/>"), "threads-untold", "threads-untold"),
    ("cpu-missing", OPTIONAL, "plain", "newer"),  # neither has it
    ("cpu-missing", OPTIONAL, "named", "named"),
    ("qemu-version", PLAIN, "plain", "newer"),
    ("qemu-version", PLAIN, "stable", "plain"),  # of one series
    ("mitigation-lost", PLAIN, "open", "guarded"),
    ("mitigation-lost", PLAIN, "plain", "open"),  # not known of the source
    ("xsave-state", PLAIN, "strict", "leaks"),
    ("xsave-state", guest(custom(MODEL, ["pku"])), "leaks", "strict"),
    ("phys-bits", PLAIN, "narrow", "narrow"),
    ("phys-bits", PLAIN, "narrow", "wide"),
    ("phys-bits", PLAIN, None, "narrow"),  # a BIOS, and no other host before
    ("phys-bits", guest(custom("n270", ["pse36"]), machine="pc-q35-7.2"), "atom-10", "atom-7.2"),
    ("cpu-feature-known", guest("<cpu mode='host-model' check='partial'><feature policy='disable' "
                                "name='cmpccxadd'/></cpu>"), "named", "named"),
    ("definition-kept", guest(custom(MODEL), devices=IOMMU % "").replace("<apic/>", SPLIT), "iommu-new",
     "iommu-old"),
    ("definition-kept", guest(custom(MODEL), devices=IOMMU % " dma_translation='on'").replace("<apic/>", SPLIT),
     "iommu-new", "iommu-old"),  # what QEMU does without being told
    ("device-migratable", PLAIN, "plain", "newer"),
    ("cpu-missing", guest(custom(MODEL, ["vmx", "vmx-vmfunc"])), "nested", "nested-less"),
    ("cpu-unmigratable", TSC.replace("</cpu>", "<feature policy='require' name='invtsc'/></cpu>"), "2400", "2400"),
    ("tsc-frequency", TSC, "2400", "scales"),
    ("vcpu-limit", guest(custom(MODEL), vcpus=288), "plain", "newer"),
    ("launch-security", PLAIN, "plain", "newer"),
    ("memory-backing", HUGE % 2048, "huge", "huge-less"),
    ("device-migratable", SHARED, "saves-fs", "saves-fs"),
]


def wrong(finding, verdict, effect, words):
    if not finding:
        return "says nothing"
    if (finding["verdict"], finding["effect"]) != (verdict, effect):
        return "%(verdict)s, %(effect)s: %(text)s" % finding
    left = [word for word in words if word not in finding["text"]]
    return "doesn't name %s: %s" % (" ".join(left), finding["text"]) if left or not finding["fix"] else None


def unnamed(hosts):
    """QEMU's model has more behind a gate than libvirt's of that name, and the source took the gate; of
    the one that took what is behind it, too, nothing is lost. As Debian's three were recorded."""
    ours = guest(custom("Cascadelake-Server-noTSX", check="none"), machine="pc-q35-7.2", kind="qemu",
                 emulator="/usr/bin/qemu-system-x86_64")
    bad = 0
    for name in ("lab-debian12", "lab-debian13", "lab-sid"):
        path = os.path.join(os.environ.get("top_srcdir", ".."), "tests", "hosts", name, "profile.json")
        with open(path, encoding="utf-8") as file:
            hosts.add_profile(name, json.load(file))
    for source, target, blocks in (("lab-debian13", "lab-sid", True), ("lab-sid", "lab-debian13", True),
                                   ("lab-debian12", "lab-sid", False)):
        found = [f for f in hosts.judge(ours, source, target)["findings"]
                 if f["check"] == "cpu-missing" and f["verdict"] == "block"]
        if bool(found) != blocks or any("arch-capabilities" not in f["text"] for f in found):
            bad += 1
            print("unnamed, %s to %s: %s" % (source, target, found))
    return bad


def main():
    bad = 0
    with Hosts() as hosts:
        for name, told in FLEET.items():
            hosts.add(name, **told)
        for check, ours, source, target, verdict, effect, words in FIRES:
            judged = hosts.judge(ours, source, target)
            found = [f for f in judged["findings"] if f["check"] == check]
            why = [wrong(f, verdict, effect, words) for f in found] or [wrong(None, verdict, effect, words)]
            if all(why):
                bad += 1
                print("%s, %s to %s: %s" % (check, source, target, why))
                print("   ", [(f["check"], f["text"]) for f in judged["findings"]])
        for check, ours, source, target in SILENT:
            finding = find(hosts.judge(ours, source, target), check)
            if finding:
                bad += 1
                print("%s, %s to %s: %s" % (check, source, target, finding["text"]))
        bad += unnamed(hosts)
    print("%d cases, %d wrong" % (len(FIRES) + len(SILENT) + 3, bad))
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
