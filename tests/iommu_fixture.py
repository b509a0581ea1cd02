# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of IOMMUs share: facts of units and devices, and recordings of answers of VFIO."""

import json
import os
import struct

from probe_fixture import write

IOMMU = "kernel,acpi,options,vtd,amdvi,smmuv3,spapr,iommu,pci,iommufd,vfio"


def entry_facts(entry, view):
    """id → fact, of one unit or device in one view."""
    return {f["id"]: f for f in entry["facts"] if f["scope"]["view"] == view}


def device_of(document, address):
    return next((d for d in document["devices"] if d["address"] == address), None)


def unit_of(document, name):
    return next((u for u in document["iommus"] if u["id"] == name), None)


def value(entry, view, name):
    """A fact's value, or None where it isn't known."""
    return entry_facts(entry, view).get(name, {}).get("value")


def device_log(calls):
    """A recorded device: calls is name → (rc or -errno, data, buffer)."""
    log = {"open": {}, "calls": {}}
    for name, (status, data, buffer) in calls.items():
        call = {"rc": status} if status >= 0 else {"rc": -1, "errno": -status}
        if data is not None:
            call["data"] = data.hex()
        if buffer is not None:
            call["buffer"] = buffer.hex()
        log["calls"][name] = call
    return json.dumps(log)


class Claim:
    """Answers for one claimed device, as structures that the kernel would have filled."""

    def __init__(self, name):
        self.name, self.iommu, self.cdev, self.group, self.container = name, {}, {}, {}, {}

    def bound(self, status=0):
        self.iommu["IOMMU_IOAS_ALLOC"] = (0, struct.pack("<3I", 12, 0, 1), None)
        self.cdev["VFIO_DEVICE_BIND_IOMMUFD"] = (status, struct.pack("<2IiI", 16, 0, 3, 2), None)

    def hw_info(self, kind, data, capabilities=0, pasid=0, status=0):
        fixed = struct.pack("<4IQI4BQ", 40, 0, 2, len(data), 0, kind, pasid, 0, 0, 0, capabilities)
        self.iommu["IOMMU_GET_HW_INFO"] = (status, fixed, data.ljust(256, b"\0"))

    def tables(self, which, status):
        name = ("IOMMU_HWPT_ALLOC " + which).strip()
        self.iommu[name] = (status, struct.pack("<8IQ2I", 48, 0, 2, 1, 5, 0, 0, 0, 0, 0, 0), None)
        if status >= 0:
            self.iommu["IOMMU_DESTROY " + name] = (0, struct.pack("<2I", 8, 5), None)

    def ranges(self, ranges, alignment=4096, room=16, status=0):
        self.cdev["VFIO_DEVICE_ATTACH_IOMMUFD_PT"] = (0, struct.pack("<3I", 12, 0, 1), None)
        buffer = b"".join(struct.pack("<2Q", *r) for r in ranges)[:16 * room].ljust(16 * room, b"\0")
        fixed = struct.pack("<4I2Q", 32, 1, len(ranges), 0, 0, alignment)
        self.iommu[f"IOMMU_IOAS_IOVA_RANGES {room}"] = (status, fixed, buffer)

    @staticmethod
    def features(log, known, migration=None):
        """known: indices that PROBE says yes to; migration: flags, or -errno"""
        for i in range(32):
            log[f"VFIO_DEVICE_FEATURE {i}"] = (0 if i in known else -25, bytes(16), None)
        if migration is not None:
            log["VFIO_DEVICE_FEATURE_MIGRATION"] = (
                min(migration, 0), struct.pack("<2IQ", 16, 1, max(migration, 0)), None)

    def type1(self, extensions, info, kind=3):
        """extensions: number → answer once there is an IOMMU; info: what GET_INFO filled, whole"""
        self.group["VFIO_GROUP_GET_STATUS"] = (0, struct.pack("<2I", 8, 1), None)
        self.group["VFIO_GROUP_SET_CONTAINER"] = (0, struct.pack("<i", 7), None)
        self.group["VFIO_GROUP_GET_DEVICE_FD"] = (0, None, None)
        for number, answer in extensions.items():
            self.container[f"VFIO_CHECK_EXTENSION {number}"] = (answer, None, None)
        self.container[f"VFIO_SET_IOMMU {kind}"] = (0, None, None)
        if info is not None:
            head = struct.pack("<I", len(info)) + info[4:24]
            self.container["VFIO_IOMMU_GET_INFO"] = (0, head, None)
            self.container[f"VFIO_IOMMU_GET_INFO {len(info)}"] = (0, info, None)

    def write(self, folder, group="7"):
        """Puts it into a recording, with what the probes look at before they ask."""
        bus = "pci" if ":" in self.name else "mdev"
        path = f"/sys/bus/{bus}/devices/{self.name}"
        write(folder, "proc/misc", "256 iommu\n196 vfio\n")
        if self.cdev:
            write(folder, f"{path}/vfio-dev/vfio0", "")
        meta(folder, {"path": f"link:{path}/iommu_group", "target": f"../{group}"})
        for kind in ("iommu", "cdev", "group", "container"):
            name = {"iommu": "iommufd", "cdev": "vfio-cdev"}.get(kind, "vfio-" + kind)
            if getattr(self, kind):
                write(folder, f"ioctl/{name}-{self.name}.json", device_log(getattr(self, kind)))
        write(folder, "ioctl/vfio.json", device_log({"VFIO_GET_API_VERSION": (0, None, None)}))


def meta(folder, line):
    with open(os.path.join(folder, "meta.jsonl"), "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def claim(folder, *names):
    """Makes a recording one of a run that claimed these."""
    write(folder, "recording.json", json.dumps({"format": "capbroker.recording/1",
                                                "claims": {n: {} for n in names}}))
