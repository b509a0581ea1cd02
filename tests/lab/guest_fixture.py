# SPDX-License-Identifier: LGPL-2.1-or-later
"""guest_fixture.py: guests of the lab as hosts: the table of them (guests.tsv), what they need, and
how one is booted and its results fetched."""

import base64
import collections
import gzip
import io
import os
import re
import shutil
import subprocess
import tarfile
import time

from lab_fixture import lab_folder, version_of

HERE = os.path.dirname(os.path.abspath(__file__))
TABLE = os.path.join(HERE, "guests.tsv")
BOOT_SECONDS = 150
MAX_RESULTS = 64 * 1024 * 1024

COMMON = "-accel tcg -m 512 -nodefaults -display none -no-reboot"
MACHINES = {
    "x86_64": ("qemu-system-x86_64", "-machine q35,kernel-irqchip=split",
               "console=ttyS0 quiet panic=-1 tsc=reliable no_timer_check"),
    "arm64": ("qemu-system-aarch64", "-machine virt,gic-version=3",
              "console=ttyAMA0 quiet panic=-1"),
}
MACHINES["stock"] = MACHINES["x86_64"]
GIVEN = {"x86_64": "CAPBROKER_KERNEL_X86_64", "arm64": "CAPBROKER_KERNEL_ARM64"}

Guest = collections.namedtuple("Guest", "name kernel qemus device options arguments expected")
Result = collections.namedtuple("Result", "seconds console files")


def table():
    """All guests of guests.tsv, what they are expected to say with its sets spelt out."""
    guests, sets = [], {}
    with open(TABLE, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if line.startswith("#"):
                continue
            fields = line.rstrip("\n").split("\t")
            if fields[0].startswith("@"):
                sets[fields[0][1:]] = fields[1].split()
            elif len(fields) == len(Guest._fields):
                guests.append(Guest(*fields))
            else:
                raise ValueError("guests.tsv:%d: %d columns" % (number, len(fields)))
    return [guest._replace(qemus=guest.qemus.split(","), expected=spell(guest.expected, sets))
            for guest in guests]


def spell(words, sets):
    """A list of ([versions] or None, word), without sets."""
    result = []
    for word in words.split() if isinstance(words, str) else words:
        match = re.match(r"([\d.,]+):(.*)", word)
        versions, word = (match[1].split(","), match[2]) if match else (None, word)
        if not word.startswith("@"):
            result.append((versions, word))
            continue
        for inner, word in spell(sets[word[1:]], sets):
            if inner and versions:
                inner = [version for version in inner if version in versions]
            result.append((inner or versions, word))
    return result


def qemus(program):
    """version → path, of the installed one and those of get-qemus.sh; and what is missing."""
    found, missing = {}, []
    for suite in (None, "trixie", "sid"):
        path = os.path.join(lab_folder(), suite, program) if suite else shutil.which(program)
        if path and os.path.exists(path):
            found[version_of(path)] = path
        else:
            missing.append("%s of %s isn't there (%s)" % (
                program, suite or "this machine", "run tests/lab/get-qemus.sh" if suite
                else "install qemu-system-x86 and qemu-system-arm"))
    return found, missing


def kernel(kind):
    """The path of a kernel, or None and why."""
    given = os.environ.get(GIVEN.get(kind, ""), "")
    path = given or os.path.join(lab_folder(), "kernels", kind)
    if os.path.exists(path):
        return path, None
    return None, "no kernel %s (run tests/lab/build-kernels.sh %s)" % (path, kind)


def script(*arguments):
    """Runs one of the lab's scripts; None, or the last line of what went wrong."""
    result = subprocess.run(["sh", os.path.join(HERE, arguments[0]), *arguments[1:]],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if result.returncode == 0:
        return None
    return (result.stdout.decode(errors="replace").strip().splitlines() or ["no reason"])[-1]


class Lab:
    """Kernels, initramfs' and QEMUs; what can't be had is a reason in .missing."""

    def __init__(self, folder, kinds, build="."):
        self.folder, self.missing = folder, []
        self.kernels, self.roots, self.qemus = {}, {}, {}
        for kind in kinds:
            path, why = kernel(kind)
            if not why:
                why = self.make_root(kind, os.path.abspath(build))
            if why:
                self.missing.append("%s: %s" % (kind, why))
            else:
                self.kernels[kind] = path
        for program in sorted({MACHINES[kind][0] for kind in self.kernels}):
            self.qemus[program], missing = qemus(program)
            self.missing += missing

    def make_root(self, kind, build):
        """An initramfs with the probe of this source tree; None, or why there is none."""
        architecture = "x86_64" if kind == "stock" else kind
        probe = os.path.join(build, "lab-" + architecture)
        self.roots[kind] = os.path.join(self.folder, kind + ".cpio.gz")
        return (script("build-probe.sh", architecture, probe) or
                script("make-initramfs.sh", kind, probe, self.roots[kind]))

    def emulator(self, guest, version):
        """Path of the QEMU that is to run a guest, or None."""
        return self.qemus.get(MACHINES[guest.kernel][0], {}).get(version)

    def run(self, guest, version, options="", seconds=BOOT_SECONDS):
        """Boots a guest and returns its Result, or one with the console and no files."""
        program, machine, base = MACHINES[guest.kernel]
        device = "" if guest.device == "-" else "lab.device=" + guest.device
        console = os.path.join(self.folder, "%s@%s.console" % (guest.name, version))
        command = [self.qemus[program][version], *machine.split(), *COMMON.split(),
                   "-serial", "file:" + console, "-kernel", self.kernels[guest.kernel],
                   "-initrd", self.roots[guest.kernel], "-append",
                   " ".join([base, device, guest.options, options]), *guest.arguments.replace("%LAB%", lab_folder()).split()]
        start = time.monotonic()
        try:
            said = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, timeout=seconds, check=False).stdout
        except subprocess.TimeoutExpired as late:
            said = (late.stdout or b"") + b"\nstopped after %d s" % seconds
        text = said.decode(errors="replace")
        if os.path.exists(console):
            with open(console, encoding="utf-8", errors="replace") as file:
                text += file.read()
        return Result(time.monotonic() - start, text, results(text))


def results(console):
    """The files that a guest sent out over its console, path → bytes; or None."""
    match = re.search(r"@@ begin [^\n]*\n(.*?)@@ end ", console, re.DOTALL)
    if not match:
        return None
    try:
        data = gzip.decompress(base64.b64decode(match[1]))
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            return {os.path.normpath(member.name): archive.extractfile(member).read()
                    for member in archive if member.isfile() and member.size < MAX_RESULTS}
    except (ValueError, OSError, EOFError, tarfile.TarError) as error:
        print("results of a guest are torn: %s" % error)
        return None


def progress(result):
    """What a guest said of its steps: lines for a message."""
    lines = [line.strip() for line in result.console.splitlines() if line.strip()]
    said = [line for line in lines if line.startswith("@@")]
    return said if len(said) > 3 else lines[-12:]
