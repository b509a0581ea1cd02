# SPDX-License-Identifier: LGPL-2.1-or-later
"""Guests in which another program asked iommufd and VFIO: our readings of the same agree with its.

First the files that lie there are replayed. Then what that program says of its ioctls is put into
the form that our own recordings have, as if the device had been claimed, and replayed too.
"""

import glob
import json
import os
import shutil
import struct

from iommu_fixture import Claim, claim, device_of, entry_facts, unit_of, value
from probe_fixture import DATA, check, done, profile, scratch, skip, sources

EXTENSIONS = {"TYPE1": 1, "SPAPR_TCE": 2, "TYPE1v2": 3, "DMA_CC": 4, "UPDATE_VADDR": 10}
FEATURES = {"PCI_VF_TOKEN": 0, "MIGRATION": 1, "MIG_DEVICE_STATE": 2, "LOW_POWER_ENTRY": 3,
            "LOW_POWER_EXIT": 5, "DMA_LOGGING_START": 6, "DMA_LOGGING_STOP": 7,
            "DMA_LOGGING_REPORT": 8, "MIG_DATA_SIZE": 9, "BUS_MASTER": 10}
TABLES = {"hwpt_plain": ("", "plain"), "hwpt_nest_parent": ("NEST_PARENT", "nest-parent"),
          "hwpt_dirty": ("DIRTY_TRACKING", "dirty"), "hwpt_pasid": ("PASID", "pasid")}
TYPES = {0: "none", 1: "vtd", 2: "smmuv3", 4: "amd"}
compared = 0


def load(path):
    if not os.path.isfile(path):
        return {}
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def text(folder, path):
    path = os.path.join(folder, path)
    if not os.path.isfile(path):
        return None
    with open(path, encoding="utf-8") as file:
        return file.read().strip()


def same(name, what, ours, theirs):
    global compared
    compared += 1
    check(ours == theirs, f"{name}: {what}: {ours}, but the other program says {theirs}")


def answered(answer):
    return answer.get("rc", -1) >= 0


def hexes(ranges):
    return [[hex(int(x, 16)) for x in r] for r in ranges]


# --- the files ---------------------------------------------------------------------------------

def compare_registers(name, document, address, info):
    """sysfs' registers against those that IOMMU_GET_HW_INFO told."""
    unit = unit_of(document, device_of(document, address).get("iommu"))
    data = bytes.fromhex(info.get("data", ""))
    if info.get("type") == 1:
        _, _, cap, ecap = struct.unpack("<IIQQ", data)
        same(name, "CAP", value(unit, "raw", "vtd.cap"), hex(cap))
        same(name, "ECAP", value(unit, "raw", "vtd.ecap"), hex(ecap))
        same(name, "MGAW", value(unit, "raw", "vtd.cap.mgaw"), (cap >> 16 & 63) + 1)
    elif info.get("type") == 4:
        same(name, "EFR", value(unit, "raw", "amdvi.efr"), hex(struct.unpack("<QQ", data)[0]))
    elif info.get("type") == 2:
        same(name, "type", unit["type"], "smmuv3")


def compare_files(folder, address, answers):
    name = os.path.basename(folder)
    _, document = profile("--replay", folder)
    device = device_of(document, address)
    states = {s: v["state"] for s, v in sources(document).items()}
    reserved = [f"{f}-{l}/{t}" for f, l, t in
                ((hex(int(a, 16)), hex(int(b, 16)), c) for a, b, c in
                 (line.split() for line in (text(folder, f"reserved_regions-{address}") or "")
                  .splitlines()))]
    check(states["iommufd"] == "missing" and states["vfio"] == "missing",
          f"{name}: something answered that wasn't recorded")
    group = text(folder, f"sys/bus/pci/devices/{address}/iommu_group_nr")
    # Numbers of groups changed with the binding in some of them; that there is one did not.
    same(name, "has a group", device["group"] is not None, group is not None)
    if not os.path.isdir(os.path.join(folder, "sys/class/iommu")):
        same(name, "units", document["iommus"], [])
        return
    same(name, "reserved regions", value(device, "kernel", "iommu.reserved"), reserved)
    if answered(answers.get("hw_info", {})):
        compare_registers(name, document, address, answers["hw_info"])
    attached = ranges_of(answers)
    reckoned = value(device, "raw", "iommu.ranges")
    if answered(attached) and reckoned is not None:
        same(name, "addresses, reckoned", reckoned, hexes(attached["ranges"]))


# --- the answers -------------------------------------------------------------------------------

def status_of(answer):
    return max(answer.get("rc", -1), 0) if answered(answer) else -answer.get("errno", 5)


def ranges_of(answers):
    """Ranges of an IOAS that nothing is attached to say nothing of the device."""
    attached = answered(answers.get("attach_ioas", {}))
    return answers.get("iova_ranges_attached", {}) if attached else {}


def info_of(answers):
    """What GET_INFO filled; of one guest the bytes weren't kept."""
    info = answers.get("get_info", {})
    return info if answered(info) and info.get("raw") else None


def features_of(answers):
    return {i for n, i in FEATURES.items()
            if answers.get("FEATURE_" + n, {}).get("probe_get") == 0 or
            answers.get("FEATURE_" + n, {}).get("probe_set") == 0}


