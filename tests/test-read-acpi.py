# SPDX-License-Identifier: LGPL-2.1-or-later
"""The firmware's tables of IOMMUs: what is in them, and what is refused at which offset.

Tables made here, whole and spoilt in each way; then all those of real boards, whose sub-tables and
feature registers were counted by another program, and those that QEMU makes.
"""

import collections
import csv
import glob
import os
import random
import struct

from decode_fixture import agree, decode, facts
from dictionary_fixture import Tally, recorded

HEAD = 36


def table(signature, body, revision=1, length=None):
    """A table of a body, its checksum right."""
    length = HEAD + len(body) if length is None else length
    head = struct.pack("<4sIBB6s8sI4sI", signature, length, revision, 0, b"CAPBRK", b"TESTTABL", 1,
                       b"TEST", 1)
    return seal(head + body)


def seal(data):
    return data[:9] + bytes([(data[9] - sum(data)) & 0xff]) + data[10:]


def dmar(*parts, width=38, flags=1):
    return table(b"DMAR", bytes([width, flags]) + bytes(10) + b"".join(parts))


def scope(kind, number, bus, *path, length=None):
    data = b"".join(bytes(hop) for hop in path)
    return bytes([kind, length or 6 + len(data), 0, 0, number, bus]) + data


def drhd(base, *scopes, flags=0, segment=0):
    body = b"".join(scopes)
    return struct.pack("<HHBBHQ", 0, 16 + len(body), flags, 0, segment, base) + body


def rmrr(base, limit, *scopes):
    body = b"".join(scopes)
    return struct.pack("<HHHHQQ", 1, 24 + len(body), 0, 0, base, limit) + body


def ivrs(*blocks, info=0x203041):
    return table(b"IVRS", struct.pack("<IQ", info, 0) + b"".join(blocks), 2)


def ivhd(kind, entries, efr=0, efr2=0):
    images = struct.pack("<QQ", efr, efr2) if kind != 0x10 else b""
    return struct.pack("<BBHHHQHHI", kind, 0xb0, 24 + len(images) + len(entries), 2, 0x40,
                       0xfd380000, 0, 0, 0x80048f6f) + images + entries


def iort(*nodes, count=None, offset=48):
    count = len(nodes) if count is None else count
    return table(b"IORT", struct.pack("<III", count, offset, 0) + b"".join(nodes), 3)


def node(kind, data, mappings=b"", count=None, offset=None):
    length = 16 + len(data) + len(mappings)
    count = len(mappings) // 20 if count is None else count
    offset = 16 + len(data) if offset is None else offset
    return struct.pack("<BHBIII", kind, length, 1, 0, count, offset) + data + mappings


def smmuv3(base, mappings=b"", **other):
    return node(4, struct.pack("<QII QI", base, 1, 0, 0, 0) + bytes(24), mappings, **other)


MAPPING = struct.pack("<IIIII", 0, 0xffff, 0, 48, 0)


def viot(*nodes, count=None, offset=48):
    count = len(nodes) if count is None else count
    return table(b"VIOT", struct.pack("<HHQ", count, offset, 0) + b"".join(nodes))


