# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hosts with IOMMUs, whole, torn and hostile: what is read, and what can't be is said so."""

import errno
import json
import os
import struct

from iommu_fixture import (IOMMU, Claim, claim, device_of, entry_facts, meta, unit_of, value)
from probe_fixture import (check, done, facts, profile, scratch, sources, write)

NIC = "0000:00:02.0"


def config(vendor=0x8086, device=0x10d3, class_=0x020000, header=0, length=64):
    """A configuration space without capabilities."""
    head = struct.pack("<4HI4B", vendor, device, 0, 0, class_ << 8, 0, 0, header, 0)
    return head.ljust(length, b"\0")


def function(folder, address, group=None, driver=None, unit=None, class_=0x020000, header=0, **more):
    path = f"/sys/bus/pci/devices/{address}"
    write(folder, path + "/vendor", "0x8086\n")
    write(folder, path + "/device", "0x10d3\n")
    write(folder, path + "/class", f"0x{class_:06x}\n")
    write(folder, path + "/config", config(class_=class_, header=header))
    for name, text in more.items():
        write(folder, f"{path}/{name}", text)
    for name, target in (("iommu_group", group), ("driver", driver), ("iommu", unit)):
        if target is not None:
            meta(folder, {"path": f"link:{path}/{name}", "target": f"../../{target}"})


def host(base, name, arch="x86_64", cmdline="quiet"):
    folder = os.path.join(base, name)
    write(folder, "uname", f"Linux r1n04 7.2.13 #1 SMP 2026 {arch}\n")
    write(folder, "proc/cmdline", cmdline + "\n")
    return folder


def vtd_unit(folder, name="dmar0", cap="d2008c222f0606", ecap="f00f4a", devices=(NIC,)):
    path = f"/sys/class/iommu/{name}"
    for attribute, text in (("cap", cap), ("ecap", ecap), ("version", "1:0"),
                            ("address", "fed90000"), ("domains_supported", "65536")):
        if text is not None:
            write(folder, f"{path}/intel-iommu/{attribute}", text + "\n")
    for device in devices:
        write(folder, f"{path}/devices/{device}", "")


def group(folder, number, devices, reserved="0x00000000fee00000 0x00000000feefffff msi\n"):
    path = f"/sys/kernel/iommu_groups/{number}"
    for device in devices:
        write(folder, f"{path}/devices/{device}", "")
    if reserved is not None:
        write(folder, f"{path}/reserved_regions", reserved)
    write(folder, f"{path}/type", "DMA-FQ\n")


def replay(folder):
    _, document = profile("--replay", folder, "--only", IOMMU)
    return document


def apertures(base):
    """Width of the first or the second stage, by MGAW, SAGAW, and what the kernel was told."""
    cases = (  # cap, ecap, options, last address
        ("d2008c22260206", "f00f4a", "", 0x7fffffffff),                       # 39 bits
        ("d2008c222f0606", "f00f4a", "", 0xffffffffffff),                     # 48 bits
        ("d2008c22260406", "f00f4a", "", 0x7fffffffff),    # tables for 48, MGAW 39
        ("d2008c22380e06", "f00f4a", "", (1 << 57) - 1),                      # 57 bits
        ("d2008c222f0606", "880000f00f4a", "intel_iommu=on,sm_on", 0x7fffffffffff),  # first stage
        ("d2008c222f0606", "880000f00f4a", "intel_iommu=on,sm_off", 0xffffffffffff),
        ("d2008c222f0606", "480000f00f4a", "intel_iommu=on,sm_on", 0xffffffffffff),  # no first
        ("d2008c22380e06", "880000f00f4a", "intel_iommu=sm_on", (1 << 47) - 1),
        ("d2008c22380e06", "880000f00f4a", "intel_iommu=sm_off,sm_on", (1 << 47) - 1),
        ("10d2008c22380e06", "880000f00f4a", "intel_iommu=sm_on", (1 << 56) - 1),  # FS5LP, bit 60
    )
    for i, (cap, ecap, options, last) in enumerate(cases):
        folder = host(base, f"aperture{i}", cmdline=options)
        vtd_unit(folder, cap=cap, ecap=ecap)
        function(folder, NIC, group=2, unit="dmar0")
        group(folder, 2, [NIC])
        document = replay(folder)
        want = [["0x0", "0xfedfffff"], ["0xfef00000", hex(last)]]
        for entry in (unit_of(document, "dmar0"), device_of(document, NIC)):
            check(value(entry, "raw", "iommu.ranges") == want,
                  f"aperture {i}: {value(entry, 'raw', 'iommu.ranges')}, not {want}")
        origin = entry_facts(unit_of(document, "dmar0"), "raw")["iommu.ranges"]["origin"]
        check(origin.startswith("reckoned: VT-d"), f"aperture {i}: origin {origin}")


