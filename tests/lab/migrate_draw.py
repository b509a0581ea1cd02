# SPDX-License-Identifier: LGPL-2.1-or-later
"""migrate_draw.py: seeded guests that are started on one host and moved to others: machine types,
CPUs, virtual IOMMUs and devices of which most start somewhere and many can't go everywhere."""

import start_fixture
import start_parts as parts
from start_strata import several

STRATA = ["cpu", "cpu", "host-cpu", "machine", "iommu", "iommu", "device", "device", "platform"]
RELEASES = ["4.2", "5.1", "5.2", "6.2", "7.2", "7.2", "8.2", "9.2", "10.0", "10.0", "11.1"]
# Known to all three generations unless said otherwise, from old ones to what one of them alone has.
MODELS = ["qemu64", "Nehalem", "Westmere", "SandyBridge", "Haswell-noTSX", "Skylake-Client-IBRS",
          "Cascadelake-Server-noTSX", "Icelake-Server", "EPYC", "EPYC-Rome", "EPYC-Milan", "Opteron_G5",
          "Penryn", "core2duo", "n270", "pentium3", "Denverton", "Snowridge", "SapphireRapids",
          "EPYC-Genoa", "GraniteRapids", "Skylake-Server-v5", "Cooperlake"]
FEATURES = ["aes", "avx", "avx2", "bmi1", "erms", "fsgsbase", "invpcid", "la57", "md-clear", "movbe",
            "mpx", "pcid", "pdpe1gb", "pku", "popcnt", "rdrand", "rdseed", "sha-ni", "smap", "smep",
            "ssbd", "stibp", "svm", "umip", "vaes", "vmx", "x2apic", "xsaveopt", "xsaves", "ht",
            "cmp_legacy", "arch-capabilities", "rdctl-no", "fsrm", "avx-vnni", "cmpccxadd", "sha512"]
DEVICES = [parts.interface, parts.interface, parts.video, parts.sound, parts.watchdog,
           parts.usb_controller, parts.scsi_controller, parts.pci_controller, parts.other_controller,
           parts.console, parts.input_device, parts.rng_device, parts.balloon, parts.panic,
           parts.crypto, parts.pstore]
PLATFORM = [parts.genid, parts.vmcoreinfo, parts.machine_switch, parts.hyperv, parts.kvm_feature,
            parts.memory_room, parts.memory_device, parts.numa, parts.topology]
DISK = """<disk type='file' device='disk'><driver name='qemu' type='raw'%s/>
<source file='/run/shared/disk.img'/><target dev='vda' bus='virtio'/><readonly/></disk>
<serial type='file'><source path='/run/shared/serial-%s.log' append='on'/><target port='0'/></serial>
"""


def draw_cpu(rng, stratum, accel):
    guest = {"mode": "custom", "model": "qemu64", "check": "none", "match": "exact", "features": {}}
    if stratum == "host-cpu":
        modes = ["host-model", "host-model", "maximum"] + (["host-passthrough"] * 2
                                                           if accel == "kvm" else [])
        return {"mode": rng.choice(modes), "model": None, "check": None, "features": {}}
    if stratum != "cpu":
        return guest
    guest["model"] = rng.choice(MODELS)
    guest["check"] = rng.choice(["partial", "full", "none", "none"])
    for _ in range(rng.choice([0, 1, 2, 4])):
        guest["features"][rng.choice(FEATURES)] = rng.choice(["require", "disable", "optional"])
    if guest["check"] == "full" and rng.random() < 0.8:
        guest["features"]["hypervisor"] = "require"
    if rng.random() < 0.06:
        guest["phys_bits"] = rng.choice([36, 40, 46])
    return guest


def draw(rng, number, accels):
    """A guest; "parts" as those of start_parts.py."""
    stratum = rng.choice(STRATA)
    accel = rng.choice(accels + ["tcg"])
    guest = {"number": number, "name": "m%04d" % number, "uuid": start_fixture.UUID % number,
             "stratum": stratum, "accel": accel, "vcpus": rng.choice([1, 1, 1, 1, 2, 4]),
             "disk": rng.choice(["", "", "", " queues='1'", " discard='unmap'"])}
    family = "pc-q35-" if stratum == "iommu" or rng.random() < 0.7 else "pc-i440fx-"
    releases = RELEASES if stratum == "machine" else RELEASES[2:7]
    guest["machine"] = family + rng.choice(releases)
    if rng.random() < 0.1:
        guest["machine"] = {"pc-q35-": "q35", "pc-i440fx-": "pc"}[family]
    guest.update(draw_cpu(rng, stratum, accel))
    guest["parts"] = []
    if stratum == "iommu":
        guest["parts"] = [rng.choice(parts.IOMMUS)(rng), parts.ioapic(rng)]
    elif stratum == "device":
        guest["parts"] = several(rng, rng.choice([1, 1, 2]), DEVICES)
    elif stratum == "platform":
        guest["parts"] = several(rng, 1, PLATFORM)
    for drawn in guest["parts"]:
        guest["vcpus"] = drawn.get("vcpus", guest["vcpus"])
    return guest


def placed(guest, place):
    return "".join(drawn["xml"].get(place, "") for drawn in guest["parts"])


def xml(guest, emulator):
    devices = placed(guest, "devices")
    if "<controller type='usb'" not in devices:
        devices += "<controller type='usb' model='none'/>"
    return """<domain type='%s'>
<name>%s</name><uuid>%s</uuid>
<memory unit='MiB'>64</memory>%s<vcpu>%d</vcpu>
<os><type arch='x86_64' machine='%s'>hvm</type></os>
<features><acpi/><apic/>%s</features>
%s
<clock offset='utc'>%s</clock>
<devices><emulator>%s</emulator>%s%s%s</devices>
</domain>
""" % ("kvm" if guest["accel"] == "kvm" else "qemu", guest["name"], guest["uuid"],
       placed(guest, "domain"), guest["vcpus"], guest["machine"], placed(guest, "features"),
       start_fixture.cpu_xml(guest, placed(guest, "cpu")), placed(guest, "clock"), emulator,
       DISK % (guest["disk"], guest["name"]), devices,
       placed(guest, "balloon") or "<memballoon model='none'/>")
