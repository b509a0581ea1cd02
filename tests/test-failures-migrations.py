#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""test-failures-migrations.py: failed migrations that users reported (failures/migration_failures.tsv),
each built as hosts and a guest of ours and predicted with its cause.

Only facts are taken from a report: generations, versions, the features it names. Where one leaves a side
untold, UNDECIDABLE says what is missing. A row of the table that stands in neither list fails, and so does one
here that the table hasn't. Exit 77 where the table isn't beside the source tree.
"""

import json
import os
import sys

from move_fixture import TOP, Hosts, custom, find, guest, known, model_features
from viommu_truth import with_qemu

SRCDIR = os.environ.get("srcdir", os.path.dirname(os.path.abspath(__file__)))
DATA = os.environ.get("CAPBROKER_SHARED_DATA", os.path.join(SRCDIR, "..", "..", "shared", "data"))
TABLE = os.path.join(DATA, "failures", "migration_failures.tsv")
ADDRESS = "0000:01:00.0"
HOSTDEV = """<hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0x0000' bus='0x01'
slot='0x00' function='0x0'/></source></hostdev>"""
VIOMMU = "<iommu model='intel'><driver intremap='on' caching_mode='on' aw_bits='39'/></iommu>"
SPLIT = "<ioapic driver='qemu'/>"


def blocks(verdict, check, names=(), what="migrate"):
    """None where the verdict is a block for that check, which names these; else what is wrong."""
    found = [f for f in verdict["findings"] if f["check"] == check and f["verdict"] == "block"]
    if verdict[what] != "block" or not found:
        return "%s is %s, and %s says %s" % (what, verdict[what], check, [f["text"] for f in verdict["findings"]])
    text = " ".join(f["text"] + json.dumps(f["need"]) for f in found)
    left = [name for name in names if name not in text]
    return "%s doesn't name %s: %s" % (check, " ".join(left), text) if left else None


def passes(verdict, what="migrate"):
    return None if verdict[what] in ("ok", "warn") else "%s is %s: %s" % (
        what, verdict[what], [f["text"] for f in verdict["findings"]])


def zen(hosts, names):
    rome = model_features("EPYC-Rome")
    hosts.add("zen3", rome | set(names))
    hosts.add("zen2", rome)
    newer = guest(custom("EPYC-Rome", names))
    return blocks(hosts.judge(newer, "zen3", "zen2"), "cpu-missing", names) or \
        passes(hosts.judge(guest(custom("EPYC-Rome")), "zen2", "zen3"))


def ivy_bridge(hosts, names):
    westmere = model_features("Westmere")
    hosts.add("ivy", westmere | set(names), host_model="IvyBridge")
    hosts.add("westmere", westmere, host_model="Westmere")
    ours = guest("<cpu mode='host-model' check='partial'><model fallback='allow'>Westmere</model></cpu>")
    return blocks(hosts.judge(ours, "ivy", "westmere"), "cpu-host-bound", names) or \
        passes(hosts.judge(guest(custom("Westmere")), "ivy", "westmere"))


def upgraded(hosts, names):
    snowridge = model_features("Snowridge") - set(names)
    hosts.add("before", snowridge | set(names), qemu="8.2.0", libvirt="10.0.0")
    hosts.add("after", snowridge, qemu="9.0.0", libvirt="10.5.0")
    return blocks(hosts.judge(guest(custom("Snowridge", names), machine="pc-q35-8.2"), "before", "after"),
                  "cpu-missing", names)


def several_threads(hosts, names):
    features = model_features("Broadwell-noTSX-IBRS")
    hosts.add("old", features, qemu="9.2.0", libvirt="10.10.0")
    hosts.add("new", features, qemu="10.0.0", libvirt="11.3.0")
    hosts.add("mended", features, qemu="10.0.0", libvirt="11.10.0")
    cores = custom("Broadwell-noTSX-IBRS", inner="<topology sockets='1' dies='1' cores='2' threads='1'/>")
    two, one = guest(cores, vcpus=2), guest(custom("Broadwell-noTSX-IBRS"))
    return blocks(hosts.judge(two, "old", "new"), "cpu-extra", names) or \
        passes(hosts.judge(two, "old", "mended")) or passes(hosts.judge(one, "old", "new"))


def no_tsx(hosts, names):
    features, mpx = model_features("Cascadelake-Server-noTSX"), "<feature policy='disable' name='mpx'/>"
    hosts.add("second", features | set(names))
    hosts.add("third", features)
    off = mpx + "".join("<feature policy='disable' name='%s'/>" % name for name in names)
    return blocks(hosts.judge(guest(custom("Cascadelake-Server-noTSX", names, mpx)), "second", "third"),
                  "cpu-missing", names) or \
        passes(hosts.judge(guest(custom("Cascadelake-Server-noTSX", inner=off)), "second", "third"))


def emulator(hosts, _):
    features = model_features("Westmere")
    hosts.add("spice", features, emulator="/usr/bin/kvm-spice")
    hosts.add("plain", features)
    ours = guest(custom("Westmere"), emulator="/usr/bin/kvm-spice")
    return blocks(hosts.judge(ours, "spice", "plain"), "emulator-present", ["kvm-spice"])


def narrow_host(hosts, _):
    features = model_features("Broadwell-noTSX-IBRS")
    hosts.add("client", features, bits=39)
    hosts.add("server", features, bits=46)
    uefi = guest(custom("Broadwell-noTSX-IBRS"), os_attributes=" firmware='efi'")
    plain = guest(custom("Broadwell-noTSX-IBRS"))
    for ours, source, what in ((uefi, None, "start"), (plain, "server", "migrate")):
        verdict = hosts.judge(ours, source, "client")
        found = find(verdict, "phys-bits")
        if not found or found["effect"] != "hazard" or verdict[what] == "ok":
            return "%s: phys-bits says nothing of 40 bits on a host of 39: %s" % (what, verdict["findings"])
    fits = guest(custom("Broadwell-noTSX-IBRS", inner="<maxphysaddr mode='emulate' bits='39'/>"))
    return "it goes on after the fix" if find(hosts.judge(fits, "server", "client"), "phys-bits") else None


def with_devices(hosts, name, recorded, qemu):
    """A recorded host with a VT-d unit and assigned devices, under a QEMU of that version."""
    with open(os.path.join(TOP, "tests", "hosts", recorded, "profile.json"), encoding="utf-8") as file:
        hosts.add_profile(name, with_qemu(json.load(file), name, qemu, TOP))


def narrow_unit(hosts, _):
    with_devices(hosts, "narrow", "viommu-client", "10.0")
    bits = "<cpu mode='custom' match='exact' check='none'><model>qemu64</model><maxphysaddr mode='emulate' bits='46'/></cpu>"
    # the report's address, 0x8800001000, lies beyond 512 GiB
    verdict = hosts.judge(guest(bits, "pc-q35-9.0", HOSTDEV, memory=560 << 10, kind="qemu"), None, "narrow")
    return blocks(verdict, "host-device-mappable", what="dma_works") or \
        blocks(verdict, "host-device-mappable", what="start")


def behind_viommu(hosts, _):
    with_devices(hosts, "here", "viommu-server", "10.0")
    with_devices(hosts, "there", "viommu-server", "10.0")
    ours = guest("<cpu mode='custom' match='exact' check='none'><model>qemu64</model></cpu>", "pc-q35-9.0",
                 HOSTDEV + VIOMMU, kind="qemu").replace("<apic/>", "<apic/>" + SPLIT)
    return blocks(hosts.judge(ours, "here", "there"), "host-device-moves", ["virtual IOMMU"])


def lowered_width(hosts, _):
    features = model_features("EPYC-Milan")
    hosts.add("46", features, bits=46)
    hosts.add("43", features, bits=43)
    ours = guest(custom("EPYC-Milan", inner="<maxphysaddr mode='emulate' bits='46'/>"))
    return passes(hosts.judge(ours, "46", "46")) or blocks(hosts.judge(ours, "46", "43"), "phys-bits", ["46", "43"])


# where it was reported: how it is built
BUILT = {
    "harvester/harvester/issues/3015": zen,
    "OpenNebula/one/issues/1688": ivy_bridge,
    "harvester/harvester/issues/5755": upgraded,
    "kubevirt/kubevirt/issues/16386": several_threads,
    "OpenNebula/one/issues/6650": no_tsx,
    "retspen/webvirtcloud/issues/465": emulator,
    "tianocore/edk2/issues/9340": narrow_host,
    "MicronSSD/unvme/issues/4": narrow_unit,
    "cloud-hypervisor/cloud-hypervisor/issues/8567": behind_viommu,
    "cloud-hypervisor/cloud-hypervisor/pull/8279": lowered_width,
}
UNDECIDABLE = {
    "apache/cloudstack/issues/12119": "a host alone, and how its libvirt names its processor: no destination is told",
    "libvirt/libvirt/issues/42": "which features differ between the two hosts isn't told",
}


def rows():
    with open(TABLE, encoding="utf-8") as file:
        lines = [line.rstrip("\n").split("\t") for line in file if line.strip()]
    return [dict(zip(lines[0], line)) for line in lines[1:]]


def features_of(row):
    names = [name for name in row["missing_or_extra"].split(",") if name and name not in ("-", "...")]
    return [name for name in names if "/" not in name]


def main():
    if not os.path.exists(TABLE):
        print("skipped: %s isn't here (reports are kept beside the source tree)" % TABLE)
        return 77
    bad, seen = 0, set()
    for row in rows():
        key = next((k for k in [*BUILT, *UNDECIDABLE] if row["source"].endswith(k)), None)
        seen.add(key)
        if key in UNDECIDABLE:
            print("undecidable: %-18s %s (%s)" % (row["class"], UNDECIDABLE[key], key))
            continue
        if key is None:
            wrong = "nothing here is of it: %s" % row["source"]
        else:
            with Hosts() as hosts:
                wrong = BUILT[key](hosts, features_of(row))
        bad += wrong is not None
        print("%-12s %-18s %s" % ("WRONG" if wrong else "predicted:", row["class"], key))
        if wrong:
            print("    " + wrong)
    for key in {*BUILT, *UNDECIDABLE} - seen:
        bad += 1
        print("no row of the table is %s" % key)
    print("%d rows, %d wrong" % (len(rows()), bad))
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
