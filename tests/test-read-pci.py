# SPDX-License-Identifier: LGPL-2.1-or-later
"""Configuration space: what is read of it, what is refused at which offset, and that it is what
lspci prints of the same bytes (pciutils' own dumps, and a few raw files)."""

import os
import random
import re
import shutil
import struct
import subprocess

from decode_fixture import agree, decode, facts
from dictionary_fixture import Tally, recorded, scratch

SRIOV = struct.pack("<IHHHHHBBHHHHII", 0x2, 0x9, 0, 8, 16, 4, 0, 0, 0x180, 2, 0, 0x10ca, 0x553, 1)
# source validation, request redirect, completion redirect, upstream forwarding
ACS_ALL = 0x1d


class Space:
    """4096 bytes of a device, to be filled in."""

    def __init__(self, header=0, listed=True, first=0x40):
        self.data = bytearray(4096)
        self.data[0:4] = struct.pack("<HH", 0x8086, 0x10d3)
        self.data[6:8] = struct.pack("<H", 0x10 if listed else 0)
        self.data[8:12] = bytes([3, 0, 0, 2])
        self.data[0x0e] = header
        self.data[0x2c:0x30] = struct.pack("<HH", 0x8086, 0xa01f)
        self.data[0x34] = first

    def cap(self, at, ident, following, body=b""):
        self.data[at:at + 2 + len(body)] = bytes([ident, following]) + body
        return self

    def express(self, at=0x40, following=0, kind=0, flr=True):
        return self.cap(at, 0x10, following, struct.pack("<HI", 2 | kind << 4, flr << 28))

    def ext(self, at, ident, following, body=b""):
        head = struct.pack("<I", ident | 1 << 16 | following << 20)
        self.data[at:at + 4 + len(body)] = head + body
        return self

    def hex(self, length=4096):
        return bytes(self.data[:length]).hex()


def device():
    """A device that has all of it."""
    return (Space().cap(0x40, 5, 0x50).cap(0x50, 0x11, 0x60, bytes(2)).express(0x60)
            .ext(0x100, 0x0f, 0x120, struct.pack("<HH", 0x65, 0x8003))
            .ext(0x120, 0x13, 0x140, struct.pack("<HHII", 1, 0x8100, 64, 32))
            .ext(0x140, 0x1b, 0x160, struct.pack("<HH", 0x1404, 1))
            .ext(0x160, 0x10, 0x1a0, SRIOV)
            .ext(0x1a0, 0x0d, 0x1c0, struct.pack("<HH", 0x5f, ACS_ALL))
            .ext(0x1c0, 0x0e, 0, bytes(4)))


ALL = {
    "pci.id": "8086:10d3:8086:a01f", "pci.class": "0x020000", "pci.revision": 3,
    "pci.header": "device", "pci.multifunction": False, "pci.port-type": "endpoint",
    "pci.msi": True, "pci.msix": True, "pci.flr": True, "pci.ari": True,
    "pci.ats": True, "pci.ats-queue-depth": 5, "pci.ats-page-aligned": True,
    "pci.ats-global-invalidate": True, "pci.ats-enabled": True, "pci.ats-smallest-unit": 3,
    "pci.pri": True, "pci.pri-enabled": True, "pci.pri-pasid-required": True,
    "pci.pri-capacity": 64, "pci.pasid": True, "pci.pasid-exec": False, "pci.pasid-priv": True,
    "pci.pasid-width": 20, "pci.pasid-enabled": True, "pci.sriov": True,
    "pci.sriov-enabled": True, "pci.sriov-ari-preserved": True, "pci.sriov-initial-vfs": 8,
    "pci.sriov-total-vfs": 16, "pci.sriov-num-vfs": 4, "pci.sriov-vf-offset": 0x180,
    "pci.sriov-vf-stride": 2, "pci.sriov-vf-device": "0x10ca", "pci.sriov-page-sizes": "0x553",
    "pci.acs": True, "pci.acs-source-validation": True, "pci.acs-egress-control": False,
    "pci.acs-direct-translated": True, "pci.isolated": True, "pci.config-complete": True,
    "pci.acs-enabled": ["source-validation", "request-redirect", "completion-redirect",
                        "upstream-forwarding"],
    "pci.capabilities": ["05", "11", "10", "ext-000f", "ext-0013", "ext-001b", "ext-0010",
                         "ext-000d", "ext-000e"],
}
NONE = {f"pci.{name}": "ABSENT" for name in ("msi", "msix", "ats", "pri", "pasid", "sriov", "acs")}
UNREAD = {f"pci.{name}": "UNREADABLE" for name in ("ats", "pri", "pasid", "sriov", "acs")}


