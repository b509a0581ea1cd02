#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""test-start-qemu.py: predict, then really start, seeded guests on this machine's QEMU.

usage: test-start-qemu.py [--seed N] [--count N] [--keep FILE]

Each guest is a domain definition with a machine type, accelerator and CPU drawn from the seed.
`capbroker check` says first whether QEMU starts it (qemu_starts); then QEMU is started, paused,
with what the definition means: check='full' is -cpu …,enforce, check='none' is without. The
translation to QEMU's arguments is the test's own, by the names in the dictionary.

Fails when an ok was refused, more than 2 % of the starts were blocked wrongly or left unknown, or
fewer than 30 % were truly refused (then the seed tried too little). Exit 77: no QEMU here.
"""

import random
import shutil
import sys
import tempfile

from start_fixture import Broker, Names, Tally, arguments, draw, facts, options, qmp


def started(guest, names, there):
    replies, stderr = qmp(guest["emulator"], arguments(guest, names, there),
                          [{"execute": "query-status"}])
    return bool(replies and "return" in replies[0]), stderr


def main():
    chosen = options(__doc__.splitlines()[0], 20261122, 220)
    emulator = shutil.which("qemu-system-x86_64")
    if not emulator:
        print("SKIP: no qemu-system-x86_64 here (install qemu-system-x86)")
        sys.exit(77)
    names = Names()
    there = facts(emulator)
    rng = random.Random(chosen.seed)
    tally = Tally(chosen.keep)
    with tempfile.TemporaryDirectory() as folder:
        broker = Broker("capbroker", folder)
        process = broker.run("probe")
        if process.returncode:
            sys.exit("probe failed: %s" % process.stderr)
        for number in range(chosen.count):
            guest = draw(rng, number, names, there)
            guest["emulator"] = emulator
            verdict = broker.predict(guest)
            happened, stderr = started(guest, names, there)
            tally.add(guest, verdict["qemu_starts"], happened,
                      " ".join(arguments(guest, names, there)), stderr, verdict)
    tally.end("seed %d, %s" % (chosen.seed, emulator))


if __name__ == "__main__":
    main()
