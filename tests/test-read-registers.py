# SPDX-License-Identifier: LGPL-2.1-or-later
"""Registers of IOMMUs decode to what they say.

Two ways: all rows of registers collected from public boot logs, against fields that were computed
beside them; and ten rows of different generations against what a person derived from the
specifications' layout, byte by byte, as is told at each.
"""

import csv

from decode_fixture import agree, decode, facts
from dictionary_fixture import Tally, dictionary, recorded

# dec_* column → (fact, how the column writes its value)
VTD = {
    "mgaw": ("vtd.cap.mgaw", int), "sagaw": ("vtd.cap.sagaw", str), "nd": ("vtd.cap.nd", int),
    "sllps": ("vtd.cap.sslps", str), "cm": ("vtd.cap.cm", bool), "psi": ("vtd.cap.psi", bool),
    "pi": ("vtd.cap.pi", bool), "fl1gp": ("vtd.cap.fs1gp", bool),
    "fl5lp": ("vtd.cap.fs5lp", bool), "c_coh": ("vtd.ecap.c", bool), "qi": ("vtd.ecap.qi", bool),
    "dt": ("vtd.ecap.dt", bool), "ir": ("vtd.ecap.ir", bool), "eim": ("vtd.ecap.eim", bool),
    "pt": ("vtd.ecap.pt", bool), "sc": ("vtd.ecap.sc", bool), "prs": ("vtd.ecap.prs", bool),
    "pasid": ("vtd.ecap.pasid", bool), "smts": ("vtd.ecap.smts", bool),
    "slts": ("vtd.ecap.ssts", bool), "flts": ("vtd.ecap.fsts", bool),
    "nest": ("vtd.ecap.nest", bool),
}

# The bits of EFR that the kernel's log names, by the word it has for them.
AMD_LOG = {"PreF": "prefsup", "PPR": "pprsup", "X2APIC": "xtsup", "NX": "nxsup", "GT": "gtsup",
           "IA": "iasup", "GA": "gasup", "HE": "hesup", "PC": "pcsup", "[5]": "gappisup"}

