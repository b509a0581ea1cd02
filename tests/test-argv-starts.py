#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""test-argv-starts.py: predict from QEMU's own arguments whether it starts, then really start it.

usage: test-argv-starts.py [--seed N] [--count N] [--keep FILE] [--emulator PATH]

Guests of no libvirt, drawn from the seed: a machine type, an accelerator, -cpu in all its
spellings, devices and their properties, virtual IOMMUs, objects, options that came and went. Each
command is written to a file in one of the three forms that capbroker reads (a shell's line, one as
'qm showcmd --pretty' prints it, /proc/PID/cmdline), judged, and started with the same words.

Fails as test-start-qemu.py does, and where a verdict says something else than QEMU's own part of
it: no libvirt has a say here. Exit 77: no QEMU here.
"""

import os
import random
import shlex
import shutil
import subprocess
import sys
import tempfile

import start_fixture
from start_fixture import Broker, Names, Tally, facts, options, qmp

RELEASES = ["2.12", "3.1", "4.2", "5.2", "6.2", "7.0", "7.2", "8.2", "9.2", "10.0", "11.1"]
# Devices that need nothing but a PCI bus, short names of some, and ones that no QEMU or only some have.
DEVICES = ["virtio-net-pci", "virtio-net", "e1000", "e1000e", "rtl8139", "VGA", "virtio-vga",
           "virtio-balloon-pci", "virtio-rng-pci", "virtio-scsi-pci", "virtio-scsi", "ich9-ahci",
           "ahci", "qemu-xhci", "ich9-usb-ehci1", "lsi", "megasas", "i6300esb", "pvpanic-pci",
           "virtio-serial", "virtio-keyboard-pci", "virtio-gpu-pci", "vmgenid", "vmcoreinfo",
           "secondary-vga", "edu", "igb", "virtio-sound-pci",
           "ufs", "nosuch", "virtio-nosuch-pci", "bochs-display", "cirrus-vga", "ivshmem"]
PROPERTIES = {"virtio-net-pci": ["mq=on", "rx_queue_size=512", "packed=on", "guest_uso4=off",
                                 "nosuch=on", "mac=52:54:00:12:34:56"],
              "e1000": ["mac=52:54:00:12:34:57", "extra_mac_registers=on", "nosuch=1"],
              "virtio-balloon-pci": ["free-page-reporting=on", "nosuch=off"],
              "virtio-scsi-pci": ["num_queues=2", "nosuch=2"],
              "VGA": ["vgamem_mb=32", "nosuch=3"],
              "qemu-xhci": ["p2=8", "p3=8", "nosuch=3"]}
IOMMUS = ["intel-iommu", "intel-iommu,intremap=off", "intel-iommu,aw-bits=48", "intel-iommu,aw-bits=57",
          "intel-iommu,caching-mode=on", "intel-iommu,nosuch=on", "virtio-iommu-pci", "virtio-iommu",
          "amd-iommu", "intel-iommu,eim=on,intremap=off", "intel-iommu,pt=off"]
OBJECTS = ["rng-builtin,id=o0", "iothread,id=o0", "memory-backend-ram,id=o0,size=16M", "nosuch,id=o0",
           "throttle-group,id=o0", "secret,id=o0,data=x"]
MACHINE = ["hpet=off", "smm=off", "vmport=off", "usb=on", "nosuch=on", "i8042=off", "fd-bootchk=off",
           "kernel_irqchip=off", "dump-guest-core=off", "sata=off", "acpi=off", "graphics=off"]
STARTS = ("ok", "warn")
OPTIONS = [["-no-hpet"], ["-no-acpi"], ["-no-reboot"], ["-no-shutdown"], ["-portrait"],
           ["-run-with", "async-teardown=on"], ["-rtc", "base=localtime"], ["-boot", "menu=on"],
           ["-smbios", "type=1,uuid=7b10d7af-b932-4c66-b2c3-3996152ec465"], ["-usb"]]


def draw_machine(rng):
    kind = rng.choice(["pc-q35-", "pc-q35-", "pc-i440fx-"])
    return rng.choice([kind + rng.choice(RELEASES)] * 6 +
                      ["q35", "pc", "pc-q35-9.2+pve1", "pc-i440fx-0.9", "nosuch"])


def spelt(rng, feature, on):
    """One feature in one of QEMU's ways."""
    if rng.random() < 0.3:
        feature = feature.replace("-", "_")
    return rng.choice(["%s%s" % ("+" if on else "-", feature),
                       "%s=%s" % (feature, "on" if on else "off")])


def draw_cpu(rng, number, names, there, accel):
    if rng.random() < 0.1:
        return rng.choice(["max", "max,enforce", "host"]) if accel == "kvm" else \
            rng.choice(["max", "max,enforce", "host"])
    drawn = start_fixture.draw(rng, number, names, there)
    model = drawn["model"] or rng.choice(there["models"])
    words = [model]
    lacking = [f for f in there["unavailable"][accel].get(model, []) if f != "type"]
    if lacking and rng.random() < 0.5:
        words += [spelt(rng, feature, False) for feature in lacking]
    words += [spelt(rng, names.spell(feature, there["properties"]), policy == "require")
              for feature, policy in drawn["features"].items() if policy != "optional"]
    if rng.random() < 0.75:
        words.insert(rng.randrange(1, len(words) + 1), rng.choice(["enforce", "enforce=on"]))
    if rng.random() < 0.1:
        words.append(rng.choice(["kvm=off", "check=off", "model-id=a b", "l3-cache=off", "nosuch=on",
                                 "+nosuch", "min-level=4"]))
    return ",".join(words)


