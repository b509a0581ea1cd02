# SPDX-License-Identifier: LGPL-2.1-or-later
"""move_session.py: QEMUs of this machine, stopped before their first instruction, that save and
load a guest through a file; and what it would see of its virtual IOMMU, read by their monitor."""

import json
import os
import re
import select
import subprocess
import time

SECONDS = 90
# Where a virtio IOMMU's memory is put, so that its configuration can be read; its place on the bus.
VIRTIO_SLOT, VIRTIO_BAR, VIRTIO_CONFIG = 5, 0xd0000000, 0x2000


class Refused(Exception):
    """QEMU ended, or said an error; the text is what it said."""


class Session:
    """One QEMU and its monitor."""

    def __init__(self, emulator, guest, log, incoming=False):
        self.log = open(log, "w+b")
        self.process = subprocess.Popen(
            [emulator, "-accel", "tcg", "-S", "-nodefaults", "-display", "none", "-qmp", "stdio",
             "-machine", guest["machine"], "-m", "64M", *guest["args"],
             *(["-incoming", "defer"] if incoming else [])],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, bufsize=0)
        self.buffer = b""

    def said(self):
        self.log.seek(0)
        lines = self.log.read().decode(errors="replace").splitlines()
        return "\n".join(line for line in lines if "warning:" not in line)

    def line(self):
        """One reply; raises Refused at the end of output."""
        while b"\n" not in self.buffer:
            if not select.select([self.process.stdout], [], [], SECONDS)[0]:
                raise TimeoutError("no reply in %d s" % SECONDS)
            more = os.read(self.process.stdout.fileno(), 65536)
            if not more:
                self.process.wait()
                raise Refused(self.said())
            self.buffer += more
        text, self.buffer = self.buffer.split(b"\n", 1)
        return json.loads(text)

    def ask(self, command, **arguments):
        line = json.dumps({"execute": command, "arguments": arguments}) + "\n"
        try:
            self.process.stdin.write(line.encode())
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # the end of output says it
        while True:
            reply = self.line()
            if "error" in reply:
                raise Refused(reply["error"]["desc"])
            if "return" in reply:
                return reply["return"]

    def monitor(self, line):
        return self.ask("human-monitor-command", **{"command-line": line})

    def wait(self, command, over):
        """Asks until the status is one of those that end it."""
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            status = self.ask(command).get("status")
            if over(status):
                return status
            time.sleep(0.05)
        raise TimeoutError("%s doesn't end" % command)

    def words(self, address, count):
        """32-bit words of the guest's memory."""
        text = self.monitor("xp /%dwx %#x" % (count, address))
        return [int(word, 16) for word in re.findall(r"0x([0-9a-f]{8})\b", text)][:count]

    def place_virtio(self):
        """What firmware would do: an address for the IOMMU's memory."""
        for register, value in ((0x20, VIRTIO_BAR), (0x24, 0), (0x04, 2)):
            self.monitor("o /w 0xcf8 %#x" % (1 << 31 | VIRTIO_SLOT << 11 | register))
            self.monitor("o /w 0xcfc %#x" % value)

    def visible(self, model):
        """What a guest reads of its IOMMU: name → value."""
        if model == "intel-iommu":
            cap = self.words(0xfed90008, 4)
            return {"cap": cap[1] << 32 | cap[0], "ecap": cap[3] << 32 | cap[2]}
        if model == "amd-iommu":
            efr = self.words(0xfed80030, 2)
            return {"efr": efr[1] << 32 | efr[0]}
        if model == "virtio-iommu-pci":
            config = self.words(VIRTIO_BAR + VIRTIO_CONFIG, 9)
            return {"page-sizes": config[1] << 32 | config[0], "last": config[5] << 32 | config[4],
                    "domains": config[7], "probe-size": config[8]}
        return {}

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        self.log.close()


def begin(emulator, guest, log, incoming=False):
    """A started QEMU; raises Refused."""
    session = Session(emulator, guest, log, incoming)
    try:
        session.line()
        session.ask("qmp_capabilities")
        session.ask("query-status")
        if guest["model"] == "virtio-iommu-pci":
            session.place_virtio()
        return session
    except BaseException:
        session.end()
        raise


def save(emulator, guest, path):
    """Saves a new guest to a file; what it saw."""
    session = begin(emulator, guest, path + ".source")
    try:
        seen = session.visible(guest["model"])
        session.ask("migrate", uri="exec:cat >" + path)
        if session.wait("query-migrate", lambda s: s in ("completed", "failed")) == "failed":
            raise Refused("saving failed: " + session.said())
        return seen
    finally:
        session.end()


def load(emulator, guest, path):
    """Loads it; (what a guest started there would see, what this one sees)."""
    session = begin(emulator, guest, path + ".target", incoming=True)
    try:
        own = session.visible(guest["model"])
        session.ask("migrate-incoming", uri="exec:cat " + path)
        session.wait("query-status", lambda status: status not in ("inmigrate", None))
        return own, session.visible(guest["model"])
    finally:
        session.end()


def move(emulators, pair, path):
    """What happens to a pair: {"refused": why} or {"seen", "own", "after"}."""
    try:
        seen = save(emulators[pair["source"]["qemu"]], pair["source"], path)
        own, after = load(emulators[pair["target"]["qemu"]], pair["target"], path)
        return {"seen": seen, "own": own, "after": after}
    except Refused as refused:
        return {"refused": str(refused)}
    finally:
        if os.path.exists(path):
            os.unlink(path)
