# SPDX-License-Identifier: LGPL-2.1-or-later
"""qemu_facts.py: an installed QEMU, asked over QMP, with no machine, hardware or guest.

Shared by the scripts that write tables of facts about QEMU's versions and by capbroker-refresh.

Standard library only; runs on Python 3.9.
"""

import glob
import json
import os
import re
import select
import subprocess
import time

# Devices and objects whose properties guests depend on, beyond those of qemu-devices.tsv.
# "machine:ALIAS" stands for the newest machine type of a kind.
TYPES = (
    "AMDVI-PCI", "vfio-pci-nohotplug", "vfio-user-pci", "vhost-vdpa-device-pci",
    "virtio-keyboard-pci", "vhost-scsi-pci", "vhost-user-gpu-pci", "vhost-user-scsi-pci",
    "vhost-user-vga", "vhost-user-vsock-pci", "vmxnet3", "megasas", "lsi53c895a", "mptsas1068",
    "pvscsi", "ich9-ahci", "ide-cd", "scsi-block", "ich9-intel-hda", "AC97", "cirrus-vga",
    "vmware-svga", "pcie-pci-bridge", "pci-bridge", "ioh3420", "x3130-upstream",
    "xio3130-downstream", "pxb", "pxb-cxl", "cxl-type3", "pc-dimm", "isa-serial", "pci-serial",
    "i6300esb", "ib700", "pvpanic", "pvpanic-pci", "vmcoreinfo", "vmgenid", "vmclock",
    "tpm-emulator", "tpm-passthrough", "ivshmem-plain", "ivshmem-doorbell", "mc146818rtc",
    "acpi-erst", "uefi-vars-x64", "machine:q35", "machine:pc", "kvm-accel", "tcg-accel",
    "memory-backend-file", "memory-backend-memfd", "memory-backend-ram", "memory-backend-shm",
    "sev-guest", "sev-snp-guest", "tdx-guest", "sgx-epc", "iommufd", "iothread", "thread-context",
    "rng-random", "rng-builtin", "rng-egd", "cryptodev-backend-builtin", "cryptodev-vhost-user",
    "acpi-generic-initiator", "acpi-generic-port",
)
# Those that distributions pack apart, so that they come and go with packages, not with versions.
APART = {"qxl", "qxl-vga", "usb-host", "usb-redir", "virtio-gpu-gl-pci", "virtio-vga-gl"}
# Shown by qom-list-properties, but nobody's option.
NO_OPTION = re.compile(r"^(child<|container)")
HELP_LINE = re.compile(r"^\s+(\S+?)=<([^>]*)>\s*(?:-\s*(.*?))?\s*(?:\(default: (.*)\))?$")


class QemuError(Exception):
    """Why a QEMU can't be asked, or what it refused."""