def regions(base):
    """Holes of every kind; relaxable ones are none; a unit has what all its groups have."""
    folder = host(base, "regions")
    other = "0000:00:03.0"
    vtd_unit(folder, devices=(NIC, other))
    for address, number, text in (
            (NIC, 1, "0x0000000000000000 0x00000000000fffff direct\n"
             "0x00000000000f0000 0x00000000001fffff direct\n"
             "0x0000000000300000 0x00000000003fffff direct-relaxable\n"
             "0x00000000fee00000 0x00000000feefffff msi\n"
             "0x0000ff0000000000 0xffffffffffffffff reserved\n"),
            (other, 2, "0x00000000fee00000 0x00000000feefffff msi\n")):
        function(folder, address, group=number, unit="dmar0")
        group(folder, number, [address], text)
    document = replay(folder)
    check(value(device_of(document, NIC), "raw", "iommu.ranges") ==
          [["0x200000", "0xfedfffff"], ["0xfef00000", "0xfeffffffffff"]],
          f"regions of one device: {value(device_of(document, NIC), 'raw', 'iommu.ranges')}")
    check("0x300000-0x3fffff/direct-relaxable" in
          value(device_of(document, NIC), "kernel", "iommu.reserved"), "a relaxable region is lost")
    check(value(unit_of(document, "dmar0"), "raw", "iommu.ranges") ==
          [["0x0", "0xfedfffff"], ["0xfef00000", "0xffffffffffff"]], "regions of the unit")


def eligible(base):
    """What guests could be given, and why the others not."""
    folder = host(base, "eligible")
    cases = {  # address: (group, class, driver, more, a word of the reason, or None)
        "0000:00:00.0": (0, 0x060000, None, {}, "bridge"),
        "0000:00:01.0": (1, 0x060400, "pcieport", {"header": 1}, "bridge"),
        "0000:01:00.0": (1, 0x020000, "igb", {}, None),
        "0000:00:03.0": (3, 0x030000, "i915", {"boot_vga": "1\n"}, "boot display"),
        "0000:00:04.0": (4, 0x030000, None, {"boot_vga": "0\n"}, None),
        "0000:00:05.0": (5, 0x010802, "nvme", {}, "file system /"),
        "0000:00:06.0": (6, 0x010802, "nvme", {}, None),        # mounted, but not the host's own
        "0000:00:1f.0": (7, 0x060100, "lpc_ich", {}, "bridge"),
        "0000:00:1f.3": (7, 0x0c0500, "i801_smbus", {}, "lpc_ich"),
        "0000:00:08.0": (8, 0x080600, None, {}, "IOMMU"),
        "0000:00:09.0": (None, 0x020000, None, {}, "no IOMMU group"),
        "0000:00:0a.0": (9, 0x020000, "e1000e", {}, "default route"),
        "0000:00:0a.1": (9, 0x020000, "e1000e", {}, "0000:00:0a.0"),
    }
    for address, (number, class_, driver, more, _) in cases.items():
        function(folder, address, group=number, driver=driver, class_=class_, **more)
    write(folder, "pci-in-use", "0000:00:05.0 system the file system / is on it\n"
          "0000:00:06.0 busy the file system /srv is on it\n"
          "0000:00:0a.0 system the default route leads through eth0\nnonsense\n")
    document = replay(folder)
    for address, (_, _, driver, _, why) in cases.items():
        device = device_of(document, address)
        check(device["driver"] == driver, f"{address}: driver {device['driver']}")
        check(device["eligible"] == (why is None), f"{address}: {device.get('why')}")
        check((why or "") in device.get("why", ""), f"{address}: {device.get('why')}, not {why}")
    check(device_of(document, "0000:00:06.0")["in_use"] == ["the file system /srv is on it"],
          "what a device is used for is lost")
    # Where nobody looked at use, bridges in a group are not taken for harmless.
    os.remove(os.path.join(folder, "pci-in-use"))
    document = replay(folder)
    check(sources(document)["pci"]["state"] == "partial", "unknown use is no gap")
    check("in_use" not in device_of(document, "0000:00:06.0"), "use is known without a list")