def draw_devices(rng):
    arguments = []
    for _ in range(rng.choice([0, 1, 1, 2])):
        device = rng.choice(DEVICES)
        properties = PROPERTIES.get(device)
        if properties and rng.random() < 0.5:
            device += "," + rng.choice(properties)
        if "," not in device and rng.random() < 0.2:
            device = '{"driver": "%s", "id": "d%d"}' % (device, len(arguments))
        arguments += ["-device", device]
    return arguments


def draw(rng, number, names, there):
    accel = rng.choice(there["accels"] + ["tcg"])
    stratum = rng.choice(["cpu", "cpu", "device", "device", "iommu", "machine", "option"])
    machine = draw_machine(rng)
    if stratum != "machine":
        machine = rng.choice(["q35", "pc", "pc-q35-7.0", "pc-i440fx-6.2", "pc-q35-7.2"])
    more = []
    if stratum == "machine" and rng.random() < 0.4:
        machine = rng.choice(["q35", "pc"]) + "," + rng.choice(MACHINE)
    cpu = draw_cpu(rng, number, names, there, accel) if stratum == "cpu" else "qemu64"
    if stratum == "device":
        more = draw_devices(rng)
    elif stratum == "iommu":
        more = ["-device", rng.choice(IOMMUS)] + (draw_devices(rng) if rng.random() < 0.3 else [])
        if rng.random() < 0.1:
            more += ["-device", rng.choice(IOMMUS)]
    elif stratum == "option":
        more = rng.choice(OPTIONS) + (["-object", rng.choice(OBJECTS)] if rng.random() < 0.5 else [])
    vcpus = "1" if stratum != "machine" else rng.choice(["1", "2,maxcpus=4", "288", "300", "4097"])
    how = rng.choice([["-accel", accel], ["-machine", "accel=" + accel]] +
                     ([["-enable-kvm"]] if accel == "kvm" else []))
    words = ["-machine", machine] + how + ["-m", rng.choice(["64", "size=64M"]), "-smp", vcpus]
    words += ["-cpu", cpu] + more
    return {"name": "g%04d" % number, "accel": accel, "stratum": stratum, "words": words}


def write(rng, path, words):
    """The command in one of three forms."""
    form = rng.randrange(3)
    if form == 0:
        text = " ".join(shlex.quote(word) for word in words).encode()
    elif form == 1:
        text = " \\\n  ".join(shlex.quote(word) for word in words).encode() + b"\n"
    else:
        text = b"".join(word.encode() + b"\0" for word in words)
    with open(path, "wb") as file:
        file.write(text)


def main():
    chosen = options(__doc__.splitlines()[0], 20261201, 240,
                     emulator=shutil.which("qemu-system-x86_64"))
    emulator = chosen.emulator
    if not emulator:
        print("SKIP: no qemu-system-x86_64 here (install qemu-system-x86)")
        sys.exit(77)
    names, there = Names(), facts(emulator)
    rng = random.Random(chosen.seed)
    tally, differ = Tally(chosen.keep), 0
    with tempfile.TemporaryDirectory() as folder:
        broker = Broker("capbroker", folder)
        process = broker.run("probe")
        if process.returncode:
            sys.exit("probe failed: %s" % process.stderr)
        for number in range(chosen.count):
            guest = draw(rng, number, names, there)
            path = os.path.join(folder, "%s.command" % guest["name"])
            write(rng, path, [emulator] + guest["words"])
            process = subprocess.run(broker.command + ["--json", "check", path, "--to", "all"],
                                     capture_output=True, text=True, check=False)
            if process.returncode == 2:
                sys.exit("check failed: %s\n%s" % (process.stderr, guest["words"]))
            verdict = start_fixture.json.loads(process.stdout)["verdicts"][0]
            if (verdict["start"] in STARTS) != (verdict["qemu_starts"] in STARTS):
                differ += 1
                print("%s: start is %s, QEMU's part %s: %s" % (
                    guest["name"], verdict["start"], verdict["qemu_starts"], guest["words"]))
                for finding in verdict["findings"]:
                    print("  %(verdict)s %(check)s: %(text)s" % finding)
            replies, stderr = qmp(emulator, guest["words"], [{"execute": "query-status"}], 120)
            happened = bool(replies and "return" in replies[0])
            tally.add(guest, verdict["qemu_starts"], happened, " ".join(guest["words"]), stderr, verdict)
    bad = tally.judge("seed %d, %s" % (chosen.seed, emulator))
    if differ:
        print("FAIL: %d where start isn't what QEMU does" % differ)
    sys.exit(1 if bad or differ else 0)


if __name__ == "__main__":
    main()