def migration_of(answers):
    answer = answers.get("FEATURE_MIGRATION", {})
    return answer.get("value", 0) if answer.get("get") == 0 else -answer.get("get_errno", 25)


def convert(target, address, iommufd, type1):
    """What the other program was told, as a recording of ours."""
    made = Claim(address)
    if "bind" in iommufd:
        made.bound(min(status_of(iommufd["bind"]), 0))
    if answered(iommufd.get("bind", {})):
        info = iommufd["hw_info"]
        made.hw_info(info["type"], bytes.fromhex(info["data"])[:256], info["out_capabilities"],
                     info["out_max_pasid_log2"], min(status_of(info), 0))
        for key, (which, _) in TABLES.items():
            made.tables(which, min(status_of(iommufd[key]), 0))
        attached = ranges_of(iommufd)
        if answered(attached):
            made.ranges([[int(x, 16) for x in r] for r in attached["ranges"]],
                        attached["alignment"])
        made.features(made.cdev, features_of(iommufd), migration_of(iommufd))
    info = info_of(type1)
    if info:
        after = type1["extensions_after"]
        made.type1({i: after[n] for n, i in EXTENSIONS.items()}, bytes.fromhex(info["raw"]))
        made.features(made.group, features_of(type1), migration_of(type1))
    made.write(target)
    claim(target, address)


def compare_iommufd(name, document, address, answers):
    device = device_of(document, address)
    info = answers.get("hw_info", {})
    if answered(info):
        same(name, "HW_INFO's type", value(device, "kernel", "hwinfo.type"), TYPES[info["type"]])
        same(name, "dirty tracking", value(device, "kernel", "hwinfo.dirty-tracking"),
             bool(info["out_capabilities"] & 1))
        same(name, "width of PASIDs", value(device, "kernel", "hwinfo.max-pasid-log2"),
             info["out_max_pasid_log2"])
    for key, (_, which) in TABLES.items():
        fact = entry_facts(device, "kernel").get("iommu.hwpt-" + which, {})
        answer = answers.get(key, {})
        if answered(answer) or answer.get("errno") == 95:
            same(name, key, fact.get("value"), answered(answer))
        elif answers.get("bind", {}).get("rc") == 0:
            same(name, f"{key}: errno", fact.get("errno"), answer.get("errno"))
    attached = ranges_of(answers)
    if answered(attached):
        same(name, "addresses", value(device, "kernel", "iommu.ranges"),
             hexes(attached["ranges"]))
        same(name, "alignment", value(device, "kernel", "iommu.alignment"), attached["alignment"])
    if answers.get("bind", {}).get("errno") == 1:
        same(name, "interrupts", value(device, "kernel", "iommu.interrupt-remapping"), False)
        check(sources(document)["iommufd"]["state"] == "failed", f"{name}: EPERM is no failure")


def compare_type1(name, document, address, answers):
    device = device_of(document, address)
    info = info_of(answers)
    if not info:
        return
    pages = int(info["iova_pgsizes"], 16)
    same(name, "page sizes", value(device, "kernel", "vfio.type1.page-sizes"), hex(pages))
    for cap in info["caps"]:
        if cap["id"] == 1:
            same(name, "type1's addresses", value(device, "kernel", "vfio.type1.ranges"),
                 hexes(cap["iova_ranges"]))
    same(name, "snooping", value(device, "kernel", "vfio.dma-cc"),
         bool(answers["extensions_after"]["DMA_CC"]))
    flags = max(migration_of(answers), 0)
    for bit, which in enumerate(("stop-copy", "p2p", "pre-copy")):
        same(name, which, value(device, "kernel", "vfio.migration." + which),
             bool(flags >> bit & 1))


def compare_answers(folder, address, iommufd, type1):
    name = f"{os.path.basename(folder)} {address[:12]}"
    with scratch() as base:
        target = os.path.join(base, "host")
        os.mkdir(target)
        for path in ("proc", "sys"):
            shutil.copytree(os.path.join(folder, path), os.path.join(target, path),
                            symlinks=True, copy_function=shutil.copy)
        for path, _, _ in os.walk(target):
            os.chmod(path, 0o755)
        shutil.copy(os.path.join(folder, "uname"), target)
        convert(target, address, iommufd, type1)
        _, document = profile("--replay", target)
    compare_iommufd(name, document, address, iommufd)
    compare_type1(name, document, address, type1)


folders = [f for f in sorted(glob.glob(os.path.join(DATA, "iommu-guests", "*")))
           if os.path.isdir(f)]
if not folders:
    skip("no guests at ../shared/data/iommu-guests")
for folder in folders:
    for path in glob.glob(os.path.join(folder, "iommufd-*.json")):
        address = os.path.basename(path)[len("iommufd-"):-len(".json")]
        iommufd = load(path)
        type1 = load(os.path.join(folder, f"type1-{address}.json"))
        if address == "mdev":
            address = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001"
        else:
            compare_files(folder, address, iommufd)
        compare_answers(folder, address, iommufd, type1)
print(f"{len(folders)} guests, {compared} comparisons")
check(compared > 300, f"only {compared} comparisons: has the data another form?")
done()
