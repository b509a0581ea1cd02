# SPDX-License-Identifier: LGPL-2.1-or-later
"""viommu_truth.py: recorded starts of QEMU with VFIO devices inside guest kernels, as definitions and
hosts that capbroker judges.

QEMU's own arguments become a domain definition: memory and CPU as elements, virtual IOMMUs and
VFIO devices as <qemu:commandline> in their order, which decides.  A recorded kernel becomes a host
by replaying its files, with what its own trials told (iommufd-*.json, type1-*.json) beside them.
"""

import glob
import json
import os
import subprocess
from xml.sax.saxutils import quoteattr

SRCDIR = os.environ.get("srcdir", os.path.dirname(os.path.abspath(__file__)))
DATA = os.environ.get("CAPBROKER_SHARED_DATA", os.path.join(SRCDIR, "..", "..", "shared", "data"))
TRUTH = os.path.join(DATA, "truth", "viommu")
QEMUS = {"7.2": "lab-debian12", "10.0": "lab-debian13", "11.1": "lab-sid"}
TOLD = ("-device", "-global", "-object", "-machine")
DOMAIN = """<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
<name>g</name>%s<vcpu>1</vcpu>
<os><type arch='x86_64' machine=%s>hvm</type></os><features><acpi/><apic/></features>
%s<devices><emulator>/usr/bin/qemu-system-x86_64</emulator>%s</devices>
<qemu:commandline>%s</qemu:commandline></domain>"""
UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def rows(name):
    with open(os.path.join(TRUTH, name), encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def ranges_of(profile, address):
    """What the kernel told of a device's addresses, or None."""
    for device in profile["devices"]:
        if device["address"] != address:
            continue
        units = [one for one in profile["iommus"] if one["id"] == device.get("iommu")]
        for one in device["facts"] + [one for unit in units for one in unit["facts"]]:
            if one["id"] == "iommu.ranges" and one["state"] == "known" and \
                    one["scope"]["view"] == "kernel":
                return [(int(first, 0), int(last, 0)) for first, last in one["value"]]
    return None


def size(text):
    return int(text[:-1]) * UNITS[text[-1]] if text[-1] in UNITS else int(text) << 20


def pairs(text):
    """"a,b=c" as (a, {b: c})."""
    first, *more = text.split(",")
    return first, dict((part.split("=", 1) + ["on"])[:2] for part in more)


def cpu_xml(value):
    model, options = pairs(value)
    inner = "<model fallback='forbid'>%s</model>" % model
    if options.get("vendor"):
        inner += "<vendor>%s</vendor>" % {"GenuineIntel": "Intel", "AuthenticAMD": "AMD"}[
            options["vendor"]]
    if options.get("phys-bits"):
        inner += "<maxphysaddr mode='emulate' bits='%s'/>" % options["phys-bits"]
    return "<cpu mode='custom' match='exact' check='none'>%s</cpu>" % inner


def memory_xml(value, dimms):
    ram, options = pairs(value)
    total = size(ram) + sum(dimm["size"] for dimm in dimms)
    text = "<memory unit='b'>%d</memory>" % total
    if options.get("maxmem"):
        text = "<maxMemory unit='b' slots='%s'>%d</maxMemory>" % (
            options.get("slots", "0"), size(options["maxmem"])) + text
    return text


def dimm_xml(dimm):
    address = "<address type='dimm' slot='0' base='%s'/>" % dimm["base"] if dimm["base"] else ""
    return ("<memory model='dimm'><target><size unit='b'>%d</size></target>%s</memory>" % (
        dimm["size"], address))


def definition(machine, args):
    """The definition that stands for QEMU's arguments; raises ValueError for others."""
    name, options = pairs(machine)
    line, cpu, memory, backends, dimms = [], "", "128M", {}, []
    if options:
        line += ["-machine", machine.split(",", 1)[1]]
    for option, value in zip(args[::2], args[1::2]):
        driver, more = pairs(value)
        if option == "-m":
            memory = value
        elif option == "-cpu":
            cpu = cpu_xml(value)
        elif option == "-object" and driver.startswith("memory-backend"):
            backends[more["id"]] = size(more["size"])
        elif option == "-device" and driver == "pc-dimm":
            dimms.append({"size": backends[more["memdev"]], "base": more.get("addr")})
        elif (option == "-device" and driver in ("isa-debug-exit", "AMDVI-PCI") or
              option.startswith(("-qtest", "-trace"))):
            continue
        elif option in TOLD:
            line += [option, value]
        else:
            raise ValueError("no definition says %s" % option)
    return DOMAIN % (memory_xml(memory, dimms), quoteattr(name), cpu,
                     "".join(dimm_xml(dimm) for dimm in dimms),
                     "".join("<qemu:arg value=%s/>" % quoteattr(arg) for arg in line))


def replayed(variant):
    folder = os.path.join(TRUTH, "hosts", variant)
    process = subprocess.run(["capbroker-probe", "--replay", folder], capture_output=True, text=True,
                             check=True)
    return folder, json.loads(process.stdout)


def fact(name, value, origin):
    return {"id": name, "value": value, "state": "known", "scope": {"view": "kernel"},
            "origin": origin}


def add_trials(folder, profile):
    """Adds what the recorded trials told of devices, instead of what was reckoned."""
    isolated = [one for one in map(isolation, sorted(glob.glob(
        os.path.join(folder, "iommufd-*.json")))) if one is not None]
    if isolated and not any(one["id"] == "iommu.option.unsafe-iommufd" and one["value"]
                            for one in profile["facts"]):
        profile["facts"].append(fact("iommu.interrupt-remapping", all(isolated),
                                     "VFIO_DEVICE_BIND_IOMMUFD"))
    for device in profile["devices"]:
        found = trials(folder, device["address"])
        if not found:
            continue
        names = {one["id"] for one in found}
        device["facts"] = [one for one in device["facts"] if one["id"] not in names] + found
        for unit in profile["iommus"]:
            if unit["id"] == device.get("iommu"):
                unit["facts"] = [one for one in unit["facts"] if one["id"] not in names]


def isolation(path):
    """Could a device be bound: then it can't forge interrupts; None where nobody tried."""
    with open(path, encoding="utf-8") as file:
        bind = json.load(file).get("bind")
    return None if not bind or bind.get("errno") not in (0, 1) else bind["rc"] == 0


def trials(folder, address):
    """Facts of what the kernel's own interfaces said of a device, bound to vfio-pci."""
    path = os.path.join(folder, "iommufd-%s.json" % address)
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        told = json.load(file)
    found, ranges = [], told.get("iova_ranges_attached") or {}
    if ranges.get("rc") == 0:
        found += [fact("iommu.ranges", ranges["ranges"], "IOMMU_IOAS_IOVA_RANGES"),
                  fact("iommu.alignment", ranges["alignment"], "IOMMU_IOAS_IOVA_RANGES")]
    for trial, name in (("hwpt_plain", "iommu.hwpt-plain"),
                        ("hwpt_nest_parent", "iommu.hwpt-nest-parent"),
                        ("hwpt_dirty", "iommu.hwpt-dirty"), ("hwpt_pasid", "iommu.hwpt-pasid")):
        if trial in told:
            found.append(fact(name, told[trial]["rc"] == 0, "IOMMU_HWPT_ALLOC"))
    return found


def host(variant, version, top):
    """A profile of the recorded kernel with the QEMU of that version in it."""
    folder, profile = replayed(variant)
    add_trials(folder, profile)
    return with_qemu(profile, "%s-%s" % (variant, version), version, top)


def with_qemu(profile, name, version, top):
    """The same under another name, with what a recorded host tells of the QEMU of that version."""
    profile = dict(profile)
    with open(os.path.join(top, "tests", "hosts", QEMUS[version], "profile.json"),
              encoding="utf-8") as file:
        qemu = json.load(file)
    profile["emulators"] = [one for one in qemu["emulators"] if one.get("view", "qemu") == "qemu"]
    profile["host"] = {"name": name, "arch": "x86_64", "aliases": {}}
    return profile
