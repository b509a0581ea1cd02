# SPDX-License-Identifier: LGPL-2.1-or-later
"""lab_fixture.py: the QEMUs that get-qemus.sh put beside the installed one, and the recorded hosts
that stand for them."""

import json
import os
import re
import shutil
import subprocess
import sys

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, TESTS)

# The recorded host of each generation, and the QEMU it was recorded with.
RECORDED = {"7.2": "lab-debian12", "10.0": "lab-debian13", "11.1": "lab-sid"}


def lab_folder():
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.environ.get("CAPBROKER_LAB") or os.path.join(cache, "capbroker-lab")


def profile_of(host):
    return os.path.join(TESTS, "hosts", host, "profile.json")


def version_of(emulator):
    text = subprocess.run([emulator, "-version"], capture_output=True, text=True,
                          check=True).stdout
    return re.search(r"version (\d+\.\d+)\.\d+", text).group(1)


def emulators():
    """Path by generation, as RECORDED spells it; ends the test with 77 where a piece is absent."""
    paths = [shutil.which("qemu-system-x86_64")] + [
        os.path.join(lab_folder(), suite, "qemu-system-x86_64") for suite in ("trixie", "sid")]
    for path in paths:
        if not path or not os.path.exists(path):
            print("SKIP: %s isn't there (%s)" % (
                path or "qemu-system-x86_64", "run tests/lab/get-qemus.sh" if path else
                "install qemu-system-x86"))
            sys.exit(77)
    return {version_of(path): path for path in paths}


def usable_models(profile, accel):
    """What each CPU model lacks under the accelerator, in numbers: tells one KVM from another."""
    for entry in profile["emulators"]:
        if (entry.get("view", "qemu"), entry.get("accel")) == ("qemu", accel) and \
                "cpu_models" in entry:
            return {model["name"]: len(model.get("missing", [])) for model in entry["cpu_models"]}
    return None


def same_kvm(host, there):
    """Does KVM give here what it gave where the host was recorded?"""
    with open(profile_of(host), encoding="utf-8") as file:
        recorded = usable_models(json.load(file), "kvm")
    here = {name: len([f for f in lacking if f])
            for name, lacking in there["unavailable"].get("kvm", {}).items()}
    return bool(recorded) and recorded == here


def with_files(source, files, target):
    """Writes a profile anew that also tells of the firmware files that the test gives guests."""
    with open(source, encoding="utf-8") as file:
        doc = json.load(file)
    told = ["%s:%d" % (path, os.path.getsize(path))
            for path in (files.get(kind) for kind in ("rom", "code")) if path]
    fact = next((f for f in doc["facts"] if f["id"] == "firmware.file"), None)
    if not fact:
        fact = {"id": "firmware.file", "state": "known", "value": [], "origin": "the test's own",
                "scope": {"view": "libvirt"}}
        doc["facts"].append(fact)
    fact["value"] = sorted(set(fact["value"] or []) | set(told))
    with open(target, "w", encoding="utf-8") as file:
        json.dump(doc, file)
    return target