# (request, facts): each derived by hand from the layout in VT-d 4.1, 11.4.2 and 11.4.3, and AMD
# 48882; bytes are counted from the lowest, the number before each is its offset.
BY_HAND = [
    # Sandy Bridge, graphics unit. CAP bytes 0: 62, 1: 02, 2: e6, 3: 20, 4: 00, 5: 00, 6: c0, 7: 00.
    # 62 = 0110 0010: ND 2, i.e. 2^(4+2*2); PLMR and PHMR. 02: SAGAW bit 1, 39 bits. e6 = 1110 0110:
    # MGAW 10 0110 = 38, plus one; ZLR and ISOCH. 20: FRO 0x20 * 16. c0: MAMV 0, DWD and DRD.
    # ECAP 0: 1a = 0001 1010: QI, IR, EIM. 1: 10: IRO 0x10 * 16. 2: f0: MHMV 15.
    ("vtd 0xc0000020e60262 0xf0101a",
     {"vtd.cap.nd": 256, "vtd.cap.plmr": True, "vtd.cap.phmr": True, "vtd.cap.cm": False,
      "vtd.cap.rwbf": False, "vtd.cap.sagaw": "0x2", "vtd.cap.mgaw": 39, "vtd.cap.zlr": True,
      "vtd.cap.isoch": True, "vtd.cap.fro": 0x200, "vtd.cap.sslps": "0x0", "vtd.cap.psi": False,
      "vtd.cap.nfr": 1, "vtd.cap.mamv": 0, "vtd.cap.dwd": True, "vtd.cap.drd": True,
      "vtd.ecap.c": False, "vtd.ecap.qi": True, "vtd.ecap.ir": True, "vtd.ecap.eim": True,
      "vtd.ecap.pt": False, "vtd.ecap.iro": 0x100, "vtd.ecap.mhmv": 15,
      "vtd.ecap.pss": "ABSENT"}),
    # The other unit of it. 4: 80: PSI, no large pages. 6: c9 = 1100 1001: MAMV 9. ECAP 0: 5a =
    # 0101 1010: PT besides.
    ("vtd 0xc9008020660262 0xf0105a",
     {"vtd.cap.psi": True, "vtd.cap.sslps": "0x0", "vtd.cap.mamv": 9, "vtd.cap.isoch": False,
      "vtd.cap.mgaw": 39, "vtd.ecap.pt": True, "vtd.ecap.sc": False, "vtd.ecap.dt": False}),
    # Haswell, client. 1: 04: 48 bits, though 2: 66 says MGAW 39. 6: d2 = 1101 0010: MAMV 18. ECAP
    # 0: da = 1101 1010: SC and PT.
    ("vtd 0xd2008020660462 0xf010da",
     {"vtd.cap.sagaw": "0x4", "vtd.cap.mgaw": 39, "vtd.cap.mamv": 18, "vtd.ecap.sc": True,
      "vtd.ecap.pt": True, "vtd.ecap.c": False}),
    # Haswell, server. 0: 66: ND 6, 2^16. 2: 6f = 0110 1111: MGAW 47 + 1. 3: 10: FRO 0x100.
    # 4: 8c = 1000 1100: bits 37:34 are 0011, 2 MiB and 1 GiB; PSI. 5: 07: NFR 8. ECAP 0: df: all
    # but bit 5. 1: 20: IRO 0x200.
    ("vtd 0xd2078c106f0466 0xf020df",
     {"vtd.cap.nd": 65536, "vtd.cap.mgaw": 48, "vtd.cap.fro": 0x100, "vtd.cap.sslps": "0x3",
      "vtd.cap.psi": True, "vtd.cap.nfr": 8, "vtd.ecap.c": True, "vtd.ecap.dt": True,
      "vtd.ecap.sc": True, "vtd.ecap.iro": 0x200, "vtd.ecap.smts": False}),
    # Skylake, graphics unit. CAP 7: 01: FS1GP. 4: 0c: large pages, no PSI. 3: 40: FRO 0x400. ECAP
    # 3: 3f = 0011 1111: MTS 25, NEST 26, PRS 29 (24, 27, 28 are of older specifications). 4: 7e =
    # 0111 1110: NWFS 33, EAFS 34, PSS 15; but 40 is 0, so that PASIDs have no width.
    ("vtd 0x1c0000c40660462 0x7e3ff0505e",
     {"vtd.cap.fs1gp": True, "vtd.cap.sslps": "0x3", "vtd.cap.psi": False, "vtd.cap.fro": 0x400,
      "vtd.cap.pi": False, "vtd.ecap.mts": True, "vtd.ecap.nest": True, "vtd.ecap.prs": True,
      "vtd.ecap.ers": False, "vtd.ecap.srs": False, "vtd.ecap.nwfs": True, "vtd.ecap.eafs": True,
      "vtd.ecap.pasid": False, "vtd.ecap.pss": "ABSENT", "vtd.ecap.smts": False}),
    # Sapphire Rapids. CAP 2: 78 = 0111 1000: MGAW 56 + 1; 1: 04: 48 bits alone. 6: ed = 1110 1101:
    # MAMV 45. 7: 09 = 0000 1001: FS1GP, PI, not FS5LP. ECAP 3: 86 = 1000 0110: MTS, NEST, SRS.
    # 5: ee = 1110 1110: DIT 41, PDS 42, SMTS 43, SSADS 45, SSTS 46, FSTS 47; 40 is 0. 6: 03:
    # SMPWCS 48, RPS 49.
    ("vtd 0x9ed008c40780466 0x3ee9e86f050df",
     {"vtd.cap.mgaw": 57, "vtd.cap.sagaw": "0x4", "vtd.cap.mamv": 45, "vtd.cap.fs1gp": True,
      "vtd.cap.pi": True, "vtd.cap.fs5lp": False, "vtd.cap.ecmds": False, "vtd.ecap.nest": True,
      "vtd.ecap.srs": True, "vtd.ecap.prs": False, "vtd.ecap.pasid": False, "vtd.ecap.dit": True,
      "vtd.ecap.pds": True, "vtd.ecap.smts": True, "vtd.ecap.vcs": False, "vtd.ecap.ssads": True,
      "vtd.ecap.ssts": True, "vtd.ecap.fsts": True, "vtd.ecap.smpwcs": True,
      "vtd.ecap.rps": True, "vtd.ecap.pms": False}),
    # A later server. CAP 1: 0c: 48 and 57 bits. 3: ee: FRO 0xee0. 7: f9 = 1111 1001: FS1GP, PI,
    # FS5LP, ECMDS, ESIRTPS, ESRTPS. ECAP 3: a6 = 1010 0110: MTS, NEST, PRS, SRS. 4: 9e = 1001 1110:
    # PSS 1 0011 = 19, plus one. 5: ef: PASID too. 6: 3f: SMPWCS, RPS, 50 which has no name, PMS,
    # ADMS, RPRIVS.
    ("vtd 0xf9ed008cee780c66 0x3fef9ea6f0efdf",
     {"vtd.cap.sagaw": "0xc", "vtd.cap.fro": 0xee0, "vtd.cap.fs5lp": True, "vtd.cap.ecmds": True,
      "vtd.cap.esirtps": True, "vtd.cap.esrtps": True, "vtd.ecap.prs": True,
      "vtd.ecap.pasid": True, "vtd.ecap.pss": 20, "vtd.unnamed.ecap.50": True,
      "vtd.ecap.pms": True, "vtd.ecap.adms": True, "vtd.ecap.rprivs": True,
      "vtd.ecap.sms": False}),
    # Zen 1. EFR 0: da = 1101 1010: PPR, NX, GT, IA, GA. 1: 4a = 0100 1010: PC; HATS 10b, 6 levels;
    # GATS 00b, 4; GLX 01b, 2. 2: 29 = 0010 1001: SmiFSup 1, SmiFRC 2, GAM 1. 3: 22: two dual logs
    # of kind 2. 4: ef = 1110 1111: PASmax 15 + 1, USSup, 3. 5: 77 = 0111 0111: Marc 1. 6: 0f:
    # GIO, HA, EPH, AttrFW, not HD. EFR2 wasn't told.
    ("amdvi f77ef22294ada",
     {"amdvi.efr.prefsup": False, "amdvi.efr.pprsup": True, "amdvi.efr.xtsup": False,
      "amdvi.efr.nxsup": True, "amdvi.efr.gtsup": True, "amdvi.efr.iasup": True,
      "amdvi.efr.gasup": True, "amdvi.efr.pcsup": True, "amdvi.efr.hats": 6,
      "amdvi.efr.gats": 4, "amdvi.efr.glx": 2, "amdvi.efr.smifsup": 1, "amdvi.efr.smifrc": 2,
      "amdvi.efr.gamsup": 1, "amdvi.efr.dualpprlogsup": 2, "amdvi.efr.dualeventlogsup": 2,
      "amdvi.efr.pasmax": 16, "amdvi.efr.ussup": True, "amdvi.efr.devtblsegsup": 3,
      "amdvi.efr.marcsup": 1, "amdvi.efr.giosup": True, "amdvi.efr.hasup": True,
      "amdvi.efr.ephsup": True, "amdvi.efr.attrfwsup": True, "amdvi.efr.hdsup": False,
      "amdvi.efr.snp": False, "amdvi.efr2.gcr3trpmode": None}),
    # Zen 5, server, with EFR2. 0: fe: XT and GAPPI besides. 1: 5a = 0101 1010: GATS 01b, 5 levels.
    # 3: a2 = 1010 0010: bit 31 has no name. 6: bf = 1011 1111: HD 52, 53 unnamed, 55. 7: 25 = 0010
    # 0101: 56 and 58 unnamed, 61. EFR2 53d = 0101 0011 1101: 2, 3, 4, SNPAVIC 001b, 9:8 01b: 2048.
    ("amdvi 25bf732fa2295afe:53d",
     {"amdvi.efr.xtsup": True, "amdvi.efr.gappisup": True, "amdvi.efr.gats": 5,
      "amdvi.efr.hdsup": True, "amdvi.efr.viommusup": True, "amdvi.efr.gaupdatedissup": True,
      "amdvi.unnamed.efr.31": True, "amdvi.unnamed.efr.53": None,
      "amdvi.efr2.tmpmsup": True, "amdvi.efr2.gcr3trpmode": True,
      "amdvi.efr2.gappidissup": True, "amdvi.efr2.snpavicsup": 1,
      "amdvi.efr2.numintremapsup": 2048, "amdvi.efr2.htrangeignore": False}),
]

