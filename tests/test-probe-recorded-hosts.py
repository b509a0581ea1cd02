# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hosts that others recorded by hand replay: what their folders hold is read, no more."""

import glob
import os

from probe_fixture import DATA, check, done, facts, profile, skip, sources

folders = sorted(glob.glob(os.path.join(DATA, "iommu-guests", "*")) +
                 glob.glob(os.path.join(DATA, "truth", "viommu", "hosts", "*")))
folders = [f for f in folders if os.path.isdir(f)]
if not folders:
    skip("no recorded hosts at ../shared/data/iommu-guests")

for folder in folders:
    name = os.path.basename(folder)
    _, document = profile("--replay", folder)
    kernel = facts(document, "kernel")

    def text(path, folder=folder):
        path = os.path.join(folder, path)
        if not os.path.isfile(path):
            return None
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().strip()

    if text("uname"):
        check(kernel["host.kernel"]["value"] in text("uname"), f"{name}: the kernel's release")
    if text("proc/cmdline") is not None:
        check(kernel["host.cmdline"]["value"] == text("proc/cmdline"), f"{name}: the boot options")
    if text("proc/cpuinfo") and "flags" in text("proc/cpuinfo"):
        flags = text("proc/cpuinfo").split("flags")[1].split(":")[1].split("\n")[0].split()
        check(("cpu.avx2" in kernel) == ("avx2" in flags), f"{name}: AVX2")
        check("cpu.lm" in kernel, f"{name}: long mode")
    vulnerabilities = os.path.join(folder, "sys/devices/system/cpu/vulnerabilities")
    count = len(os.listdir(vulnerabilities)) if os.path.isdir(vulnerabilities) else 0
    check(len([i for i in kernel if i.startswith("mitigation.")]) == count, f"{name}: mitigations")
    for source in ("cpuid", "msr", "kvm", "libvirt", "guests", "qemu"):
        check(sources(document)[source]["state"] == "missing", f"{name}: {source} is not missing")
    check(not document["emulators"], f"{name}: an emulator nobody recorded")
print(f"{len(folders)} folders replayed")
done()
