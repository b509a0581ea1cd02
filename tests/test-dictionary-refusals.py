# SPDX-License-Identifier: LGPL-2.1-or-later
"""The generator refuses each thing that can't be, by file and line, saying what to do, and writes
nothing; what is right it takes."""

import os

from dictionary_fixture import Tally, dictionary, generate, scratch

HEAD = "dictionary 2026.1\nsection a manual\n"
WORD = "dictionary 2026.1\nregister cpuid.1.0.eax SDM\n"

# what is refused: (text, line, words of the message)
CASES = {
    "duplicate id": (HEAD + "cpu.a - uint exact one\ncpu.a - uint exact two\n", 4,
                     "duplicate id 'cpu.a', first at bad.dict:3"),
    "duplicate alias": (HEAD + "cpu.a - uint exact one\n\tqemu=x\n"
                        "cpu.b - uint exact two\n\tqemu=x\n", 5, "duplicate alias: qemu calls 'cpu.a'"),
    "duplicate extra alias": (HEAD + "cpu.a - uint exact one\n\tqemu=x\nalias qemu x cpu.a\n", 5,
                              "duplicate alias"),
    "overlapping bits": (WORD + "cpu.a 0-7 uint exact one\ncpu.b 7 bool exact two\nreserved 8-31\n",
                         4, "bit 7 of 'cpuid.1.0.eax' is already taken by 'cpu.a' at bad.dict:3"),
    "reserved bit given": (WORD + "reserved 0-31\ncpu.b 7 bool exact two\n", 4,
                           "already taken by reserved at bad.dict:3"),
    "unknown type": (HEAD + "cpu.a - float exact one\n", 3, "unknown type 'float' (use bool,"),
    "unknown rule": (HEAD + "cpu.a - uint max one\n", 3, "unknown rule 'max' (use lower-safe,"),
    "unknown attribute": (HEAD + "cpu.a - uint exact one\n\tcolour=red\n", 4,
                          "unknown attribute 'colour=red' (use offer,"),
    "unknown word": (HEAD + "cpu.a - uint exact one\n\tmigratable\n", 4,
                     "unknown attribute 'migratable'"),
    "rule that does not fit": (HEAD + "cpu.a - string lower-safe one\n", 3,
                               "rule 'lower-safe' does not fit type 'string' (use exact)"),
    "dangling need": (HEAD + "cpu.a - uint exact one\n\tneeds=cpu.b\n", 3,
                      "'cpu.a' needs 'cpu.b', which is no entry"),
    "dangling alias": (HEAD + "cpu.a - uint exact one\nalias qemu x cpu.b\n", 4,
                       "alias 'x' leads to 'cpu.b', which is no entry"),
    "circle of needs": (HEAD + "cpu.a - uint exact one\n\tneeds=cpu.b\n"
                        "cpu.b - uint exact two\n\tneeds=cpu.c\ncpu.c - uint exact three\n"
                        "\tneeds=cpu.b\n", 5,
                        "needs run in a circle: cpu.b -> cpu.c -> cpu.b: take one away"),
    "need of itself": (HEAD + "cpu.a - uint exact one\n\tneeds=cpu.a\n", 3,
                       "needs run in a circle: cpu.a -> cpu.a"),
    "bits not accounted for": (WORD + "cpu.a 0-7 uint exact one\nreserved 9-30\n", 2,
                               "bits 8, 31 of 'cpuid.1.0.eax' are not accounted for"),
    "field outside": (WORD + "cpu.a 32 bool exact one\n", 3,
                      "bits 32 do not fit 'cpuid.1.0.eax', which has 32 bits"),
    "field outside an MSR": ("dictionary 2026.1\nregister msr.10a SDM\nreserved 0-64\n", 3,
                             "which has 64 bits"),
    "bits backwards": (WORD + "cpu.a 7-0 uint exact one\n", 3, "run backwards: write 0-7"),
    "no bits": (WORD + "cpu.a - uint exact one\n", 3, "'-' are no bits"),
    "bits without a register": (HEAD + "cpu.a 3 bool exact one\n", 3, "outside a register"),
    "wide bool": (WORD + "cpu.a 0-31 bool exact one\n", 3, "is a bool of 32 bits: a bool has one"),
    "string in a register": (WORD + "cpu.a 0-31 string exact one\n", 3, "which no register holds"),
    "half a pair": ("dictionary 2026.1\nregister msr.480 SDM\nmsr.a.b 0-31 pair allowed-pair one\n",
                    3, "takes the bits 0-63"),
    "register of no room": ("dictionary 2026.1\nregister cpu.x SDM\n", 2, "one of vtd, amdvi,"),
    "width of no register": (HEAD + "\twidth=32\n", 3, "width= belongs below"),
    "width too late": ("dictionary 2026.1\nregister vtd.x V\nreserved 0-31\n\twidth=32\n", 4,
                       "belongs to nothing"),
    "odd width": ("dictionary 2026.1\nregister vtd.x V\n\twidth=24\n", 3, "write 8, 16, 32 or 64"),
    "field outside a width": ("dictionary 2026.1\nregister vtd.x V\n\twidth=16\nreserved 0-16\n", 4,
                              "which has 16 bits"),
    "vmm outside": (HEAD + "vtd.x.a - uint exact one\n\tvmm\n", 3, "'vmm' outside a register"),
    "values outside": (HEAD + "vtd.x.a - uint exact one\n\tvalues=+1\n", 3, "values= belongs to"),
    "too few values": ("dictionary 2026.1\nregister vtd.x V\n\twidth=8\nvtd.x.a 0-1 uint exact one\n"
                       "\tvalues=1,2,3\nreserved 2-7\n", 4, "names 3 of 4 numbers"),
    "values of no number": ("dictionary 2026.1\nregister vtd.x V\n\twidth=8\n"
                            "vtd.x.a 0 uint exact one\n\tvalues=a,b\nreserved 1-7\n", 4,
                            "the values of a number are numbers"),
    "set without values": ("dictionary 2026.1\nregister vtd.x V\n\twidth=8\nvtd.x.a 0 set set one\n"
                           "reserved 1-7\n", 4, "is a set in a register: say values="),
    "missing sentence": (HEAD + "cpu.a - uint exact\n", 3, "'cpu.a' has no sentence"),
    "long sentence": (HEAD + "cpu.a - uint exact " + "x" * 71 + "\n", 3, "say it in 70"),
    "full stop": (HEAD + "cpu.a - uint exact one.\n", 3, "ends in a full stop"),
    "missing source": ("dictionary 2026.1\ncpu.a - uint exact one\n", 2, "'cpu.a' has no source"),
    "register without source": ("dictionary 2026.1\nregister cpuid.1.0.eax\n", 2, "has no source"),
    "section without source": ("dictionary 2026.1\nsection\n", 2, "without a source"),
    "bad id": (HEAD + "CPU.A - uint exact one\n", 3, "'CPU.A' is no id"),
    "id without a room": (HEAD + "avx - uint exact one\n", 3, "'avx' is no id"),
    "bad register": ("dictionary 2026.1\nregister cpuid.0x1.0.eax SDM\n", 2, "is no register"),
    "register twice": (WORD + "reserved 0-31\nregister cpuid.1.0.eax SDM\n", 4,
                       "already at bad.dict:2"),
    "extension twice": (HEAD + "kvm.a #60 bool lower-safe one\nkvm.b #60 bool lower-safe two\n", 4,
                        "KVM extension 60 is already taken at bad.dict:3"),
    "short line": (HEAD + "cpu.a - uint\n", 3, "a line of 3 words"),
    "attribute of nothing": ("dictionary 2026.1\n\tqemu=x\n", 2, "belongs to nothing"),
    "attribute twice": (HEAD + "cpu.a - uint exact one\n\tqemu=x\n\tqemu=y\n", 5, "given twice"),
    "empty attribute": (HEAD + "cpu.a - uint exact one\n\tqemu=\n", 4, "without a value"),
    "open quote": (HEAD + "cpu.a - uint exact one\n\tsource=\"x\n", 4, "close the quotes"),
    "unnamed without a reason": (WORD + "unnamed 0-31\n", 3, "say what the bits are"),
    "unnamed outside": (HEAD + "unnamed 0 why\n", 3, "outside a register"),
    "unknown emulator": (HEAD + "cpu.a - uint exact one\n\temulated-by=xen\n", 3,
                         "nobody called 'xen'"),
    "unknown unit": (HEAD + "cpu.a - uint exact one\n\tunit=miles\n", 3, "unknown unit 'miles'"),
    "chain without labels": (HEAD + "cpu.a - uint chain one\n", 3, "chain without labels"),
    "labels without a chain": (HEAD + "cpu.a - uint exact one\n\tlabels=a,b\n", 3, "is no chain"),
    "immunity without a class": (HEAD + "cpu.a - bool immunity one\n", 3, "security=CLASS"),
    "second version": ("dictionary 2026.1\ndictionary 2026.2\n", 2, "a second version"),
    "bad version": ("dictionary one\n", 1, "'one' is no version"),
    "bad alias line": (HEAD + "alias xen a cpu.a\n", 3, "alias NAMESPACE NAME ID"),
}

