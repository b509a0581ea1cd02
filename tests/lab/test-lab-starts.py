#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""test-lab-starts.py: predict, then really start, seeded guests on three QEMUs beside each other.

usage: test-lab-starts.py [--seed N] [--count N] [--keep FILE]

As test-start-qemu.py, with each guest on the installed QEMU and on those of get-qemus.sh. What
starts is predicted twice: from the recorded host of that generation (tests/hosts/lab-*), and from a
fresh probe of the QEMU itself. Two starts run at a time. Guests of KVM are predicted from a
recorded host only where KVM gives here what it gave there.
"""

import concurrent.futures
import os
import random
import subprocess
import sys
import tempfile

from lab_fixture import RECORDED, emulators, lab_folder, profile_of, same_kvm, with_files

import start_strata
from start_fixture import Broker, Names, Tally, facts, options
from start_run import files_in, start

PROBE_SECONDS = 240


def recorded_broker(folder, versions, files):
    """Knows the recorded hosts, by their names."""
    place = os.path.join(folder, "recorded")
    os.mkdir(place)
    broker = Broker("capbroker", place)
    for version in versions:
        profile = with_files(profile_of(RECORDED[version]), files,
                             os.path.join(place, version + ".json"))
        process = broker.run("import", "--name", RECORDED[version], profile)
        if process.returncode:
            sys.exit("import of %s failed: %s" % (RECORDED[version], process.stderr))
    return broker


def probed_broker(folder, paths, files):
    """Knows this host, with each QEMU."""
    place = os.path.join(folder, "probed")
    os.mkdir(place)
    broker = Broker("capbroker", place)
    named = [word for path in paths for word in ("--emulator", path)]
    profile = os.path.join(place, "profile.json")
    subprocess.run(["capbroker-probe", "--timeout", str(PROBE_SECONDS), "--output", profile, *named],
                   check=True)
    with_files(profile, files, profile)
    process = broker.run("import", "--name", "here", profile)
    if process.returncode:
        sys.exit("import of the probe's profile failed: %s" % process.stderr)
    return broker


class Lab:
    def __init__(self, folder, keep):
        self.paths = emulators()
        self.versions = [version for version in self.paths if version in RECORDED]
        for version in set(self.paths) - set(self.versions):
            print("no recorded host has QEMU %s: predicted from a probe alone" % version)
        self.names = Names()
        self.there = {version: facts(path) for version, path in self.paths.items()}
        self.kvm = {version: same_kvm(RECORDED[version], self.there[version])
                    for version in self.versions}
        for version, same in self.kvm.items():
            if not same:
                print("KVM gives QEMU %s here other than on %s: from that host only TCG is predicted"
                      % (version, RECORDED[version]))
        self.files = files_in(folder, [os.path.join(lab_folder(), "trixie"), "/"])
        self.recorded = recorded_broker(folder, self.versions, self.files)
        self.probed = probed_broker(folder, self.paths.values(), self.files)
        self.tallies = {(version, source): Tally(keep and "%s.%s.%s" % (keep, version, source))
                        for version in self.paths for source in ("recorded", "probed")
                        if source == "probed" or version in self.versions}

    def draw(self, rng, number):
        newest = max(self.there, key=lambda version: [int(part) for part in version.split(".")])
        return start_strata.draw(rng, number, self.names, self.there[newest], self.files)

    def start(self, version, guest):
        return start(self.paths[version], guest, self.names, self.there[version], self.files)

    def predict(self, guest):
        """(version, source) → verdict."""
        said = {}
        verdicts = self.recorded.predict_all(start_strata.xml(guest))
        for version in self.versions:
            if guest["accel"] != "kvm" or self.kvm[version]:
                said[(version, "recorded")] = verdicts[RECORDED[version]]
        for version, path in self.paths.items():
            verdicts = self.probed.predict_all(start_strata.xml(guest, path))
            said[(version, "probed")] = list(verdicts.values())[0]
        return said

    def try_guest(self, pool, guest):
        starts = {version: pool.submit(self.start, version, guest) for version in self.paths}
        for (version, source), verdict in self.predict(guest).items():
            happened, stderr, arguments = starts[version].result()
            self.tallies[(version, source)].add(guest, verdict["qemu_starts"], happened, "QEMU %s, %s: %s" % (
                version, source, " ".join(arguments)), stderr, verdict)


def main():
    chosen = options(__doc__.splitlines()[0], 20261122, 200)
    bad = []
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(folder, chosen.keep)
        rng = random.Random(chosen.seed)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for number in range(chosen.count):
                lab.try_guest(pool, lab.draw(rng, number))
    for (version, source), tally in lab.tallies.items():
        bad += tally.judge("\nQEMU %s, predicted from %s (seed %d)" % (
            version, RECORDED[version] if source == "recorded" else "a probe", chosen.seed))
    sys.exit("FAIL: %s" % "; ".join(bad) if bad else 0)


if __name__ == "__main__":
    main()