def port(kind, acs=None, control=ACS_ALL, header=1):
    space = Space(header).express(kind=kind)
    return space.ext(0x100, 0x0d, 0, struct.pack("<HH", acs, control)) if acs is not None else space


# what it is → (bytes, facts)
GOOD = {
    "everything": (device().hex(), ALL),
    "without privilege": (device().hex(64), {**UNREAD, "pci.msi": "UNREADABLE", "pci.flr": None,
                                             "pci.config-complete": False,
                                             "pci.isolated": None}),
    "256 bytes": (device().hex(256), {**UNREAD, "pci.msi": True, "pci.flr": True,
                                      "pci.config-complete": False}),
    "cut within a list": (device().hex(0x148), {"pci.ats": True, "pci.pri": True,
                                                "pci.sriov": "UNREADABLE"}),
    "nothing": (Space(listed=False).hex(), {**NONE, "pci.port-type": "conventional",
                                            "pci.flr": False, "pci.isolated": False,
                                            "pci.config-complete": True}),
    "advanced features": (Space().cap(0x40, 0x13, 0, bytes([6, 2])).hex(256),
                          {"pci.flr": True, "pci.ats": "ABSENT"}),
    "extended list of nothing": (Space().express().hex(), {**NONE, "pci.isolated": True}),
    "function of several": (Space(0x80).express().hex(), {"pci.multifunction": True,
                                                          "pci.isolated": False}),
    "port without ACS": (port(4).hex(), {"pci.port-type": "root-port", "pci.isolated": False}),
    "port, ACS off": (port(6, ACS_ALL, 0).hex(), {"pci.acs": True, "pci.isolated": False,
                                                  "pci.acs-enabled": []}),
    "port, all of ACS": (port(4, 0x7f).hex(), {"pci.isolated": True, "pci.header": "bridge"}),
    "port, a part on": (port(4, 0x7f, 0xd).hex(), {"pci.isolated": False}),
    "port that can't do all": (port(4, 0xd, 0xd).hex(), {"pci.isolated": True}),
    "upstream port": (port(5).hex(), {"pci.port-type": "upstream-port", "pci.isolated": True}),
    "bridge to PCI": (port(7, ACS_ALL).hex(), {"pci.port-type": "pcie-to-pci-bridge",
                                               "pci.isolated": False}),
    "bits of no name": (Space().express().ext(0x100, 0x0f, 0, struct.pack("<HH", 0x4100, 0)).hex(),
                        {"pci.unnamed.ats.8": True, "pci.unnamed.ats.14": True}),
}


def loop_of_caps():
    return Space().cap(0x40, 5, 0x50).cap(0x50, 0x11, 0x60, bytes(2)).cap(0x60, 9, 0x50)


def loop_of_extended():
    return (Space().express().ext(0x100, 0x0f, 0x140, bytes(4)).ext(0x140, 3, 0x180)
            .ext(0x180, 3, 0x140))