GOOD = [
    (dmar(drhd(0xfed90000, scope(1, 0, 0, (2, 0))), drhd(0xfed91000, flags=1),
          rmrr(0x9d000000, 0x9f7fffff, scope(1, 0, 0, (2, 0)))),
     [("drhd", {"base": "0xfed90000", "flags": 0, "segment": 0}),
      ("drhd", {"base": "0xfed91000", "flags": 1, "scopes": []}),
      ("rmrr", {"base": "0x9d000000", "limit": "0x9f7fffff"})],
     {"acpi.dmar.address-width": 39, "acpi.dmar.interrupt-remapping": True,
      "acpi.dmar.x2apic-opt-out": False, "acpi.reserved": ["0x9d000000-0x9f7fffff/rmrr"]}),
    (ivrs(ivhd(0x10, bytes(4)), ivhd(0x11, bytes([0xf0] + [0] * 20 + [3] + [0] * 3), 0x1234, 0x3d),
          struct.pack("<BBHHHQQQ", 0x22, 8, 32, 1, 2, 0, 0xa0000, 0x20000)),
     [("ivhd-10", {"base": "0xfd380000", "device_id": 2, "features": "0x80048f6f"}),
      ("ivhd-11", {"efr": "0x1234", "efr2": "0x3d"}),
      ("ivmd-22", {"base": "0xa0000", "size": "0x20000"})],
     # IVinfo 203041: bit 0 EFRSup; 14:8 011 0000 is 48; 21:15 100 0000 is 64
     {"acpi.ivrs.efr-supported": True, "acpi.ivrs.dma-protection": False,
      "acpi.ivrs.address-width": 48, "acpi.ivrs.virtual-address-width": 64,
      "acpi.reserved": ["0xa0000-0xbffff/ivmd"]}),
    (iort(smmuv3(0x9050000), node(2, struct.pack("<QIIBBHI", 0, 1, 0, 48, 0, 0, 0), MAPPING)),
     [("smmuv3", {"base": "0x9050000", "model": 0, "flags": 1}),
      ("root-complex", {"ats": 1, "segment": 0, "address_bits": 48})], {"acpi.reserved": []}),
    (viot(struct.pack("<BBHHHQ", 3, 0, 16, 0, 0x20, 0),
          struct.pack("<BBHIHHHHHHI", 1, 0, 24, 0, 0, 0, 0, 0xff, 48, 0, 0)),
     [("virtio-pci", {"segment": 0, "bdf": 0x20}),
      ("pci-range", {"bdf": 0, "last_bdf": 0xff, "node": 48})], {}),
    (dmar(flags=6), [], {"acpi.dmar.interrupt-remapping": False, "acpi.dmar.x2apic-opt-out": True,
                         "acpi.dmar.dma-protection": True}),
    (ivrs(info=2), [], {"acpi.ivrs.efr-supported": False, "acpi.ivrs.dma-protection": True}),
    # a type that nobody knows yet is kept
    (dmar(struct.pack("<HHI", 99, 8, 0)), [("type-0x63", {"offset": 48, "length": 8})], {}),
]

SMALL = dmar(drhd(0xfed90000))

