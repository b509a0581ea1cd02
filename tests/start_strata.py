# SPDX-License-Identifier: LGPL-2.1-or-later
"""start_strata.py: seeded guests by stratum, each as a definition and as QEMU's arguments.

What a guest is of: its machine type and accelerator, a CPU, and what its stratum adds (devices,
a virtual IOMMU, firmware, a TPM, …).  The parts are those of start_parts.py.
"""

import json
import re

import start_fixture
import start_parts as parts

STRATA = ["machine", "cpu", "iommu", "device", "device", "disk", "platform", "firmware", "tpm"]
# Names that no QEMU has, and those that some had once.
ODD = ["pc-i440fx-0.9", "pc-q35-2.3", "pc-q35-13.0", "pc-q35-rhel9.6.0", "pc-i440fx-jammy", "virt",
       "nosuch", "xenfv", "x-remote"]
RELEASES = ["2.4", "2.5", "2.9", "2.12", "3.1", "4.0", "4.2", "5.1", "5.2", "6.0", "6.2", "7.0",
            "7.2", "8.0", "8.2", "9.0", "9.2", "10.0", "10.2", "11.0", "11.1"]


def family_of(machine):
    if machine == "q35" or machine.startswith("pc-q35"):
        return "q35"
    if machine == "pc" or machine.startswith("pc-i440fx"):
        return "pc"
    return machine


def draw_machine(rng, stratum):
    """A machine type that some QEMU has, has no more or doesn't have yet."""
    release = rng.choice(RELEASES)
    if stratum == "machine":
        return rng.choice(["pc-q35-" + release] * 8 + ["pc-i440fx-" + release] * 8 +
                          ["q35", "pc", "isapc", "microvm"] + ODD)
    release = rng.choice(RELEASES[9:14])
    odds = {"iommu": 0.9, "firmware": 0.4, "tpm": 0.4}.get(stratum, 0.5)
    if rng.random() < odds:
        return rng.choice(["q35", "pc-q35-" + release])
    if rng.random() < 0.55:
        return rng.choice(["pc", "pc-i440fx-" + release])
    return rng.choice(["isapc", "microvm", "microvm"])


def draw_cpu(rng, guest, names, there):
    """The CPU of the guests that aren't about it: what starts nearly everywhere."""
    if guest["stratum"] == "cpu":
        drawn = start_fixture.draw(rng, guest["number"], names, there)
        return {key: drawn[key] for key in ("mode", "model", "check", "match", "features", "vcpus",
                                            "accel") if key in drawn}
    model = rng.choice(["qemu64", "qemu64", "Nehalem", "pentium3"])
    if guest["machine"] == "isapc":
        model = rng.choice(["qemu32", "pentium3", "pentium", "qemu64"])
    if rng.random() < 0.1:
        return {"mode": "maximum", "model": None, "check": None, "features": {}}
    return {"mode": "custom", "model": model, "check": "none", "match": "exact", "features": {}}


def draw_vcpus(rng, guest):
    if guest["stratum"] == "machine" and rng.random() < 0.25:
        return rng.choice([2, 8, 240, 255, 256, 288, 289, 300, 4097])
    if guest["stratum"] == "iommu" and rng.random() < 0.25:
        return rng.choice([4, 240, 255, 256, 257, 288, 300])
    return 1


def firmware(rng, files):
    """A loader and where its variables are, or plain SeaBIOS by file."""
    kind = rng.choice(["rom", "pflash", "pflash", "pflash-no-nvram", "secure", "missing"])
    if kind == "missing":
        return parts.part("missing", "os", "<loader readonly='yes' type='pflash'>%s</loader>" %
                          files["missing"], [
                              "-blockdev", json.dumps({"driver": "file", "node-name": "pflash0",
                                                       "filename": files["missing"],
                                                       "read-only": True})],
                          machine=["pflash0=pflash0"])
    if kind == "rom":
        return parts.part("rom", "os", "<loader type='rom'>%s</loader>" % files["rom"],
                          ["-bios", files["rom"]])
    xml = "<loader readonly='yes' type='pflash'%s>%s</loader>" % (
        " secure='yes'" if kind == "secure" else "", files["code"])
    args = ["-blockdev", json.dumps({"driver": "file", "filename": files["code"],
                                     "node-name": "pflash0", "read-only": True})]
    machine = ["pflash0=pflash0"]
    features = ""
    if kind != "pflash-no-nvram":
        xml += "<nvram>%s</nvram>" % files["vars"]
        args += ["-blockdev", json.dumps({"driver": "file", "filename": files["vars"],
                                          "node-name": "pflash1", "locking": "off"})]
        machine.append("pflash1=pflash1")
    if kind == "secure":
        features = "<smm state='on'/>"
        machine.append("smm=on")
        args += ["-global", "driver=cfi.pflash01,property=secure,value=on"]
    drawn = parts.part(kind, "os", xml, args, machine=machine)
    drawn["xml"]["features"] = features
    return drawn


def ids_of(drawn):
    """What its arguments give a name to: two parts of one guest must not share one."""
    return set(re.findall(r'(?:"id": "|\bid=|"node-name": ")([^",]+)', " ".join(drawn["args"]))) | \
        {drawn["name"]}


