# SPDX-License-Identifier: LGPL-2.1-or-later
"""Recordings of hosts, each kept as one file: tests/hosts/NAME/recording.json has the recording's
files by their paths, as text or {"base64": …}."""

import base64
import json
import os
import subprocess
import tempfile

# What such a recording was made with, and is replayed with.
ONLY = "kernel,acpi,options,vtd,amdvi,smmuv3,spapr,iommu,pci,iommufd,vfio"
# A fixed time, so that nothing changes from run to run.
TIME = "2026-11-01T00:00:00Z"


def name_of(guest, version):
    """Of the recorded host that a lab guest becomes."""
    return "%s-qemu%s" % (guest, version)


def unpack(recording, folder):
    """Writes a recording's files below a folder, and nowhere else."""
    with open(recording, encoding="utf-8") as file:
        files = json.load(file)
    for path, content in files.items():
        if path.startswith("/") or ".." in path.split("/"):
            raise ValueError("%s: %s leads outside" % (recording, path))
        path = os.path.join(folder, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else
                       base64.b64decode(content["base64"]))


def timeless(profile):
    """A profile without what changes from run to run."""
    profile["probe"]["time"] = TIME
    for source in profile["probe"].get("sources", []):
        source.pop("ms", None)
    return profile


def replay(folder):
    """The profile that a recorded host's recording gives."""
    with tempfile.TemporaryDirectory(prefix="capbroker-replay-") as scratch:
        place = os.path.join(scratch, os.path.basename(os.path.abspath(folder)))
        os.mkdir(place)
        unpack(os.path.join(folder, "recording.json"), place)
        result = subprocess.run(["capbroker-probe", "--only", ONLY, "--replay", place],
                                capture_output=True, check=False)
    if result.returncode:
        raise RuntimeError("%s: %s" % (folder, result.stderr.decode().strip()))
    return timeless(json.loads(result.stdout))


def write_profile(folder, profile):
    with open(os.path.join(folder, "profile.json"), "w", encoding="utf-8") as file:
        json.dump(profile, file, indent=2, sort_keys=True, ensure_ascii=False)
        file.write("\n")