def no_units(base):
    """Why there is none, as far as that is known."""
    dmar = struct.pack("<4sIBB6s8sI4sIBB10s", b"DMAR", 48, 1, 0, b"TESTER", b"TABLE   ", 1, b"TEST",
                       1, 47, 1, bytes(10))
    dmar = dmar[:9] + bytes([-sum(dmar) & 0xff]) + dmar[10:]
    for options, word in (("intel_iommu=off", "intel_iommu=off"), ("iommu=off", "iommu=off"),
                          ("quiet", "boot with it"), ("intel_iommu=on", "kernel's log")):
        folder = host(base, "none-" + options, cmdline=options)
        write(folder, "iommu-class", "none\n")
        write(folder, "sys/firmware/acpi/tables/DMAR", dmar)
        document = replay(folder)
        for name in ("iommu", "vtd"):
            check(word in sources(document)[name]["reason"], f"{options}: {name}: no '{word}'")
        check(sources(document)["acpi"]["state"] == "ok", f"{options}: {sources(document)['acpi']}")
        check(facts(document, "raw")["acpi.table"]["value"] == ["DMAR"], f"{options}: tables")
        check(facts(document, "kernel")["iommu.translation"]["value"] is False,
              f"{options}: it translates")
    folder = host(base, "none-copied")
    check("iommu.translation" not in facts(replay(folder), "kernel"),
          "a folder without units says that there are none")


def torn(base):
    """Files that vanish, or can't be read, while others are there."""
    folder = host(base, "torn")
    vtd_unit(folder, "dmar0", ecap=None)
    vtd_unit(folder, "dmar1", cap="not a number", devices=())
    vtd_unit(folder, "dmar2", devices=())
    write(folder, "sys/class/iommu/ivhd0/amd-iommu/features", "zz:yy\n")
    write(folder, "sys/class/iommu/smmu3.0x0000000009050000/devices/0000:00:04.0", "")
    write(folder, "sys/class/iommu/0000:00:05.0/devices/0000:00:06.0", "")
    function(folder, NIC, group=2)
    os.remove(os.path.join(folder, f"sys/bus/pci/devices/{NIC}/config"))
    meta(folder, {"path": f"/sys/bus/pci/devices/{NIC}/config", "errno": errno.EACCES})
    os.makedirs(os.path.join(folder, "sys/bus/pci/devices/0000:00:07.0"))
    function(folder, "0000:00:08.0", power_state="D3cold\n")
    group(folder, 2, [NIC], reserved=None)
    group(folder, 3, ["0000:00:99.0", "platform.0"], reserved="garbage\n")
    document = replay(folder)
    got = {n: s["state"] for n, s in sources(document).items()}
    check(got["vtd"] == "partial" and got["amdvi"] == "partial" and got["pci"] == "partial" and
          got["iommu"] == "partial" and got["smmuv3"] == "partial", f"states: {got}")
    for name in ("dmar0", "dmar1"):
        fact = entry_facts(unit_of(document, name), "raw")["vtd.cap"]
        check(fact["state"] == "unreadable" and fact["errno"], f"{name}: {fact}")
    check(value(unit_of(document, "dmar2"), "raw", "vtd.cap") == "0xd2008c222f0606",
          "a unit beside a broken one isn't read")
    check(unit_of(document, "smmu3.0x0000000009050000")["address"] == "0x9050000", "SMMU's address")
    for name in ("iommu.ranges",):
        check(entry_facts(device_of(document, NIC), "raw").get(name, {}).get("value") is None,
              "addresses are known without regions and registers")
    check(entry_facts(device_of(document, NIC), "raw")["pci.capabilities"]["errno"] ==
          errno.EACCES, "the errno of configuration space")
    gone = device_of(document, "0000:00:07.0")
    check(not gone["eligible"] and gone["vendor"] is None, "a device that went away is eligible")
    asleep = entry_facts(device_of(document, "0000:00:08.0"), "raw")["pci.capabilities"]
    check(asleep["state"] == "unknown" and "D3cold" in asleep["origin"], f"asleep: {asleep}")
    check(device_of(document, "platform.0") is None, "a platform device is among PCI's")


