# SPDX-License-Identifier: LGPL-2.1-or-later
"""guest_peer.py: what another program recorded of the same guests (../shared/data/iommu-guests), in
the words of guests.tsv."""

import json
import os
import re
import struct

from lab_fixture import TESTS

FOLDER = os.path.join(os.environ.get("top_srcdir") or os.path.dirname(TESTS), "..", "shared", "data",
                      "iommu-guests")

# Our guest → their folder: the same arguments of QEMU.
PEERS = {
    "intel-39@7.2": "host72-intel39",
    "intel-39@11.1": "intel39",
    "intel-48@11.1": "intel48",
    "intel-48-cm@11.1": "intel48-cm",
    "intel-48-eim@11.1": "intel48-eim",
    "intel-48-iotlb@11.1": "intel48-iotlb",
    "intel-48-sm@11.1": "intel48-sm",
    "intel-first-stage@11.1": "intel48-sm-fsts",
    "intel-unsafe@11.1": "unsafe-intel48-noir",
    "intel-no-translation@11.1": "intel48-notrans",
    "amd@11.1": "amd",
    "amd-xt@11.1": "amd-xt-remap",
    "virtio@11.1": "virtio",
    "virtio-unsafe@11.1": "unsafe-virtio",
    "none@11.1": "none",
    "stock-intel-48@11.1": "deb612-intel-48",
    "arm-smmuv3-1@11.1": "arm-smmuv3-stage1",
    "arm-virtio@11.1": "arm-virtio",
    "arm-none@11.1": "arm-none",
}
TYPES = ["none", "vtd", "smmuv3", "tegra241-cmdqv", "amd"]
TRIALS = {"hwpt_plain": "iommu.hwpt-plain", "hwpt_nest_parent": "iommu.hwpt-nest-parent",
          "hwpt_dirty": "iommu.hwpt-dirty", "hwpt_pasid": "iommu.hwpt-pasid"}
SUPPORT = ["dirty-tracking", None, None, "ats-not-supported"]


def read_json(folder, kind, device):
    path = os.path.join(folder, "%s-%s.json" % (kind, device))
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def ranges(pairs):
    return "+".join("-".join(pair) for pair in pairs)


def yes(value):
    return "yes" if value else "no"


def registers(hw_info):
    """Those of IOMMU_GET_HW_INFO's data."""
    data = bytes.fromhex(hw_info["data"])
    if hw_info["type"] == 1:
        return zip(["vtd.cap", "vtd.ecap"], struct.unpack_from("<2Q", data, 8))
    if hw_info["type"] == 2:
        names = ["smmuv3.idr%d" % n for n in range(6)] + ["smmuv3.iidr", "smmuv3.aidr"]
        return zip(names, struct.unpack_from("<8I", data, 8))
    if hw_info["type"] == 4:
        return zip(["amdvi.efr", "amdvi.efr2"], struct.unpack_from("<2Q", data))
    return []


def iommufd(says):
    hw_info = says.get("hw_info", {})
    if says.get("bind", {}).get("rc") != 0 or hw_info.get("rc") != 0:
        return
    yield "hwinfo.type=" + TYPES[hw_info["type"]]
    yield "hwinfo.max-pasid-log2=%d" % hw_info["out_max_pasid_log2"]
    for bit, name in enumerate(SUPPORT):
        if name:
            yield "hwinfo.%s=%s" % (name, yes(hw_info["out_capabilities"] >> bit & 1))
    for name, value in registers(hw_info):
        yield "%s=%#x" % (name, value)
    for trial, name in TRIALS.items():
        yield "%s=%s" % (name, yes(says[trial]["rc"] == 0))
    attached = says["iova_ranges_attached"]
    yield "iommu.ranges=" + ranges(attached["ranges"])
    yield "iommu.alignment=%d" % attached["alignment"]
    migration = says.get("FEATURE_MIGRATION", {})
    if migration.get("get") == -1:
        yield "vfio.device-features^migration"


def type1(says):
    info = says.get("get_info", {})
    if info.get("rc") != 0:
        return
    for name, value in says["extensions"].items():
        if name in ("TYPE1", "TYPE1v2", "DMA_CC", "UNMAP_ALL"):
            yield "vfio.%s=%s" % (name.lower().replace("_", "-"), yes(value))
    yield "vfio.type1.page-sizes=" + info["iova_pgsizes"]
    for part in info["caps"]:
        if part["id"] == 1:
            yield "vfio.type1.ranges=" + ranges(part["iova_ranges"])
        elif part["id"] == 2:
            yield "vfio.type1.dirty-page-sizes=" + part["pgsize_bitmap"]


def sysfs(folder):
    for root, _, files in os.walk(os.path.join(folder, "sys", "class", "iommu")):
        for name in set(files) & {"cap", "ecap", "features"}:
            with open(os.path.join(root, name), encoding="utf-8") as file:
                value = file.read().strip().split(":")[0]
            if root.endswith("intel-iommu"):
                yield "vtd.%s=0x%s" % (name, value)
            elif name == "features":
                yield "amdvi.efr=0x" + value


def reserved(folder, device):
    path = os.path.join(folder, "reserved_regions-" + device)
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            for line in file:
                first, last, kind = re.match(r"(0x\w+) (0x\w+) (\S+)", line).groups()
                yield "iommu.reserved~%#x-%#x/%s" % (int(first, 0), int(last, 0), kind)


def peer_says(name, device, stock):
    """Expectations from their recording of a guest; an empty list where there is none."""
    if name not in PEERS or not os.path.isdir(os.path.join(FOLDER, PEERS[name])):
        return []
    folder = os.path.join(FOLDER, PEERS[name])
    words = [*iommufd(read_json(folder, "iommufd", device)), *sysfs(folder),
             *reserved(folder, device)]
    if stock: # with iommufd, our probe has no need of a container
        words += type1(read_json(folder, "type1", device))
    return words
