# SPDX-License-Identifier: LGPL-2.1-or-later
"""viommu_boot.py: one boot of a lab guest in which QEMUs are started: its profile comes out first,
then starts and addresses to map go in (viommu-init)."""

import gzip
import json
import os
import shlex
import subprocess
import time

import vtd_maps
from guest_fixture import COMMON, HERE, MACHINES
from lab_fixture import lab_folder

BOOT_SECONDS, START_SECONDS = 240, 60
QMP = "".join(json.dumps({"execute": name}) + "\n"
              for name in ("qmp_capabilities", "query-status", "quit"))
INNER = "-accel tcg -S -nodefaults -display none -qmp stdio"
# With qtest's commands in touch-N, which are given when the monitor has answered: QEMU goes when all
# are answered, or it has gone by itself.
TOUCH = """rm -f /tmp/q.*
mkfifo /tmp/q.in /tmp/q.out
cat /tmp/q.out >/tmp/q.said & said=$!
{
	until [ -e /tmp/q.gone ] || grep -q status /tmp/q.qmp; do
		sleep 0.3
	done
	cat /mnt/touch-%(number)d
} >/tmp/q.in 2>/dev/null & told=$!
{
	head -n 2 /mnt/commands
	n=0
	while [ $n -lt 200 ] && [ ! -e /tmp/q.gone ] &&
		[ "$(grep -c OK /tmp/q.said)" -lt %(count)d ]; do
		sleep 0.5
		n=$((n + 1))
	done
	tail -n 1 /mnt/commands
} | {
	%(qemu)s -qtest pipe:/tmp/q -qtest-log none -trace vfio_iommu_map_notify >/tmp/q.qmp
	touch /tmp/q.gone
}
kill $said $told 2>/dev/null
cat /tmp/q.qmp
exit 0
"""


def overlay(root, folder):
    """An initramfs with what such a guest needs besides; a kernel unpacks one after the other."""
    tree, path = os.path.join(folder, "overlay"), os.path.join(folder, "viommu.cpio.gz")
    os.makedirs(os.path.join(tree, "bin"), exist_ok=True)
    subprocess.run(["gcc", "-O1", "-static", "-o", os.path.join(tree, "bin", "map-edges"),
                    os.path.join(HERE, "map-edges.c")], check=True)
    subprocess.run(["install", "-m", "755", os.path.join(HERE, "viommu-init"), tree], check=True)
    names = "viommu-init\nbin/map-edges\n".encode()
    more = subprocess.run(["cpio", "--quiet", "-o", "-H", "newc", "-R", "0:0"], input=names,
                          capture_output=True, cwd=tree, check=True).stdout
    with open(root, "rb") as first, open(path, "wb") as file:
        file.write(first.read() + gzip.compress(more))
    return path


class Boot:
    """A running guest."""

    def __init__(self, lab, initrd, guest, version, folder):
        program, machine, base = MACHINES[guest.kernel]
        self.folder, self.address = folder, guest.device
        os.makedirs(folder)
        words = COMMON.split()
        words[words.index("-m") + 1] = "1408"
        shares = []
        for tag, path, more in (("root", "/", ",readonly=on"), ("share", folder, "")):
            shares += ["-fsdev", "local,id=%s,path=%s,security_model=none%s,multidevs=remap" % (
                tag, path, more), "-device", "virtio-9p-pci,fsdev=%s,mount_tag=%s,addr=%s" % (
                    tag, tag, {"root": "0a.0", "share": "0b.0"}[tag])]
        self.console = os.path.join(folder, "console")
        command = [lab.qemus[program][version], *machine.split(), *words, *shares,
                   "-serial", "file:" + self.console, "-kernel", lab.kernels[guest.kernel],
                   "-initrd", initrd, "-append", " ".join([
                       base, "rdinit=/viommu-init", "lab.device=" + guest.device, guest.options]),
                   *guest.arguments.replace("%LAB%", lab_folder()).split()]
        self.said = open(os.path.join(folder, "qemu.log"), "wb")
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.said,
                                        stderr=subprocess.STDOUT)

    def profile(self):
        """What its probe said; None where it never came."""
        path = os.path.join(self.folder, "profile.json")
        end = time.monotonic() + BOOT_SECONDS
        while not os.path.exists(path):
            if self.process.poll() is not None or time.monotonic() > end:
                return None
            time.sleep(0.1)
        with open(path, encoding="utf-8") as file:
            return json.load(file)

    def put(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.rename(path + ".new", path)

    def run(self, emulators, guests, edges):
        """Starts all guests, tries all addresses, and ends."""
        self.put("commands", QMP)
        self.put("maps", "".join("%x %x\n" % edge for edge in edges))
        for number, guest in enumerate(guests, 1):
            qemu = "%s %s -machine %s %s" % (
                shlex.quote(emulators[guest["qemu"]]), INNER, shlex.quote(guest["machine"]),
                " ".join(shlex.quote(word) for word in guest["args"]))
            self.put("job-%d" % number, "exec %s\n" % qemu)
            if "touch" in guest:
                lines = vtd_maps.commands(guest["touch"], guest["bits"])
                self.put("touch-%d" % number, lines)
                self.put("job-%d" % number, TOUCH % {"number": number, "qemu": qemu,
                                                    "count": lines.count("\n")})
        self.put("jobs", "%d\n" % len(guests))
        try:
            self.process.wait(BOOT_SECONDS + START_SECONDS * len(guests))
        except subprocess.TimeoutExpired:
            pass
        self.stop()

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.said.close()

    def read(self, name):
        path = os.path.join(self.folder, name)
        if not os.path.exists(path):
            return None
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def outcome(self, number):
        """(started, what was said); started is None where that start never ended."""
        status, out = self.read("status-%d" % number), self.read("out-%d" % number)
        if status is None or out is None or status.strip() in ("124", "137", "143"):
            return None, "no end: " + (self.read("err-%d" % number) or "")
        return '"status"' in out, self.read("err-%d" % number) or ""

    def maps(self):
        """{(first, length): errno}, or why there is none."""
        text = self.read("maps.out")
        if not text:
            return self.read("maps.err") or "nothing said"
        return {(int(first, 16), int(length, 16)): int(errno)
                for first, length, errno in (line.split() for line in text.splitlines())}