# bytes → (offset, what is said)
BAD = [
    (b"", 0, "ends within the header"),
    (SMALL[:35], 35, "ends within the header"),
    (SMALL[:-1], 4, "a length beyond the bytes that are there"),
    (table(b"DMAR", bytes(12), length=0x10000), 4, "a length beyond the bytes"),
    (table(b"DMAR", bytes(12), length=20), 4, "a length below 36 bytes"),
    (table(b"DMAR", bytes(12), length=0xffffffff), 4, "above 4 MiB"),
    (SMALL[:50] + bytes([SMALL[50] ^ 1]) + SMALL[51:], 9, "wrong checksum"),
    (table(b"XSDT", bytes(12)), 0, "none of the tables DMAR,"),
    (table(b"DMAR", bytes(11)), 47, "ends before its sub-tables"),
    (dmar(bytes(3)), 48, "ends after the table"),
    (dmar(struct.pack("<HHI", 0, 0, 0)), 48, "a sub-table of no length"),
    (dmar(struct.pack("<HHI", 0, 3, 0)), 48, "a sub-table of no length"),
    (dmar(drhd(1), struct.pack("<HHI", 0, 0xffff, 0)), 64, "ends after the table"),
    (dmar(struct.pack("<HHI", 0, 8, 0)), 48, "too short for its type"),
    (dmar(drhd(1, scope(1, 0, 0, (2, 0), length=5))), 64, "a device scope of a length"),
    (dmar(drhd(1, scope(1, 0, 0, (2, 0), length=9))), 64, "a device scope of a length"),
    (dmar(drhd(1, b"\1")), 64, "a device scope of a length"),
    (ivrs(bytes(2)), 48, "ends after the table"),
    (ivrs(struct.pack("<BBH", 0x11, 0, 0)), 48, "a block of no length"),
    (ivrs(struct.pack("<BBH", 0x11, 0, 0x1000)), 48, "ends after the table"),
    (ivrs(struct.pack("<BBHQQ", 0x11, 0, 20, 0, 0)), 48, "too short for its type"),
    (ivrs(ivhd(0x10, bytes([0x42, 0, 0, 0]))), 72, "a device entry that ends after its block"),
    (ivrs(ivhd(0x40, bytes([0xf0] + [0] * 20 + [9]))), 88, "a device entry that ends"),
    (ivrs(ivhd(0x40, bytes([0xf0] + [0] * 3))), 88, "a device entry that ends"),
    (iort(smmuv3(1), offset=40), 40, "overlap the table's head"),
    (iort(smmuv3(1), count=2), 116, "a node that ends after the table"),
    (iort(smmuv3(1), offset=0xfffffff0), 0xfffffff0, "a node that ends after the table"),
    (iort(smmuv3(1), struct.pack("<BHBIII", 0, 4, 0, 0, 0, 0)), 116, "a node of no length"),
    (iort(smmuv3(1), struct.pack("<BHBIII", 0, 0xffff, 0, 0, 0, 0)), 116, "ends after the table"),
    (iort(smmuv3(1, MAPPING, offset=8)), 60, "id mappings that overlap their node's head"),
    (iort(smmuv3(1, MAPPING, count=2)), 56, "id mappings that end after their node"),
    (iort(smmuv3(1, MAPPING, count=0xffffffff)), 56, "id mappings that end after their node"),
    (iort(smmuv3(1, offset=0xffffffff, count=1)), 56, "id mappings that end after their node"),
    (iort(node(6, struct.pack("<III", 0, 2, 28) + bytes(20))), 68, "memory ranges outside"),
    (viot(count=1), 48, "a node that ends after the table"),
    (viot(bytes([1, 0, 0, 0]), count=1), 48, "a node of no length"),
    (viot(bytes([3, 0, 4, 0]), count=1), 48, "too short for its type"),
    (viot(bytes([3, 0, 0, 1]), count=1), 48, "ends after the table"),
    (viot(bytes(4), offset=8, count=1), 38, "overlap the table's head"),
    (iort(smmuv3(1), smmuv3(2, struct.pack("<IIIII", 0, 0xffff, 0, 52, 0))), 116,
     "an id mapping that leads to where no node is"),
    (viot(struct.pack("<BBHIHHHHHHI", 1, 0, 24, 0, 0, 0, 0, 0xff, 40, 0, 0)), 48,
     "leads to where no node is"),
]


def check_made(tally):
    answers = decode(["acpi " + data.hex() for data, _, _ in GOOD])
    for (data, parts, wanted), answer in zip(GOOD, answers):
        what = data[:4].decode()
        tally.check("error" not in answer, f"{what}: {answer.get('error')}")
        found = answer.get("table", {"subtables": []})["subtables"]
        tally.check([part["name"] for part in found] == [name for name, _ in parts], what)
        for part, (name, members) in zip(found, parts):
            for key, value in members.items():
                tally.check(part.get(key) == value, f"{name}: {key} is {part.get(key)}")
        agree(tally, facts(answer), wanted, what)


def check_refused(tally):
    answers = decode(["acpi " + data.hex() for data, _, _ in BAD])
    for (data, offset, words), answer in zip(BAD, answers):
        error = answer.get("error", "nothing")
        tally.check(error.startswith(f"test: offset {offset:#x}: ") and words in error
                    and "\n" not in error and "table" not in answer,
                    f"{data[:4]} {offset:#x} {words}: {error}")


def check_torn(tally):
    """Cut off anywhere, and with bytes changed at random (their checksum mended): never a crash."""
    dice = random.Random(4)
    requests = []
    for data, _, _ in GOOD:
        requests += ["acpi " + data[:end].hex() for end in range(len(data))]
        for _ in range(300):
            spoilt = bytearray(data)
            for _ in range(dice.randint(1, 4)):
                spoilt[dice.randrange(HEAD, len(data))] = dice.choice((0, 1, 255, dice.randrange(256)))
            requests.append("acpi " + seal(bytes(spoilt)).hex())
    answers = decode(requests)
    tally.check(all(("error" in answer) != ("table" in answer) for answer in answers), "torn")