def second(rng, first, draw_one):
    """Another of its kind, which libvirt would name otherwise (iommu1, tpm-tpm1)."""
    drawn = draw_one(rng)
    drawn["args"] = [re.sub(r'((?:"id": "|"pci-id": "|"tpmdev": "|\bid=)[a-z-]+)0', r"\g<1>1", word)
                     for word in drawn["args"]]
    return [first, drawn]


def several(rng, count, tables):
    """So many parts of a table, each of another kind."""
    chosen, taken = [], set()
    for _ in range(count):
        drawn = rng.choice(tables)(rng)
        kinds = ids_of(drawn) | {place for place in drawn["xml"] if place in ("balloon", "cpu")}
        alone = drawn["name"].endswith("expander-bus")  # QEMU puts what comes after into it
        if not kinds & taken and not (alone and chosen) and \
                not ("memory" in drawn and any("memory" in other for other in chosen)):
            chosen.append(drawn)
            taken |= kinds
        if alone:
            break
    # controllers come first, as libvirt writes them
    return sorted(chosen, key=lambda drawn: not drawn["name"].startswith(("usb-", "scsi-", "pci")))


def draw_parts(rng, guest, files):
    stratum = guest["stratum"]
    if stratum == "iommu":
        first = rng.choice(parts.IOMMUS)(rng)
        drawn = second(rng, first, rng.choice(parts.IOMMUS)) if rng.random() < 0.06 else [first]
        return drawn + ([parts.ioapic(rng)] if rng.random() < 0.5 else [])
    if stratum == "device":
        return several(rng, rng.choice([1, 1, 1, 2]), parts.DEVICES)
    if stratum == "disk":
        return [parts.disk(rng, files["image"], family_of(guest["machine"]))]
    if stratum == "platform":
        return several(rng, rng.choice([1, 1, 2]), [
            draw_one for draw_one in parts.PLATFORM
            if draw_one is not parts.hyperv or guest["accel"] != "kvm"])
    if stratum == "firmware":
        return [firmware(rng, files)]
    if stratum == "tpm":
        first = parts.tpm(rng)
        return second(rng, first, parts.tpm) if rng.random() < 0.05 else [first]
    return []


def strata_of(files):
    """What there are files and programs for: no firmware without OVMF, no TPM without swtpm."""
    return [stratum for stratum in STRATA
            if (stratum != "firmware" or files.get("code")) and
            (stratum != "tpm" or files.get("swtpm"))]


def draw(rng, number, names, there, files):
    """@there: what the QEMUs have to draw from (start_fixture.facts), @files: see strata_of."""
    stratum = rng.choice(strata_of(files))
    guest = {"number": number, "name": "g%04d" % number, "uuid": start_fixture.UUID % number,
             "stratum": stratum, "machine": draw_machine(rng, stratum),
             "accel": rng.choice(there["accels"] + ["tcg"])}
    guest["vcpus"] = draw_vcpus(rng, guest)
    guest.update(draw_cpu(rng, guest, names, there))
    guest["parts"] = draw_parts(rng, guest, files)
    for drawn in guest["parts"]:
        guest["vcpus"] = drawn.get("vcpus", guest["vcpus"])
    return guest


# --- as a definition ------------------------------------------------------------------------------

def placed(guest, place):
    return "".join(drawn["xml"].get(place, "") for drawn in guest["parts"])


def xml(guest, emulator=None):
    kind = "kvm" if guest["accel"] == "kvm" else "qemu"
    devices = placed(guest, "devices")
    if emulator:
        devices = "<emulator>%s</emulator>" % emulator + devices
    if "<controller type='usb'" not in devices:
        devices += "<controller type='usb' model='none'/>"
    return """<domain type='%s'>
<name>%s</name><uuid>%s</uuid>
<memory unit='MiB'>64</memory>%s<vcpu>%d</vcpu>
<os><type arch='x86_64' machine='%s'>hvm</type>%s</os>
<features><acpi/><apic/>%s</features>
%s
<clock offset='utc'>%s</clock>
<devices>%s%s</devices>
</domain>
""" % (kind, guest["name"], guest["uuid"], placed(guest, "domain"), guest["vcpus"],
       guest["machine"], placed(guest, "os"), placed(guest, "features"),
       start_fixture.cpu_xml(guest, placed(guest, "cpu")), placed(guest, "clock"), devices,
       placed(guest, "balloon") or "<memballoon model='none'/>")


# --- as arguments ---------------------------------------------------------------------------------

def gathered(guest, key):
    return [item for drawn in guest["parts"] for item in drawn.get(key, [])]


def arguments(guest, names, there):
    """What libvirt would make of it; "@TPM@" stands for the socket of a TPM."""
    memory = next((drawn["memory"] for drawn in guest["parts"] if "memory" in drawn), "64")
    smp = next((drawn["smp"] for drawn in guest["parts"] if "smp" in drawn), "")
    cpu = ",".join([start_fixture.cpu_argument(guest, names, there)] + gathered(guest, "cpu"))
    return ["-accel", guest["accel"], "-machine", ",".join([guest["machine"]] +
            gathered(guest, "machine")), "-m", memory, "-smp", "%d%s" % (guest["vcpus"], smp),
            "-cpu", cpu] + gathered(guest, "args")
