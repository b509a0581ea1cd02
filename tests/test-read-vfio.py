# SPDX-License-Identifier: LGPL-2.1-or-later
"""What VFIO and iommufd answer: type1's chain of capabilities, reserved regions and what they leave,
migration flags, POWER's windows; and the answers recorded in guests, which another program took."""

import glob
import json
import os
import random
import struct

from decode_fixture import agree, decode, facts
from dictionary_fixture import Tally, recorded


def header(ident, version, following):
    return struct.pack("<HHI", ident, version, following)


def info(chain=b"", flags=3, first=24, sizes=0x40201000):
    return struct.pack("<IIQII", 24 + len(chain), flags, sizes, first, 0) + chain


def ranges(*pairs, following=0, version=1, count=None):
    count = len(pairs) if count is None else count
    return header(1, version, following) + struct.pack("<II", count, 0) + \
        b"".join(struct.pack("<QQ", *pair) for pair in pairs)


RANGES = ranges((0, 0xfedfffff), (0xfef00000, 0x7fffffffff), following=24 + 48)
MIGRATION = header(2, 1, 24 + 80) + struct.pack("<IIQQ", 0, 0, 0x1000, 1 << 28)
AVAILABLE = header(3, 1, 0) + struct.pack("<I", 65535)

GOOD = {
    "a whole chain": (info(RANGES + MIGRATION + AVAILABLE),
                      {"vfio.type1.page-sizes": "0x40201000",
                       "vfio.type1.ranges": [["0x0", "0xfedfffff"],
                                             ["0xfef00000", "0x7fffffffff"]],
                       "vfio.type1.dirty-page-sizes": "0x1000",
                       "vfio.type1.dirty-bitmap-max": 1 << 28,
                       "vfio.type1.dma-available": 65535}),
    "page sizes alone": (info(flags=1), {"vfio.type1.page-sizes": "0x40201000",
                                         "vfio.type1.ranges": None}),
    "an early kernel": (info(flags=1)[:16], {"vfio.type1.page-sizes": "0x40201000"}),
    "no flags": (info(flags=0), {"vfio.type1.page-sizes": None}),
    "no chain": (info(first=0), {"vfio.type1.ranges": None}),
    "a version of its own": (info(ranges((0, 1), version=2)),
                             {"vfio.unnamed.type1-capability.1.2": True,
                              "vfio.type1.ranges": None}),
    "a new capability": (info(header(9, 1, 0)), {"vfio.unnamed.type1-capability.9.1": True}),
}

# what it is → (bytes, offset, what is said)
BAD = {
    "nothing": (b"", 0, "16 bytes or more"),
    "15 bytes": (info()[:15], 15, "16 bytes or more"),
    "a chain beyond": (info(first=25), 25, "outside the answer"),
    "a chain far beyond": (info(first=0xfffffff0), 0xfffffff0, "outside the answer"),
    "half a header": (info(b"\1\0\1\0"), 24, "outside the answer"),
    "ranges that end early": (info(ranges((0, 1), count=2)), 24, "ends outside"),
    "as many as can be said": (info(ranges((0, 1), count=0xffffffff)), 24, "ends outside"),
    "a range backwards": (info(ranges((2, 1))), 24, "ends before it starts"),
    "a loop": (info(header(9, 1, 32) + header(9, 1, 24)), 24, "the chain of capabilities loops"),
    "a loop on itself": (info(header(9, 1, 24)), 24, "loops"),
    "tracking cut off": (info(MIGRATION[:24]), 24, "too short for what is said of tracking"),
    "mappings cut off": (info(AVAILABLE[:8]), 24, "too short for a number"),
    "more than anybody has": (info(b"".join(header(9, 1, 32 + 8 * i) for i in range(300))),
                              24 + 8 * 256, "more than 256"),
}


def check_chain(tally):
    answers = decode([f"type1 {row[0].hex()}" for row in GOOD.values()])
    for (name, (_, wanted)), answer in zip(GOOD.items(), answers):
        tally.check("error" not in answer, f"{name}: {answer.get('error')}")
        agree(tally, facts(answer), wanted, name)
    answers = decode([f"type1 {row[0].hex()}" for row in BAD.values()])
    for (name, (_, offset, words)), answer in zip(BAD.items(), answers):
        error = answer.get("error", "nothing")
        tally.check(error.startswith(f"test: offset {offset:#x}: ") and words in error,
                    f"{name}: {error}")


def check_torn(tally):
    dice = random.Random(6)
    whole = info(RANGES + MIGRATION + AVAILABLE)
    requests = [f"type1 {whole[:end].hex()}" for end in range(len(whole))]
    for _ in range(500):
        spoilt = bytearray(whole)
        spoilt[dice.randrange(len(whole))] = dice.randrange(256)
        requests.append(f"type1 {spoilt.hex()}")
    tally.check(len(decode(requests)) == len(requests), "torn")


REGIONS = """0x00000000fee00000 0x00000000feefffff msi
0x000000fd00000000 0x000000ffffffffff reserved
0x000000009d000000 0x000000009f7fffff direct-relaxable
0x0000000000000000 0x0000000000000fff direct
"""