def counted(answer):
    """The sub-tables as TABLES.tsv counts them: DRHD=2;RMRR=1, IVHD10=1, IVMD21=2."""
    names = collections.Counter()
    for part in answer["table"]["subtables"]:
        name = part["name"].upper().replace("-", "")
        if name.startswith("TYPE"):
            name = f"IVMD{part['type']:x}"
        names[name] += 1
    return ";".join(f"{name}={number}" for name, number in sorted(names.items()))


def read_rows(*path):
    with open(recorded(*path), encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def check_boards(tally):
    rows = {row["file"]: row for row in read_rows("acpi", "TABLES.tsv")}
    images = collections.defaultdict(list)
    for row in read_rows("acpi", "ivhd_efr.tsv"):
        images[row["machine"], row["file"]].append((row["ivhd_type"], row["efr"], row["efr2"]))
    images = {name: rows for (_, name), rows in images.items()}
    paths = sorted(glob.glob(os.path.join(recorded("acpi", "raw"), "*.dat")))
    answers = decode([f"acpi {open(path, 'rb').read().hex()}" for path in paths])
    for path, answer in zip(paths, answers):
        name = os.path.basename(path)
        row = rows[name]
        if row["parse_problem"]:
            tally.check("error" in answer, f"{name}: {row['parse_problem']}, and not refused")
            continue
        tally.check("error" not in answer, f"{name}: {answer.get('error')}")
        if "table" not in answer:
            continue
        tally.check(counted(answer) == row["subtables"], f"{name}: {counted(answer)}")
        tally.check(answer["table"]["revision"] == int(row["revision"]), f"{name}: revision")
        check_board(tally, answer, row, images.get(name), name)
    return len(paths)


def check_board(tally, answer, row, images, name):
    found = facts(answer)
    if row["table"] == "DMAR":
        tally.check(found["acpi.dmar.address-width"] == int(row["host_addr_width_or_ivinfo"]), name)
        tally.check(answer["table"]["flags"] == int(row["flags"]), name)
        return
    info = row["host_addr_width_or_ivinfo"].removeprefix("ivinfo=")
    tally.check(answer["table"]["iv_info"] == hex(int(info, 16)), f"{name}: IVinfo")
    ours = [(part["name"][5:], part) for part in answer["table"]["subtables"]
            if part["name"].startswith("ivhd-")]
    tally.check(len(ours) == len(images), f"{name}: {len(ours)} units")
    for (kind, part), (wanted, efr, efr2) in zip(ours, images):
        tally.check(kind == wanted, f"{name}: {kind}")
        for key, value in (("efr", efr), ("efr2", efr2)):
            tally.check(part.get(key) == (hex(int(value, 16)) if value else None),
                        f"{name}: {key} is {part.get(key)}, not {value}")


def check_qemu(tally):
    folder = recorded("acpi", "qemu")
    wanted = {"aarch64-virt-IORT": {"its-group", "root-complex"}, "x86-q35-DMAR.dmar": {"drhd"},
              "x86-q35-IVRS.ivrs": {"ivhd-10", "ivhd-11"},
              "aarch64-virt-VIOT": {"pci-range", "virtio-pci"},
              "x86-q35-VIOT.viot": {"pci-range", "virtio-pci"}}
    names = sorted(os.listdir(folder))
    answers = decode([f"acpi {open(os.path.join(folder, name), 'rb').read().hex()}"
                      for name in names])
    for name, answer in zip(names, answers):
        tally.check("error" not in answer, f"{name}: {answer.get('error')}")
        found = {part["name"] for part in answer.get("table", {"subtables": []})["subtables"]}
        tally.check(wanted.get(name, set()) <= found, f"{name}: {found}")


def requests():
    return ["acpi " + data.hex() for data, _, _ in GOOD]


def main():
    tally = Tally()
    check_made(tally)
    check_refused(tally)
    check_torn(tally)
    if tally.bad:
        tally.finish("tables")
    boards = check_boards(tally)
    check_qemu(tally)
    print(f"{boards} tables of real boards")
    tally.finish("members", least=1500)


main()