# QEMU's nested SMMUv3, as the kernel answers: flags, reserved, IDR0 to IDR5, IIDR, AIDR. IDR0
# 0d44101b: 1b: S2P, S1P, TTF 10b, COHACC; 12 ASID16; 18 VMID16; 22:21 10b little; 25:24 01b no
# stall; 26; 28:27 01b. IDR1 02730010: SIDSIZE 16, EVTQS 19, CMDQS 19. IDR3 1414: 2, 4, RIL 10, BBML
# 2. IDR5 74: OAS 100b is 44, all granules.
SMMU = "00000000" "00000000" "1b10440d" "10007302" "00000000" "14140000" "00000000" "74000000"
SMMU_RAW = {
    "smmuv3.idr0.s2p": True, "smmuv3.idr0.s1p": True, "smmuv3.idr0.ttf": ["aarch64"],
    "smmuv3.idr0.cohacc": True, "smmuv3.idr0.httu": 0, "smmuv3.idr0.asid16": True,
    "smmuv3.idr0.vmid16": True, "smmuv3.idr0.ttendian": ["little"],
    "smmuv3.idr0.stall-model": ["no-stall"], "smmuv3.idr0.term-model": True,
    "smmuv3.idr0.st-level": 1, "smmuv3.idr1.sidsize": 16, "smmuv3.idr1.ssidsize": 0,
    "smmuv3.idr1.evtqs": 19, "smmuv3.idr1.cmdqs": 19, "smmuv3.idr3.had": True,
    "smmuv3.idr3.xnx": True, "smmuv3.idr3.ril": True, "smmuv3.idr3.bbml": 2,
    "smmuv3.idr5.oas": 44, "smmuv3.idr5.gran4k": True, "smmuv3.idr5.gran16k": True,
    "smmuv3.idr5.gran64k": True, "smmuv3.idr5.vax": 48,
}
SMMU_GRANTED = {
    "smmuv3.idr0.ttf", "smmuv3.idr0.asid16", "smmuv3.idr0.cd2l", "smmuv3.idr0.ttendian",
    "smmuv3.idr0.stall-model", "smmuv3.idr0.term-model", "smmuv3.idr0.st-level",
    "smmuv3.idr1.sidsize", "smmuv3.idr1.ssidsize", "smmuv3.idr3.ril", "smmuv3.idr3.bbml",
    "smmuv3.idr5.gran4k", "smmuv3.idr5.gran16k", "smmuv3.idr5.gran64k", "smmuv3.idr5.vax",
    "smmuv3.idr5.ds"}