def firmware_width(base):
    """Registers that can't be read leave what the firmware says."""
    folder = host(base, "width")
    vtd_unit(folder, cap=None)
    function(folder, NIC, group=2, unit="dmar0")
    group(folder, 2, [NIC])
    dmar = struct.pack("<4sIBB6s8sI4sIBB10s", b"DMAR", 48, 1, 0, b"TESTER", b"TABLE   ", 1, b"TEST",
                       1, 38, 1, bytes(10))
    write(folder, "sys/firmware/acpi/tables/DMAR",
          dmar[:9] + bytes([-sum(dmar) & 0xff]) + dmar[10:])
    fact = entry_facts(device_of(replay(folder), NIC), "raw")["iommu.ranges"]
    check(fact["value"][-1][1] == "0x7fffffffff" and "DMAR" in fact["origin"], f"width: {fact}")


def hostile(base):
    """Tables and names that mean harm."""
    folder = host(base, "hostile", cmdline="intel_iommu=" + ",".join(["on"] * 5000))
    for name, content in (("DMAR", b"DMAR" + b"\xff" * 60), ("IVRS", b""), ("IORT", b"\0" * 40000),
                          ("VIOT", b"VIOT\x30\0\0\0" + bytes(40))):
        write(folder, f"sys/firmware/acpi/tables/{name}", content)
    loop = bytearray(config(length=256))
    loop[6] = 0x10                                  # has capabilities
    loop[0x34], loop[0x40:0x42] = 0x40, b"\x10\x40"  # one that is followed by itself
    function(folder, NIC)
    write(folder, f"sys/bus/pci/devices/{NIC}/config", bytes(loop))
    function(folder, "0000:00:03.0")
    write(folder, "sys/bus/pci/devices/0000:00:03.0/config", b"\x86\x80")
    meta(folder, {"path": "list:/sys/class/iommu",
                  "names": ["dmar0", "../../../etc", "dmar/../x", "", 5, None, "ivhd\n"]})
    meta(folder, {"path": "list:/sys/kernel/iommu_groups", "names": ["../..", "9" * 400, "-1"]})
    meta(folder, {"path": f"link:/sys/bus/pci/devices/{NIC}/iommu_group",
                  "target": "99999999999999999999"})
    document = replay(folder)
    got = sources(document)
    check(got["acpi"]["state"] == "partial" and "DMAR" in got["acpi"]["reason"],
          f"acpi: {got['acpi']}")
    check(got["pci"]["state"] == "partial" and NIC in got["pci"]["reason"], f"pci: {got['pci']}")
    check(len(json.dumps(document)) < 1 << 20, "a small recording makes a huge profile")