# what it is → (bytes, offset, what is said, facts found before)
BAD = {
    "no bytes": ("", 0, "64 bytes or more", {}),
    "63 bytes": (device().hex(63), 63, "64 bytes or more", {}),
    "gone": ("ff" * 4096, 0, "doesn't answer", {"pci.id": None}),
    "a loop": (loop_of_caps().hex(), 0x50, "the list of capabilities loops",
               {"pci.msi": True, "pci.msix": True, "pci.ats": "UNREADABLE"}),
    "a loop on itself": (Space().cap(0x40, 5, 0x40).hex(), 0x40, "loops", {"pci.msi": True}),
    "into the header": (Space().cap(0x40, 5, 0x10).hex(), 0x10, "within the header", {}),
    "all ones": (Space().cap(0x40, 0xff, 0xff).hex(), 0x40, "all ones", {}),
    "at the end": (Space(first=0xfc).express(at=0xfc).hex(256), 0xfc, "ends after its space", {}),
    "a loop of extended ones": (loop_of_extended().hex(), 0x140, "extended capabilities loops",
                                {"pci.ats": True, "pci.sriov": "UNREADABLE",
                                 "pci.config-complete": False}),
    "extended, on itself": (Space().express().ext(0x100, 3, 0x100).hex(), 0x100, "loops", {}),
    "extended, below": (Space().express().ext(0x100, 3, 0x44).hex(), 0x44, "below 0x100", {}),
    "extended, at the end": (Space().express().ext(0x100, 3, 0xff0).ext(0xff0, 0x10, 0).hex(),
                             0xff0, "ends after its space", {}),
}


def check_made(tally):
    for (name, (data, wanted)), answer in zip(GOOD.items(),
                                              decode(["pci " + row[0] for row in GOOD.values()])):
        tally.check("error" not in answer, f"{name}: {answer.get('error')}")
        agree(tally, facts(answer), wanted, name)


def check_refused(tally):
    answers = decode(["pci " + row[0] for row in BAD.values()])
    for (name, (_, offset, words, wanted)), answer in zip(BAD.items(), answers):
        error = answer.get("error", "nothing")
        tally.check(error.startswith(f"test: offset {offset:#x}: ") and words in error
                    and "\n" not in error, f"{name}: {error}")
        agree(tally, facts(answer), wanted, name)


def check_torn(tally):
    dice = random.Random(5)
    whole = device().hex()
    requests = ["pci " + whole[:2 * end] for end in range(0, 4097, 3)]
    for _ in range(1000):
        spoilt = device()
        for _ in range(dice.randint(1, 6)):
            spoilt.data[dice.choice((0x34, 0x41, 0x51, 0x61, 0x102, 0x103, 0x122, 0x143,
                                     dice.randrange(4096)))] = dice.randrange(256)
        requests.append("pci " + spoilt.hex())
    answers = decode(requests)
    tally.check(len(answers) == len(requests), "torn")


def dumped(text):
    """address → bytes, of what lspci -xxx prints."""
    spaces, address = {}, None
    for line in text.splitlines():
        head = re.match(r"((?:[0-9a-f]{4,}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]) ", line)
        row = re.match(r"([0-9a-f]{2,3}):((?: [0-9a-f]{2}){1,16})$", line)
        if head:
            address = head[1] if head[1].count(":") == 2 else "0000:" + head[1]
            spaces[address] = bytearray()
        elif row and address and int(row[1], 16) == len(spaces[address]):
            spaces[address] += bytes.fromhex(row[2])
    return {name: bytes(data) for name, data in spaces.items() if len(data) >= 64}


def sign(text, name):
    found = re.search(name + r"([+-])", text)
    return found[1] == "+" if found else None


def number(text, pattern, base=10):
    found = re.search(pattern, text)
    return int(found[1], base) if found else None


def printed(text):
    """What lspci says of one device, as our facts; only what it says."""
    told = {}
    block = re.search(r"ATSCap:\s*(.*)\n\s*ATSCtl:\s*(.*)", text)
    if block:
        told.update({"pci.ats": True,
                     "pci.ats-queue-depth": number(block[1], r"Queue Depth: ([0-9a-f]+)", 16),
                     "pci.ats-enabled": sign(block[2], "Enable"),
                     "pci.ats-smallest-unit": number(block[2], r"Unit: ([0-9a-f]+)", 16)})
    block = re.search(r"PRICtl:\s*(.*)", text)
    if block:
        told.update({"pci.pri": True, "pci.pri-enabled": sign(block[1], "Enable"),
                     "pci.pri-capacity": number(text, r"Request Capacity: ([0-9a-f]+)", 16)})
    block = re.search(r"PASIDCap:\s*(.*)\n\s*PASIDCtl:\s*(.*)", text)
    if block:
        told.update({"pci.pasid": True, "pci.pasid-exec": sign(block[1], "Exec"),
                     "pci.pasid-priv": sign(block[1], "Priv"),
                     "pci.pasid-width": number(block[1], r"Width: ([0-9a-f]+)", 16),
                     "pci.pasid-enabled": sign(block[2], "Enable")})
    block = re.search(r"IOVCtl:\s*(.*)", text)
    if block:
        told.update({"pci.sriov": True, "pci.sriov-enabled": sign(block[1], "Enable"),
                     "pci.sriov-initial-vfs": number(text, r"Initial VFs: (\d+)"),
                     "pci.sriov-total-vfs": number(text, r"Total VFs: (\d+)"),
                     "pci.sriov-num-vfs": number(text, r"Number of VFs: (\d+)"),
                     "pci.sriov-vf-offset": number(text, r"VF offset: (\d+)"),
                     "pci.sriov-vf-stride": number(text, r"stride: (\d+)")})
    told.update(printed_acs(text))
    return told