AMD_GRANTED = {f"amdvi.efr.{field}" for field in
               ("gtsup", "gasup", "giosup", "pprsup", "ephsup", "gats", "glx", "pasmax")}


def le32(*numbers):
    return "".join(number.to_bytes(4, "little").hex() for number in numbers)


def check_by_hand(tally):
    for (request, wanted), answer in zip(BY_HAND, decode([row[0] for row in BY_HAND])):
        agree(tally, facts(answer), wanted, request)


def check_smmuv3(tally):
    iidrs = {0: [], 0x4830043b: ["1209401"], 0x4832043b: [], 0x4870143b: ["2268618", "2812531"],
             0x4871043b: ["2268618", "2812531"], 0x4871143b: [], 0x487036b0: []}
    answers = decode([f"hwinfo 2 0 8 7002 {SMMU}{le32(iidr, 1)}" for iidr in iidrs])
    for (iidr, errata), answer in zip(iidrs.items(), answers):
        raw, granted = facts(answer, "unit", "raw"), facts(answer, "unit", "kernel")
        agree(tally, raw, SMMU_RAW, f"IIDR {iidr:#x}")
        agree(tally, granted, {"smmuv3.errata": errata, "smmuv3.repeat-tlbi-cfgi": False},
              f"IIDR {iidr:#x}")
        tally.check({name for name in granted if name.startswith("smmuv3.idr")} == SMMU_GRANTED,
                    f"the kernel's list: {sorted(set(granted) ^ SMMU_GRANTED)}")
    agree(tally, facts(answers[3], "unit"), {"smmuv3.implementation": "MMU-700 r0p1"}, "name")


