# SPDX-License-Identifier: LGPL-2.1-or-later
"""vtd_maps.py: what a guest's driver does to an Intel IOMMU, as commands of QEMU's qtest: page
tables with one page at each of some addresses, for one device, and translation switched on.

VT-d 4.1: 9.1 root entry, 9.3 context entry, 9.8 second-stage paging entries, 11.4.4 global command,
11.4.5 root table address, 11.4.6 and 11.4.9 invalidation (by registers).
"""

import re

UNIT = 0xfed90000
GCMD, RTADDR, CCMD, IOTLB = 0x18, 0x20, 0x28, 0xf8
ROOT, CONTEXT, TABLES, TARGET = 0x10000, 0x11000, 0x20000, 0x8000
READ_WRITE = 3
SLOT = 6  # of the device on bus 0


def tables(addresses, levels):
    """Words of page tables that translate each page to one and the same: address → value."""
    words, places, free = {}, {(): TABLES}, TABLES + 0x1000
    for address in addresses:
        path = ()
        for level in range(levels, 0, -1):
            index = address >> (12 + 9 * (level - 1)) & 511
            entry = places[path] + 8 * index
            path += (index,)
            if level == 1:
                words[entry] = TARGET | READ_WRITE
            elif path not in places:
                places[path], free = free, free + 0x1000
                words[entry] = places[path] | READ_WRITE
    return words


def commands(addresses, bits):
    """Lines for qtest."""
    levels = {39: 3, 48: 4}[bits]
    words = {ROOT: CONTEXT | 1, CONTEXT + (SLOT << 3) * 16: TABLES | 1,
             CONTEXT + (SLOT << 3) * 16 + 8: 1 << 8 | levels - 2, **tables(addresses, levels)}
    lines = ["writeq %#x %#x" % pair for pair in words.items()]
    for register, size, value in ((RTADDR, "q", ROOT), (GCMD, "l", 1 << 30), (CCMD, "q", 5 << 61),
                                  (IOTLB, "q", 9 << 60), (GCMD, "l", 1 << 31)):
        lines.append("write%s %#x %#x" % (size, UNIT + register, value))
    return "\n".join(lines) + "\n"


def failed(said):
    """Addresses that VFIO couldn't map for the guest, as QEMU told."""
    return {int(found, 16) for found in re.findall(
        r"dma_map\(0x[0-9a-f]+, (0x[0-9a-f]+), 0x1000\b[^\n]* = -22", said)}


def notified(said):
    """Addresses that the IOMMU told VFIO of, by its trace."""
    return {int(found, 16) for found in re.findall(
        r"vfio_iommu_map_notify iommu MAP @ (?:0x)?([0-9a-f]+) - ", said)}