def check_regions(tally):
    last = 0xffffffffffffffff
    # (regions, first, last, what is left): holes at either end, none, all, one that touches another
    rows = [
        (REGIONS, 0, (1 << 48) - 1, [["0x1000", "0xfedfffff"], ["0xfef00000", "0xfcffffffff"],
                                     ["0x10000000000", "0xffffffffffff"]]),
        ("", 0, last, [["0x0", "0xffffffffffffffff"]]),
        ("0x0 0xffffffffffffffff reserved\n", 0, last, []),
        ("0x8000 0xffffffffffffffff msi\n", 0, last, [["0x0", "0x7fff"]]),
        ("0x0 0xfff direct\n0x1000 0x1fff msi\n", 0, 0x2fff, [["0x2000", "0x2fff"]]),
        ("0x1000 0x3fff msi\n0x2000 0x2fff msi\n", 0, 0x4fff, [["0x0", "0xfff"],
                                                              ["0x4000", "0x4fff"]]),
        ("0x5000 0x5fff msi\n", 0, 0x4fff, [["0x0", "0x4fff"]]),
    ]
    answers = decode([f"reserved {text.encode().hex()} {first} {end}"
                      for text, first, end, _ in rows])
    for (text, _, _, left), answer in zip(rows, answers):
        agree(tally, facts(answer), {"iommu.ranges": left, "iommu.alignment": 4096}, text)
    agree(tally, facts(answers[0]), {"iommu.reserved": [
        "0xfee00000-0xfeefffff/msi", "0xfd00000000-0xffffffffff/reserved",
        "0x9d000000-0x9f7fffff/direct-relaxable", "0x0-0xfff/direct"]}, "regions")
    for text, line in (("0x1 0x0 msi\n", 1), ("0x1 0x2\n", 1), ("0x0 0x1 msi\nmsi\n", 2),
                       ("0x0 0x1 msi more\n", 1), ("0x 0x1 msi\n", 1), ("0x0 0x-1 msi\n", 1),
                       ("0x0 0x11111111111111111 msi\n", 1), ("0x0 0x1 " + "m" * 40 + "\n", 1)):
        error = decode([f"reserved {text.encode().hex()} 0 1"])[0].get("error", "nothing")
        tally.check(error == f"test: line {line}: expected '0xFIRST 0xLAST TYPE'",
                    f"{text!r}: {error}")


SMALL = ["migration 7", "migration 1", "migration 0x19",
         "spapr 1 0x1000 0x80000000 0x1011000 1 5", "spapr 0 0 0x40000000 0 0 0"]


def check_small(tally):
    answers = decode(SMALL)
    wanted = [
        {"vfio.migration.stop-copy": True, "vfio.migration.p2p": True,
         "vfio.migration.pre-copy": True},
        {"vfio.migration.stop-copy": True, "vfio.migration.p2p": False},
        {"vfio.unnamed.migration.3": True, "vfio.unnamed.migration.4": True},
        {"spapr.ddw": True, "spapr.dma32-window-start": 0x1000, "spapr.dma32-window-size": 1 << 31,
         "spapr.ddw-page-sizes": "0x1011000", "spapr.ddw-windows": 1, "spapr.ddw-levels": 5},
        {"spapr.ddw": False, "spapr.dma32-window-size": 1 << 30, "spapr.ddw-windows": None},
    ]
    for answer, row in zip(answers, wanted):
        agree(tally, facts(answer), row, str(row))


TYPES = {0: "none", 1: "vtd", 2: "smmuv3", 4: "amd"}


def check_guest(tally, path):
    """One answer of IOMMU_GET_HW_INFO, recorded in a guest, with the fields its recorder told."""
    with open(path, encoding="utf-8") as file:
        told = json.load(file)
    found = told.get("hw_info", {})
    if found.get("rc") != 0:
        return 0
    answer = decode([f"hwinfo {found['type']} {found['out_max_pasid_log2']} "
                     f"{found['out_capabilities']} 7002 {found.get('data', '')}"])[0]
    tally.check("error" not in answer, f"{path}: {answer.get('error')}")
    agree(tally, facts(answer), {
        "hwinfo.type": TYPES[found["type"]], "hwinfo.max-pasid-log2": found["out_max_pasid_log2"],
        "hwinfo.dirty-tracking": bool(found["out_capabilities"] & 1),
        "hwinfo.ats-not-supported": bool(found["out_capabilities"] & 8)}, path)
    if "hw_info_vtd" in told:
        agree(tally, facts(answer, "unit", "raw"),
              {"vtd.cap": told["hw_info_vtd"]["cap_reg"],
               "vtd.ecap": told["hw_info_vtd"]["ecap_reg"]}, path)
    return 1


def check_guests(tally):
    folder = recorded("iommu-guests")
    paths = sorted(glob.glob(os.path.join(folder, "*", "iommufd-*.json")))
    answered = sum(check_guest(tally, path) for path in paths)
    print(f"{answered} answers of guests")
    tally.check(answered >= 10, f"{answered} answers of {len(paths)} files")


def requests():
    return [f"type1 {data.hex()}" for data, _ in GOOD.values()] + SMALL + \
        [f"reserved {REGIONS.encode().hex()} 0 0xffffffffffff"]


def main():
    tally = Tally()
    check_chain(tally)
    check_torn(tally)
    check_regions(tally)
    check_small(tally)
    if tally.bad:
        tally.finish("facts")
    check_guests(tally)
    tally.finish("facts", least=100)


main()