HWINFO_VTD = "01000000" "00000000" "06062f228c00d281" "4a0ff00000880000"
HWINFO_AMD = "d329000000000000" "0000000000000000"
# (request, facts of the device)
HWINFO = [
    (f"hwinfo 1 0 8 7002 {HWINFO_VTD}", {"hwinfo.type": "vtd", "hwinfo.ats-not-supported": True,
                                  "hwinfo.dirty-tracking": False,
                                  "hwinfo.pasid-exec": "ABSENT", "hwinfo.data-length": 24}),
    (f"hwinfo 1 20 7 7002 {HWINFO_VTD}", {"hwinfo.max-pasid-log2": 20, "hwinfo.pasid-exec": True,
                                   "hwinfo.pasid-priv": True, "hwinfo.dirty-tracking": True,
                                   "hwinfo.ats-not-supported": False}),
    # Linux 7.0 and older ones leave bit 3 unset whatever is true
    (f"hwinfo 4 0 0 7000 {HWINFO_AMD}", {"hwinfo.type": "amd",
                                  "hwinfo.ats-not-supported": "UNSUPPORTED-BY-KERNEL"}),
    (f"hwinfo 4 0 8 7000 {HWINFO_AMD}", {"hwinfo.ats-not-supported": True}),
    (f"hwinfo 4 0 0 0 {HWINFO_AMD}", {"hwinfo.ats-not-supported": "UNKNOWN",
                               "hwinfo.dirty-tracking": "UNKNOWN"}),
    (f"hwinfo 4 0 0 6006 {HWINFO_AMD}", {"hwinfo.dirty-tracking": "UNSUPPORTED-BY-KERNEL"}),
    ("hwinfo 0 0 0 7002", {"hwinfo.type": "none", "hwinfo.dirty-tracking": False}),
    ("hwinfo 9 0 0x30 7002 00", {"hwinfo.type": "type-9", "hwinfo.unnamed.caps.4": True,
                                 "hwinfo.unnamed.caps.5": True}),
]


def check_hwinfo(tally):
    rows, vtd, amd = HWINFO, HWINFO_VTD, HWINFO_AMD
    answers = decode([row[0] for row in rows])
    for (request, wanted), answer in zip(rows, answers):
        agree(tally, facts(answer), wanted, request)
        tally.check("error" not in answer, f"{request}: {answer.get('error')}")
    agree(tally, facts(answers[0], "unit", "raw"), {"vtd.cap": "0x81d2008c222f0606",
                                                    "vtd.ecap": "0x880000f00f4a"}, "VT-d")
    tally.check(facts(answers[0], "unit", "kernel").get("vtd.ecap.fsts") is True, "all of VT-d")
    granted = facts(answers[2], "unit", "kernel")
    tally.check(set(granted) == AMD_GRANTED, f"the kernel's list: {sorted(granted)}")
    for request in (f"hwinfo 1 0 8 7002 {vtd[:-2]}", f"hwinfo 2 0 8 7002 {vtd}",
                    "hwinfo 4 0 0 7002", "hwinfo 3 0 0 7002 00"):
        error = decode([request])[0].get("error", "")
        tally.check("bytes of data where" in error, f"{request}: {error}")


def check_text(tally):
    for text in ("", ":", "12g", "0x12", "12:", "12345678901234567", "1:2:3", "-1"):
        error = decode([f"amdvi {text}"])[0].get("error", "")
        tally.check(error == "test: expected EFR or EFR:EFR2 in hexadecimal", f"{text!r}: {error}")