def answers(base):
    """Errors of claimed devices are kept apart."""
    for status, state, known in ((-errno.ENOTTY, "unsupported-by-kernel", None),
                                 (-errno.EOPNOTSUPP, "known", False), (0, "known", True),
                                 (-errno.E2BIG, "unsupported-by-kernel", None),
                                 (-errno.ENOENT, "absent", None),
                                 (-errno.ENODEV, "unreadable", None)):
        folder = host(base, f"answer{-status}")
        function(folder, NIC, group=7)
        made = Claim(NIC)
        made.bound()
        made.hw_info(1, bytes(24), capabilities=1)
        made.tables("DIRTY_TRACKING", status)
        made.ranges([[0, 0xfffff]])
        made.features(made.cdev, {1}, 7)
        made.write(folder)
        claim(folder, NIC)
        device = device_of(replay(folder), NIC)
        fact = entry_facts(device, "kernel")["iommu.hwpt-dirty"]
        check(fact["state"] == state and fact.get("value") is known, f"{status}: {fact}")
        check(state == "known" or fact["errno"] == -status, f"{status}: errno of {fact}")
        check(value(device, "kernel", "vfio.migration.pre-copy") is True, "migration's flags")
    for status, word in ((-errno.EPERM, "interrupts"), (-errno.EBUSY, "guest"),
                         (-errno.ENODEV, "went away")):
        folder = host(base, f"bound{-status}")
        function(folder, NIC, group=7)
        made = Claim(NIC)
        made.bound(status)
        made.write(folder)
        claim(folder, NIC)
        source = sources(replay(folder))["iommufd"]
        check(source["state"] == "failed" and word in source["reason"], f"{status}: {source}")


def many_ranges(base):
    """More ranges than were asked for at first; and what no kernel would answer."""
    folder = host(base, "ranges")
    function(folder, NIC, group=7)
    made = Claim(NIC)
    made.bound()
    ranges = [[i << 30, (i << 30) + 0xfffff] for i in range(40)]
    made.ranges(ranges, status=-errno.EMSGSIZE)
    made.ranges(ranges, room=40)
    made.write(folder)
    claim(folder, NIC, "../../../etc/passwd", "0000:00:03.0")
    document = replay(folder)
    check(value(device_of(document, NIC), "kernel", "iommu.ranges") ==
          [[hex(a), hex(b)] for a, b in ranges], "40 ranges")
    check(not [d for d in document["devices"] if "passwd" in d["address"]], "a claim's name")


def power(base):
    """POWER: the window that the device tree tells of, and what VFIO says of a claimed device."""
    folder = host(base, "power", arch="ppc64le")
    tree = "/proc/device-tree/pci@800000020000000"
    write(folder, tree + "/ibm,dma-window", struct.pack(">5I", 0x80000000, 0, 0, 0, 0x40000000))
    write(folder, tree + "/ibm,ddw-applicable", struct.pack(">3I", 1, 2, 3))
    write(folder, "/proc/device-tree/pci@2/ibm,dma-window", b"short")
    function(folder, NIC, group=7)
    made = Claim(NIC)
    made.type1({1: 0, 2: 1, 3: 0, 4: 0, 7: 1, 10: 0}, None, kind=7)
    made.container["VFIO_IOMMU_SPAPR_TCE_GET_INFO"] = (
        0, struct.pack("<4IQ2I", 32, 1, 0, 0x80000000, 0x1011000, 1, 5), None)
    made.write(folder)
    claim(folder, NIC)
    document = replay(folder)
    unit = unit_of(document, "pci@800000020000000")
    check(value(unit, "raw", "spapr.dma32-window-size") == 0x40000000 and
          value(unit, "raw", "spapr.ddw") is True, f"the device tree's window: {unit['facts']}")
    check(unit_of(document, "pci@2") is None, "a window of five bytes is read")
    device = device_of(document, NIC)
    check(value(device, "kernel", "spapr.dma32-window-size") == 0x80000000 and
          value(device, "kernel", "spapr.ddw-page-sizes") == "0x1011000" and
          value(device, "kernel", "spapr.ddw-levels") == 5, f"VFIO's info: {device['facts']}")


