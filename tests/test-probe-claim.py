# SPDX-License-Identifier: LGPL-2.1-or-later
"""What may not be claimed is refused with one line, and nothing is changed by asking.

Claims that succeed need a kernel with VFIO: tests/lab.
"""

import glob
import os

from probe_fixture import check, done, probe, refused, scratch


def refusals():
    check("no such PCI device" in refused("--claim", "ffff:ff:1f.7"), "a device that isn't there")
    check("no such mediated device" in
          refused("--claim", "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001"), "a UUID that isn't there")
    for name in ("", "00:02.0", "eth0", "../0000:00:02.0", "0000:00:02.0\n", "0000:00:02.00"):
        check("neither a PCI address nor a UUID" in refused("--claim", name), f"--claim {name!r}")
    check("--claim" in refused("--replay", "/nowhere", "--claim", "0000:00:02.0"), "in a replay")
    check("--claim" in refused("--connect", "qemu+ssh://r1n04/system", "--claim", "0000:00:02.0"),
          "of another host")


def in_use():
    """No device of this machine that it stands on is taken, nor is anything changed by asking."""
    with scratch() as folder:
        recording = os.path.join(folder, "r")
        probe("--only", "pci", "--record", recording, "--output", os.path.join(folder, "p"))
        with open(os.path.join(recording, "pci-in-use"), encoding="utf-8") as file:
            used = {line.split()[0] for line in file}
    for address in sorted(used)[:8]:
        driver = os.path.realpath(f"/sys/bus/pci/devices/{address}/driver")
        refused("--claim", address)
        check(os.path.realpath(f"/sys/bus/pci/devices/{address}/driver") == driver,
              f"{address} lost its driver")
        override = f"/sys/bus/pci/devices/{address}/driver_override"
        if os.path.exists(override):
            with open(override, encoding="utf-8") as file:
                check(file.read().strip() in ("", "(null)"), f"{address} has an override")
    bridges = [os.path.basename(os.path.dirname(p)) for p in glob.glob("/sys/bus/pci/devices/*/class")
               if open(p, encoding="utf-8").read().startswith("0x06")]
    for address in bridges[:2]:
        refused("--claim", address)


refusals()
in_use()
done()