def check_collected(tally):
    with open(recorded("iommu", "vtd_registers.tsv"), encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    answers = decode([f"vtd 0x{row['cap']} 0x{row['ecap']}" for row in rows])
    for row, answer in zip(rows, answers):
        found = facts(answer)
        columns = [column for column in row if column.startswith("dec_")]
        tally.check(len(columns) == len(VTD), "each computed column has a fact")
        for name, (fact, kind) in VTD.items():
            wanted = row["dec_" + name]
            tally.check(found[fact] == (wanted == "1" if kind is bool else kind(wanted)),
                        f"{row['cap']} {row['ecap']}: {fact} is {found[fact]}, not {wanted}")
    check_collected_amd(tally)
    return len(rows)


def check_collected_amd(tally):
    with open(recorded("iommu", "amdvi_features.tsv"), encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    texts = [row["efr"] + (":" + row["efr2"] if row["efr2"] != "-" else "") for row in rows]
    for row, answer in zip(rows, decode([f"amdvi {text}" for text in texts])):
        found = facts(answer)
        tally.check(("amdvi.efr2" in found) == (row["efr2"] != "-"), f"{row['efr']}: EFR2")
        log = set(row["decoded_by_linux"].split())
        if not log & {"GT", "IA"}:  # nothing was logged, or other words
            continue
        for word, field in AMD_LOG.items():
            tally.check(found[f"amdvi.efr.{field}"] == (word in log), f"{row['efr']}: {field}")
        tally.check((found["amdvi.efr.gamsup"] == 1) == ("GA_vAPIC" in log), f"{row['efr']}: GAM")


def named_registers(entries):
    """name → (width, bit → what accounts for it: an entry, or None where it has no name)."""
    out = {register["name"]: (register["width"], {}) for register in entries["registers"]
           if register["kind"] == "named"}
    for entry in entries["capabilities"]:
        if entry.get("register") in out:
            for bit in range(entry["low"], entry["high"] + 1):
                out[entry["register"]][1][bit] = entry
    for register in entries["registers"]:
        for unnamed in register.get("unnamed", []) if register["name"] in out else []:
            for bit in range(unnamed["low"], unnamed["high"] + 1):
                out[register["name"]][1][bit] = None
    return out


def each_bit():
    return [f"register {name} {1 << bit:#x}" for name, (width, _) in
            named_registers(dictionary()).items() for bit in range(width)]


def check_each_bit(tally):
    """One bit set in each register: its own field says so, and no other does."""
    asked = [(name, bit, owners) for name, (width, owners) in named_registers(dictionary()).items()
             for bit in range(width)]
    for (name, bit, owners), answer in zip(asked, decode(each_bit())):
        room, _, rest = name.partition(".")
        found, news = facts(answer), f"{room}.unnamed.{rest}.{bit}"
        true = {ident for ident, value in found.items() if value is True}
        owner = owners.get(bit, news)
        wanted = set() if owner is None else {news} if owner == news else \
            {owner["id"]} if owner["type"] == "bool" else set()
        tally.check(true == wanted, f"{name} bit {bit}: {true}, not {wanted}")
        if wanted or owner is None or "needs" in owner:
            continue
        value, number = found[owner["id"]], 1 << (bit - owner["low"])
        values = owner.get("values", "+0")
        if values[0] in "+*":
            fits = value == (number + int(values[1:]) if values[0] == "+" else
                             number * int(values[1:]))
        else:
            word = values.split(",")[number]
            fits = value == ("UNKNOWN" if word == "-" else int(word) if word.isdigit()
                             else word.split("+"))
        fits = fits or (owner["type"] == "bitmap" and value == hex(number)) or \
            (value == "UNKNOWN" and number >= len(owner.get("labels", range(number + 1))))
        tally.check(fits, f"{name} bit {bit}: {owner['id']} is {value}")


def requests():
    return [row[0] for row in BY_HAND + HWINFO] + [f"hwinfo 2 0 8 7002 01{SMMU[2:]}{le32(0x4870143b, 1)}"] + \
        [f"hwinfo 3 0 8 7002 {le32(0, 0x00020301)}"] + each_bit()


def main():
    tally = Tally()
    check_each_bit(tally)
    check_by_hand(tally)
    check_smmuv3(tally)
    check_hwinfo(tally)
    check_text(tally)
    if tally.bad:
        tally.finish("fields")
    rows = check_collected(tally)
    print(f"{rows} VT-d units")
    tally.finish("fields", least=1000)


main()