def printed_acs(text):
    words = {"SrcValid": "source-validation", "TransBlk": "translation-blocking",
             "ReqRedir": "request-redirect", "CmpltRedir": "completion-redirect",
             "UpstreamFwd": "upstream-forwarding", "EgressCtrl": "egress-control",
             "DirectTrans": "direct-translated"}
    block = re.search(r"ACSCap:\s*(.*)\n\s*ACSCtl:\s*(.*)", text)
    if not block:
        return {}
    told = {f"pci.acs-{ours}": sign(block[1], word) for word, ours in words.items()}
    told["pci.acs"] = True
    told["pci.acs-enabled"] = [ours for word, ours in words.items() if sign(block[2], word)]
    return told


def lspci(path):
    text = subprocess.run(["lspci", "-D", "-F", path, "-vvv"], text=True, capture_output=True,
                          check=True).stdout
    return {block.split(" ", 1)[0]: block for block in re.split(r"\n\n+", text) if block.strip()}


# lspci has a word for each of these lists; where it has none of them, we must not have any either.
LISTS = ("pci.ats", "pci.pri", "pci.pasid", "pci.sriov", "pci.acs")


def check_dump(tally, path):
    with open(path, encoding="utf-8", errors="replace") as file:
        spaces = dumped(file.read())
    blocks = lspci(path)
    answers = decode([f"pci {data.hex()}" for data in spaces.values()])
    for (address, data), answer in zip(spaces.items(), answers):
        what = f"{os.path.basename(path)} {address}"
        told, found = printed(blocks[address]), facts(answer)
        if "error" in answer:
            tally.check("broken" in path or "loops" in blocks[address], f"{what}: {answer['error']}")
            continue
        agree(tally, found, told, what)
        for name in LISTS:
            tally.check((found.get(name) is True) == (name in told), f"{what}: {name}")
    return len(spaces)


def check_raw(tally, folder):
    """Raw files, as dumps that lspci takes."""
    with scratch() as place:
        total = 0
        for name in sorted(os.listdir(folder)):
            with open(os.path.join(folder, name), "rb") as file:
                data = file.read()
            path = os.path.join(place, name)
            with open(path, "w", encoding="utf-8") as file:
                file.write("00:00.0 Device\n")
                for at in range(0, len(data), 16):
                    file.write(f"{at:02x}: {data[at:at + 16].hex(' ')}\n")
            total += check_dump(tally, path)
        return total


def requests():
    return ["pci " + data for data, _ in GOOD.values()]


def main():
    tally = Tally()
    check_made(tally)
    check_refused(tally)
    check_torn(tally)
    if tally.bad:
        tally.finish("facts")
    folder = recorded("pci")
    if not shutil.which("lspci"):
        print("skipped: no lspci to compare with (pciutils)")
        raise SystemExit(77)
    dumps = [name for name in sorted(os.listdir(folder)) if os.path.isfile(os.path.join(folder, name))]
    devices = sum(check_dump(tally, os.path.join(folder, name)) for name in dumps)
    raw = check_raw(tally, os.path.join(folder, "libvirt-config"))
    tally.check(len(dumps) == 27 and raw == 10, f"{len(dumps)} dumps, {raw} raw files")
    print(f"{len(dumps)} dumps with {devices} devices, {raw} raw files")
    tally.finish("facts", least=500)


main()