class Qemu:
    """A QEMU that waits for questions."""

    def __init__(self, command, accel="tcg", limit=60):
        self.command, self.limit, self.buffer = command.split(), limit, b""
        try:
            self.process = subprocess.Popen(
                self.command + ["-accel", accel, "-machine", "none", "-nodefaults", "-display",
                                "none", "-S", "-qmp", "stdio"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        except OSError as error:
            raise QemuError(f"cannot start: {error.strerror} (is it installed?)") from error
        try:
            if "QMP" not in self.read():
                raise QemuError("does not greet as QEMU does (is it a QEMU?)")
            self.ask("qmp_capabilities")
        except QemuError:
            self.end()
            raise

    def read(self):
        """The next message, as an object."""
        end, pipe = time.monotonic() + self.limit, self.process.stdout
        while b"\n" not in self.buffer:
            left = end - time.monotonic()
            if left <= 0 or not select.select([pipe], [], [], left)[0]:
                raise QemuError(f"no answer in {self.limit} s (run it by hand)")
            more = pipe.read1(1 << 16)
            if not more:
                raise QemuError("ended without an answer (run it by hand to see why)")
            self.buffer += more
        line, _, self.buffer = self.buffer.partition(b"\n")
        try:
            message = json.loads(line)
        except ValueError as error:
            raise QemuError("answers with something that isn't JSON (is it a QEMU?)") from error
        return message if isinstance(message, dict) else {}

    def ask(self, command, **arguments):
        """What a command returns; QemuError where it is refused."""
        request = {"execute": command}
        if arguments:
            request["arguments"] = arguments
        try:
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
            self.process.stdin.flush()
        except OSError as error:
            raise QemuError("ended while it was asked (run it by hand to see why)") from error
        while True:
            reply = self.read()
            if "error" in reply:
                raise QemuError(f"{command}: {reply['error'].get('desc')}")
            if "return" in reply:
                return reply["return"]

    def try_to(self, command, **arguments):
        """The same, None where it is refused."""
        try:
            return self.ask(command, **arguments)
        except QemuError:
            if self.process.poll() is not None:
                raise
            return None

    def version(self):
        """(version, what the distribution calls it)"""
        reply = self.ask("query-version")
        qemu = reply["qemu"]
        return f"{qemu['major']}.{qemu['minor']}.{qemu['micro']}", reply.get("package", "").strip()

    def types(self):
        """Names of all types that can be made."""
        return {entry["name"] for entry in self.ask("qom-list-types", abstract=False)}

    def help_properties(self, device):
        """What -device TYPE,help says: for a QEMU that won't say it over QMP."""
        text = subprocess.run(self.command + ["-device", device + ",help"], capture_output=True,
                              check=False, text=True, timeout=self.limit).stdout
        found = {}
        for line in text.splitlines():
            match = HELP_LINE.match(line)
            if match:
                found[match.group(1)] = (match.group(2), match.group(4) or "-")
        return found

    def properties(self, name, types, machines):
        """property → (type, default as JSON or "-"); None where there is no such type.

        @types: names of those there are, None where they aren't known
        """
        alias = name.partition(":")[2]
        if alias:
            canonical = next((machine["name"] for machine in machines
                              if alias in (machine.get("alias"), machine["name"])), None)
            name = f"{canonical}-machine"
        if types is not None and name not in types:
            return None
        entries = None if alias else self.try_to("device-list-properties", typename=name)
        if entries is None:
            entries = self.try_to("qom-list-properties", typename=name)
        if entries is None:
            return self.help_properties(name) if types else None
        return {entry["name"]: (entry["type"], default_of(entry)) for entry in entries
                if not NO_OPTION.match(entry["type"]) and entry["name"] != "type"}

    def end(self):
        """Lets it go, by force where it won't."""
        try:
            self.process.stdin.close()
            self.process.terminate()
            self.process.wait(timeout=5)
        except (OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


def default_of(entry):
    """A property's default in one word: JSON, or - where none is told."""
    if "default-value" not in entry:
        return "-"
    return json.dumps(entry["default-value"], separators=(",", ":"), ensure_ascii=True)


class Teller:
    """A QEMU that is started again where a question ends it."""

    def __init__(self, command):
        self.command, self.qemu, self.types = command, Qemu(command), None
        try:
            self.types = self.qemu.types()
        except QemuError:  # one of its modules ended it: ask for each type
            self.qemu.end()
            self.qemu = Qemu(command)
        self.machines = self.qemu.ask("query-machines")

    def properties(self, name):
        """As Qemu.properties(), {} with a None in it where no QEMU survives the question."""
        for _ in range(2):
            try:
                found = self.qemu.properties(name, self.types, self.machines)
                # a type may be in a module that can't be loaded, where no list tells
                return found if found or self.types is not None else {None: None}
            except QemuError:
                self.qemu.end()
                self.qemu = Qemu(self.command)
        return {None: None}


def all_properties(command, names):
    """type → {property: (type, default)} of those that a QEMU has; None where it won't tell.

    Some QEMUs abort when they are asked about some types, or about the next one after these.
    """
    teller = Teller(command)
    try:
        found = {name: teller.properties(name) for name in names}
    finally:
        teller.qemu.end()
    return {name: None if None in properties else properties
            for name, properties in found.items() if properties is not None}


def named_by_rules(folder):
    """Devices and objects that the rules of a folder ask a QEMU for."""
    found = set()
    for path in sorted(glob.glob(os.path.join(folder, "definition-rules-*.tsv"))):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        # what is written relative to the guest ({…}) is no name
        found.update(re.findall(r"\b(?:device|object|property|lacks):([A-Za-z0-9_-]+)(?=[.\s|]|$)", text))
    return sorted(found)
