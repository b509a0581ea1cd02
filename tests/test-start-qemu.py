#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""test-start-qemu.py: predict, then really start, seeded guests on this machine's QEMU.

usage: test-start-qemu.py [--seed N] [--count N] [--keep FILE]

Each guest is a domain definition, drawn from the seed: a machine type, an accelerator and a CPU,
and what its stratum adds (start_strata.py): a virtual IOMMU, devices, disks, features and memory,
firmware, a TPM. `capbroker check` says first whether QEMU starts it (qemu_starts); then QEMU is
started, paused, with what the definition means to libvirt. The translation to QEMU's arguments is
the test's own. tests/lab/test-lab-starts.py does the same with three QEMUs.

Fails when an ok was refused, more than 2 % of the starts were blocked wrongly or left unknown, or
fewer than 30 % were truly refused (then the seed tried too little). Exit 77: no QEMU here.
"""

import random
import shutil
import sys
import tempfile

import start_strata
from start_fixture import Broker, Names, Tally, facts, options
from start_run import files_in, start


def main():
    chosen = options(__doc__.splitlines()[0], 20261122, 240)
    emulator = shutil.which("qemu-system-x86_64")
    if not emulator:
        print("SKIP: no qemu-system-x86_64 here (install qemu-system-x86)")
        sys.exit(77)
    names = Names()
    there = facts(emulator)
    rng = random.Random(chosen.seed)
    tally = Tally(chosen.keep)
    with tempfile.TemporaryDirectory() as folder:
        files = files_in(folder, ["/"])
        broker = Broker("capbroker", folder)
        process = broker.run("probe")
        if process.returncode:
            sys.exit("probe failed: %s" % process.stderr)
        for number in range(chosen.count):
            guest = start_strata.draw(rng, number, names, there, files)
            verdict = list(broker.predict_all(start_strata.xml(guest, emulator)).values())[0]
            happened, stderr, arguments = start(emulator, guest, names, there, files)
            tally.add(guest, verdict["qemu_starts"], happened, " ".join(arguments), stderr, verdict)
    tally.end("seed %d, %s" % (chosen.seed, emulator))


if __name__ == "__main__":
    main()