def smmu(base):
    """An SMMUv3 that IORT tells of, and its registers once a device is claimed."""
    folder = host(base, "smmu", arch="aarch64")
    name = "smmu3.0x0000000009050000"
    write(folder, f"sys/class/iommu/{name}/devices/{NIC}", "")
    function(folder, NIC, group=7, unit=name)
    group(folder, 7, [NIC], "0x0000000008000000 0x00000000080fffff msi\n")
    made = Claim(NIC)
    made.bound()
    idr = (0x0d44101b, 0x02730010, 0, 0x1414, 0, 0x74)
    made.hw_info(2, struct.pack("<2I8I", 0, 0, *idr, 0x43b, 1))
    made.ranges([[0, 0x7ffffff], [0x8100000, (1 << 48) - 1]])
    made.write(folder)
    before = replay(folder)
    check(not [f for f in unit_of(before, name)["facts"] if f["id"].startswith("smmuv3.")],
          "registers are known without a claim")
    claim(folder, NIC)
    unit = unit_of(replay(folder), name)
    check(unit["type"] == "smmuv3" and value(unit, "raw", "smmuv3.idr0") == "0xd44101b",
          f"IDR0: {value(unit, 'raw', 'smmuv3.idr0')}")
    check(value(unit, "kernel", "iommu.ranges")[-1] == ["0x8100000", "0xffffffffffff"],
          "the unit's addresses")


def options(base):
    """What the kernel was told; the last word counts, and what isn't said isn't known."""
    cases = (("quiet", {"super-pages": True}),
             ("intel_iommu=on,sm_on,sp_off", {"scalable-mode": True, "super-pages": False}),
             ("intel_iommu=sm_on intel_iommu=sm_off", {"scalable-mode": False}),
             ("iommu=pt", {"pass-through": True}), ("iommu.passthrough=0", {"pass-through": False}),
             ("amd_iommu=hatdis", {"host-tables": False}),
             ("nointel_iommu=sm_on intel_iommux=sm_on", {"super-pages": True}))
    names = ("scalable-mode", "super-pages", "pass-through", "host-tables", "unsafe-interrupts",
             "unsafe-iommufd")
    for i, (cmdline, want) in enumerate(cases):
        got = facts(replay(host(base, f"options{i}", cmdline=cmdline)), "kernel")
        for name in names:
            value_ = got.get("iommu.option." + name, {}).get("value")
            check(value_ == want.get(name, True if name == "super-pages" else None),
                  f"{cmdline}: {name} is {value_}")
    folder = host(base, "unsafe")
    write(folder, "sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts", "N\n")
    write(folder, "sys/module/iommufd/parameters/allow_unsafe_interrupts", "Y\n")
    write(folder, "irq-chips", "IR-IO-APIC\nIR-PCI-MSIX-\n")
    got = facts(replay(folder), "kernel")
    check(got["iommu.option.unsafe-interrupts"]["value"] is False and
          "vfio_iommu_type1" in got["iommu.option.unsafe-interrupts"]["origin"], "unsafe interrupts")
    check(got["iommu.option.unsafe-iommufd"]["value"] is True and
          "/iommufd/" in got["iommu.option.unsafe-iommufd"]["origin"], "unsafe interrupts with iommufd")
    check(got["iommu.interrupt-remapping"]["value"] is True, "remapped interrupts")
    write(folder, "irq-chips", "IO-APIC\nPCI-MSIX-\n")
    check(facts(replay(folder), "kernel")["iommu.interrupt-remapping"]["value"] is False,
          "interrupts that are not remapped")
    write(folder, "irq-chips", "ITS-PCI-MSI\n")
    check("iommu.interrupt-remapping" not in facts(replay(folder), "kernel"), "Arm's interrupts")


with scratch() as folder:
    for test in (apertures, regions, eligible, no_units, torn, firmware_width, hostile, answers,
                 many_ranges, power, smmu, options):
        test(folder)
done()
