#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""test-lab-steps.py: a claiming probe is killed at each of its steps, in guests with real kernels:
the device's driver, group and registers are as before; and no unclaimed probe keeps a VFIO node
from whoever wants it.

usage: test-lab-steps.py [--keep FOLDER] [--stride N] [NAME@QEMU…]

That this would be noticed is shown by programs that are careless. In each guest the device has its own driver, none, and vfio-pci; killed are, in turn, the process
that makes a call and the one that was started (guest-steps, at-step.c), at every third step, from
another one each time; --stride 1 takes a quarter of an hour. Skipped where kernels or
QEMUs are missing.
"""

import argparse
import concurrent.futures
import os
import re
import sys
import tempfile

from guest_fixture import Lab, progress, table

# iommufd and character devices; groups and containers of a stock kernel; another architecture.
GUESTS = ["intel-48@11.1", "stock-intel-48@10.0", "arm-smmuv3-nested@11.1"]
PROBES = "iommufd,vfio"
# A guest ends by itself long before that.
SECONDS = 900
# Fewer steps than this would mean that nothing was claimed.
LEAST_STEPS = 10


def judge(name, result):
    """All that is wrong with what a guest says."""
    text = (result.files or {}).get("steps", b"").decode(errors="replace")
    lines = re.findall(r"RESULT (driver-\S+) (caller|main) steps=(\d+) bad=(\d+)", text)
    watched = re.search(r"RESULT watch nodes=(\S+) status=(\d+)", text)
    careless = re.search(r"RESULT careless caller steps=\d+ bad=(\d+)", text)
    control = re.search(r"RESULT control status=(\d+)", text)
    wrong = []
    if not careless or careless[1] == "0" or not control or control[1] == "0":
        wrong.append("what a careless program leaves or keeps isn't noticed")
    for how, who, steps, bad in lines:
        print("%-28s %-18s %-7s killed at %4s steps, %s bad" % (name, how, who, steps, bad))
        if int(bad):
            wrong.append("%s, %s killed: %s of %s steps leave something" % (how, who, bad, steps))
        if int(steps) < LEAST_STEPS:
            wrong.append("%s, %s killed: %s steps are no claim" % (how, who, steps))
    if len({how for how, *_ in lines}) < 2 or not watched:
        wrong.append("unfinished: " + " / ".join(progress(result)))
    elif int(watched[2]):
        wrong.append("an unclaimed probe kept or opened %s" % watched[1])
    if wrong:
        wrong += text.splitlines()[:60]
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keep", metavar="FOLDER", help="leave what the guests said there")
    parser.add_argument("--stride", type=int, default=3, metavar="N",
                        help="kill at every Nth step (default 3, from other ones each time)")
    parser.add_argument("names", nargs="*", metavar="NAME@QEMU", help="only these")
    chosen = parser.parse_args()
    rows = {g.name + "@" + version: g for g in table() for version in g.qemus}
    wanted = [(rows[name], name.split("@")[1]) for name in chosen.names or GUESTS]
    bad = []
    with tempfile.TemporaryDirectory(prefix="capbroker-lab-") as folder:
        lab = Lab(folder, sorted({guest.kernel for guest, _ in wanted}))
        for reason in lab.missing:
            print("SKIP: %s" % reason)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            runs = [(guest.name + "@" + version,
                     pool.submit(lab.run, guest, version, "lab.steps=%s lab.stride=%d" % (
                         PROBES, chosen.stride), SECONDS))
                    for guest, version in wanted if lab.emulator(guest, version)]
            for name, future in runs:
                result = future.result()
                if chosen.keep:
                    with open(os.path.join(chosen.keep, name + ".steps"), "wb") as file:
                        file.write((result.files or {}).get("steps", result.console.encode()))
                print("%s: %.1f s" % (name, result.seconds))
                bad += [name + ": " + line for line in judge(name, result)]
    for line in bad:
        print("! " + line)
    if not runs:
        sys.exit(77)
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
