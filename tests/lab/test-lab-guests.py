#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""test-lab-guests.py: guests with real kernels and emulated IOMMUs as hosts: what the probe makes
of each must be what its QEMU was told to emulate.

usage: test-lab-guests.py [--keep FOLDER] [NAME…]

Each row of guests.tsv on each of its QEMUs, two at a time: the probe runs without and with a claim
of a device, recording; the profile is held against the row, and the recording is replayed here,
which must give the same profile. What can't be had is told and not counted; with nothing at all,
the test is skipped.
"""

import argparse
import concurrent.futures
import json
import os
import subprocess
import sys
import tempfile

from guest_fixture import Lab, progress, table
from guest_expect import differences


def unpack(files, folder):
    for path, content in files.items():
        path = os.path.join(folder, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)


def timeless(profile):
    """What of a profile must be the same in a replay."""
    profile = json.loads(json.dumps(profile))
    profile["host"].pop("name")
    for member in ("time", "ms"):
        profile["probe"].pop(member, None)
    for source in profile["probe"].get("sources", []):
        source.pop("ms", None)
    return profile


def replayed(folder, run, profile):
    """What is wrong with the replay of a recording, or None."""
    result = subprocess.run(["capbroker-probe", "--replay", os.path.join(folder, run)],
                            capture_output=True, check=False)
    if result.returncode:
        return "replay of %s: %s" % (run, result.stderr.decode().strip())
    if timeless(json.loads(result.stdout)) == timeless(profile):
        return None
    with open(os.path.join(folder, run + ".replayed.json"), "wb") as file:
        file.write(result.stdout)
    return "replay of %s gives another profile" % run


def judge(guest, version, result, folder):
    """All that is wrong with what a guest sent."""
    if result.files is None:
        return ["no results; it said: " + " / ".join(progress(result))]
    unpack(result.files, folder)
    profiles, wrong = {}, []
    refused = any(word == "claim=refused" for _, word in guest.expected)
    for run in ("unclaimed",) if refused else ("unclaimed", "claimed"):
        text = result.files.get(run + ".json", b"")
        try:
            profiles[run] = json.loads(text)
        except ValueError:
            wrong.append("%s: no profile: %s" % (run, result.files.get(
                run + ".errors", b"").decode(errors="replace").strip()))
            continue
        bad = replayed(folder, run, profiles[run])
        wrong += [bad] if bad else []
    status = int(result.files.get("claimed.status", b"-1"))
    return wrong + differences(guest, version, profiles, status, folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keep", metavar="FOLDER", help="leave what the guests sent there")
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these rows")
    chosen = parser.parse_args()
    guests = [g for g in table() if not chosen.names or g.name in chosen.names]
    with tempfile.TemporaryDirectory(prefix="capbroker-lab-") as folder:
        lab = Lab(folder, sorted({guest.kernel for guest in guests}))
        keep = chosen.keep or folder
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            runs = [(guest, version, pool.submit(lab.run, guest, version))
                    for guest in guests for version in guest.qemus if lab.emulator(guest, version)]
            bad = tell(runs, keep)
        for reason in lab.missing:
            print("SKIP: %s" % reason)
    if not runs:
        sys.exit(77)
    print("%d guests, %d of them not as expected" % (len(runs), bad))
    sys.exit(bad > 0)


def tell(runs, keep):
    bad = 0
    print("%-26s %-6s %8s" % ("guest", "QEMU", "seconds"))
    for guest, version, future in runs:
        result = future.result()
        folder = os.path.join(keep, "%s@%s" % (guest.name, version))
        os.makedirs(folder, exist_ok=True)
        wrong = judge(guest, version, result, folder)
        bad += bool(wrong)
        print("%-26s %-6s %8.1f  %s" % (guest.name, version, result.seconds,
                                        "%d WRONG" % len(wrong) if wrong else "as expected"))
        for line in wrong:
            print("! " + line)
        sys.stdout.flush()
    return bad


if __name__ == "__main__":
    main()
