# SPDX-License-Identifier: LGPL-2.1-or-later
"""No node of VFIO is opened without a claim, no program is run, nothing is opened for writing.

The probe runs under strace in a mount namespace of its own, where a host with VFIO is made of files.
"""

import os
import re
import shutil
import subprocess

from probe_fixture import PROBE, VALGRIND, check, done, scratch, skip

NODES = ("/dev/vfio/7", "/dev/vfio/devices/vfio0", "/dev/vfio/noiommu-0")
WRITES = re.compile(r'open(at)?\((AT_FDCWD, )?"(?P<path>[^"]+)", (?P<flags>[A-Z_|0-9]+)')
INSIDE = r"""
set -e
mount --make-rprivate /
mount -t tmpfs vfio "$1"
mkdir "$1/vfio" "$1/vfio/devices"
touch "$1/vfio/vfio" "$1/vfio/7" "$1/vfio/devices/vfio0" "$1/vfio/noiommu-0" "$1/iommu" "$1/kvm"
printf '256 iommu\n196 vfio\n' >"$1/misc"
mkdir -p "$1/iommu-class/dmar0/devices/0000:00:02.0" "$1/groups/7/devices/0000:00:02.0"
for part in null urandom zero; do touch "$1/$part"; mount --bind "/dev/$part" "$1/$part"; done
mount --bind "$1" /dev
mount --bind /dev/misc /proc/misc
mount --bind /dev/iommu-class /sys/class/iommu
mount --bind /dev/groups /sys/kernel/iommu_groups
shift
exec "$@"
"""


def can_have_namespaces():
    return os.geteuid() == 0 and all(map(shutil.which, ("strace", "unshare"))) and \
        subprocess.run(["unshare", "-m", "sh", "-c", "mount --make-rprivate / && mount -t tmpfs x /mnt"],
                       check=False, capture_output=True).returncode == 0


def opened(folder):
    """What the probe opened in a host with VFIO's nodes: (path, flags)."""
    trace = os.path.join(folder, "trace")
    mount = os.path.join(folder, "mount")
    os.mkdir(mount)
    result = subprocess.run(
        ["unshare", "-m", "sh", "-c", INSIDE, "sh", mount, "strace", "-f", "-s", "300", "-e",
         "trace=open,openat,execve", "-o", trace, shutil.which(PROBE), "--timeout", "20", "--only",
         "kernel,resources,acpi,options,vtd,amdvi,smmuv3,spapr,iommu,pci,iommufd,vfio"],
        check=False, capture_output=True, timeout=300)
    check(result.returncode == 0, f"among VFIO's nodes: {result.stderr.decode()[-300:]}")
    check(b'"vfio.iommufd"' in result.stdout, "the made host isn't seen")
    with open(trace, encoding="utf-8", errors="replace") as file:
        text = file.read()
    programs = re.findall(r'execve\("([^"]+)"', text)
    check(all(p.endswith(PROBE) for p in programs), f"programs are run: {programs}")
    return [(m["path"], m["flags"]) for m in WRITES.finditer(text)]


def undisturbed(folder):
    calls = opened(folder)
    paths = [path for path, _ in calls]
    check("/dev/vfio/vfio" in paths, "the container isn't asked, although it is there")
    for node in NODES:
        check(node not in paths, f"{node} is opened without a claim")
    check(not [p for p in paths if p.startswith("/dev/vfio/") and p not in
               ("/dev/vfio/vfio", "/dev/vfio/devices")], f"VFIO: {paths}")
    for path, flags in calls:
        check("O_RDONLY" in flags or path in ("/dev/vfio/vfio", "/dev/iommu", "/dev/null"),
              f"{path} is opened for writing: {flags}")


if VALGRIND:
    skip("strace would see valgrind's own files")
if not can_have_namespaces():
    skip("needs root, mount namespaces, unshare and strace")
with scratch() as base:
    undisturbed(base)
done()