GOOD = """\
# a comment
dictionary 2026.1
register cpuid.1.0.eax  SDM 2A
\tkernel=*
cpu.one_a   0    bool lower-safe  first
\tqemu=one-a,one_a,uno
cpu.two     1-8  uint higher-safe second
\tneeds=cpu.one_a host-only
reserved    9-30
unnamed     31   no use
section a manual
kvm.three   #60  bool lower-safe  third
cpu.four    -    uint chain       fourth
\tlabels=low,high source="another manual, 3"
alias qemu deux cpu.two
"""


def check_refusal(tally, folder, name, case):
    text, line, words = case
    path = os.path.join(folder, "bad.dict")
    output = os.path.join(folder, "out.c")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    status, stdout, errors = generate([path], "--c", output)
    first = errors.splitlines()[0] if errors else ""
    tally.check(status == 1 and not stdout and first.startswith(f"bad.dict:{line}: ") and
                words in first, f"{name}: status {status}, said '{first}'")
    tally.check(not os.path.exists(output), f"{name}: nothing is written")


def check_good(tally, folder):
    path = os.path.join(folder, "good.dict")
    with open(path, "w", encoding="utf-8") as file:
        file.write(GOOD)
    for option in ("--c", "--json", "--sql", "--man"):
        status, stdout, errors = generate([path], option, "-")
        tally.check(status == 0 and not errors and "cpu.one_a" in stdout, f"{option}: {errors}")
        tally.check(generate([path], option, "-")[1] == stdout, f"{option} repeats itself")
    status, _, errors = generate([path], "--c", os.path.join(folder, "none", "out.c"))
    tally.check(status == 1 and "cannot write" in errors, "a folder that is not there")
    status, _, errors = generate([os.path.join(folder, "none.dict")])
    tally.check(status == 1 and errors.startswith("none.dict: cannot be read"), "no such file")
    with open(path, "wb") as file:
        file.write(b"dictionary 2026.1\n\xff\n")
    status, _, errors = generate([path])
    tally.check(status == 1 and errors.startswith("good.dict: cannot be read"), "no UTF-8")
    with open(path, "w", encoding="utf-8") as file:
        file.write("section a manual\ncpu.a - uint exact one\n")
    status, _, errors = generate([path])
    tally.check(status == 1 and "no version" in errors, "no version")


def check_own(tally):
    """Nothing in our own dictionary is there twice, or says what another entry says."""
    entries = dictionary()["capabilities"]
    sentences = {}
    for entry in entries:
        other = sentences.setdefault(entry["sentence"], entry["id"])
        tally.check(other == entry["id"], f"{entry['id']} and {other} have the same sentence")
        tally.check(entry["flags"], f"{entry['id']}: offer or sight")


def main():
    tally = Tally()
    with scratch() as folder:
        for name, case in CASES.items():
            check_refusal(tally, folder, name, case)
        check_good(tally, folder)
    check_own(tally)
    tally.finish("refusals", least=2 * len(CASES))


main()
