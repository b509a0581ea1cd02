# SPDX-License-Identifier: LGPL-2.1-or-later
"""start_run.py: starts seeded guests of start_strata.py, with the files and the TPM they need."""

import os
import shutil
import subprocess
import sys
import tempfile
import time

import start_strata
from start_fixture import qmp

FLOPPY = 1474560
# Firmware that distributions put there; the first that isn't there is asked for in vain.
PLACES = ["/usr/share/OVMF/OVMF_CODE_4M.ms.fd", "/usr/share/OVMF/OVMF_CODE.fd",
          "/usr/share/edk2/ovmf/OVMF_CODE.fd", "/usr/share/edk2/x64/OVMF_CODE.4m.fd"]
OVMF = ("usr/share/OVMF/OVMF_CODE_4M.fd", "usr/share/OVMF/OVMF_VARS_4M.fd")


def files_in(folder, roots):
    """What guests may be given: an image, and firmware and swtpm from the first root with them."""
    files = {"image": os.path.join(folder, "image")}
    with open(files["image"], "wb") as file:
        file.truncate(FLOPPY)
    files["missing"] = next(path for path in PLACES if not os.path.exists(path))
    for root in roots:
        rom = os.path.join(root, "usr/share/seabios/bios-256k.bin")
        code, variables = (os.path.join(root, path) for path in OVMF)
        if "code" not in files and all(map(os.path.exists, (rom, code, variables))):
            files.update(rom=rom, code=code, vars=os.path.join(folder, "vars"))
            shutil.copyfile(variables, files["vars"])
        swtpm = os.path.join(root, "swtpm") if root != "/" else shutil.which("swtpm")
        if "swtpm" not in files and swtpm and os.path.exists(swtpm):
            files["swtpm"] = swtpm
    for kind, package in (("code", "ovmf"), ("swtpm", "swtpm")):
        if kind not in files:
            print("left out: what needs %s (install %s, or run tests/lab/get-qemus.sh)" % (
                package, package))
    return files


class Tpm:
    """A swtpm for one start, where the guest has a TPM."""

    def __init__(self, program, version):
        self.folder = tempfile.TemporaryDirectory(prefix="capbroker-tpm-")
        self.socket = os.path.join(self.folder.name, "socket")
        self.process = subprocess.Popen(
            [program, "socket", "--terminate", "--tpmstate", "dir=" + self.folder.name, "--ctrl",
             "type=unixio,path=" + self.socket] + (["--tpm2"] if version == "2.0" else []),
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for _ in range(1000):
            if os.path.exists(self.socket):
                return
            if self.process.poll() is not None:
                sys.exit("%s doesn't start: %s" % (program, self.process.stderr.read()))
            time.sleep(0.02)
        sys.exit("%s doesn't make its socket" % program)

    def end(self):
        self.process.kill()
        self.process.communicate()
        self.folder.cleanup()


def start(emulator, guest, names, there, files):
    """Starts a guest paused; returns (started, what QEMU said, its arguments)."""
    arguments = start_strata.arguments(guest, names, there)
    versions = [drawn["tpm"] for drawn in guest["parts"] if "tpm" in drawn]
    tpm = Tpm(files["swtpm"], versions[0]) if versions else None
    try:
        if tpm:
            arguments = [word.replace("@TPM@", tpm.socket) for word in arguments]
        replies, stderr = qmp(emulator, arguments, [{"execute": "query-status"}], 120)
    finally:
        if tpm:
            tpm.end()
    return bool(replies and "return" in replies[0]), stderr, arguments
