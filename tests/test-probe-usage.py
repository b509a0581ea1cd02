# SPDX-License-Identifier: LGPL-2.1-or-later
"""Wrong usage is one line and status 2; --list, --version and --help answer."""

import os
import subprocess

from probe_fixture import check, done, probe, refused, scratch

with scratch() as folder:
    recording = os.path.join(folder, "new")
    missing = os.path.join(folder, "missing")
    for arguments, expected in {
        ("--frobnicate",): "--help",
        ("surplus",): "surplus",
        ("--only", "cpuid,nonsense"): "nonsense",
        ("--timeout", "0"): "--timeout",
        ("--timeout", "soon"): "soon",
        ("--timeout", "100000"): "--timeout",
        ("--connect", ""): "--connect",
        ("--record", recording, "--replay", folder): "--replay",
        ("--replay", missing): missing,
        ("--replay", folder, "--connect", "qemu:///system"): "--replay",
        ("--replay", "/dev/null"): "/dev/null",
        ("--record", "/dev/null/x"): "/dev/null/x",
        ("--only", "kernel", "--output", missing + "/file"): missing,
    }.items():
        check(expected in refused(*arguments), f"{arguments}: the line doesn't name the place")
    check(not os.path.exists(recording), "a refused --record made its folder")

    output = os.path.join(folder, "profile.json")
    status, text, _ = probe("--only", "kernel", "--output", output)
    check(status == 0 and text == "" and os.path.getsize(output) > 100,
          "--output writes there and only there")

for option in ("--list", "--version", "--help"):
    status, text, errors = probe(option)
    check(status == 0 and text and not errors, f"{option}: {status} {errors}")
listed = {line.split()[0] for line in probe("--list")[1].splitlines()}
check({"kernel", "cpuid", "msr", "kvm", "mitigations", "firmware", "swtpm", "resources", "acpi",
       "options", "vtd", "amdvi", "smmuv3", "spapr", "iommu", "pci", "iommufd", "vfio", "guests",
       "libvirt", "qemu"} == listed,
      f"--list: {listed}")
if os.path.exists("/dev/full"):
    with open("/dev/full", "wb") as full:
        result = subprocess.run(["capbroker-probe", "--only", "kernel"], stdout=full,
                                stderr=subprocess.PIPE, check=False)
    check(result.returncode == 2 and b"standard output" in result.stderr,
          "a full disk goes unnoticed")
done()
