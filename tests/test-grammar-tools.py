#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""test-grammar-tools.py: make-libvirt-grammar.py on small schemas, tries and dates of its own: who
knows what, values that are refused, kinds of numbers, places told apart, what is tried going before
what is listed, dates, and one row for places that are alike."""

import os
import subprocess
import sys
import tempfile

SRCDIR = os.environ.get("srcdir", os.path.dirname(os.path.abspath(__file__)))
TOOL = os.path.join(SRCDIR, "..", "schema", "tools", "make-libvirt-grammar.py")

SCHEMA = """<grammar xmlns="http://relaxng.org/ns/structure/1.0"><start><ref name="domain"/></start>
<include href="more.rng"/><define name="domain"><element name="domain"><interleave>
<ref name="disk"/>%s<element name="qemu:args" ns="urn:q"><attribute name="x"/></element>
</interleave></element></define></grammar>"""
MORE = """<grammar xmlns="http://relaxng.org/ns/structure/1.0"><define name="bus">
<choice><value>ide</value><value>scsi</value>%s</choice></define>
<define name="disk"><element name="disk"><attribute name="bus"><ref name="bus"/></attribute>
<optional><attribute name="slots"><data type="unsignedInt"/></attribute></optional>
<optional><attribute name="label"/></optional>%s
<zeroOrMore><element name="backingStore"><zeroOrMore><ref name="disk"/></zeroOrMore></element>
</zeroOrMore></element></define></grammar>"""
ATTRIBUTE = '<attribute name="%s"><choice><value>on</value><value>off</value></choice></attribute>'

PLAIN = "@type=- @model=- @mode=-"


def row(version, path, attribute, value, outcome, error="-", context=PLAIN):
    return "\t".join((version, path, attribute, context, value, outcome, error)) + "\n"


def tried(version, busses):
    """What a libvirt did that knows these busses and reads slots as a number below disks."""
    text = row(version, "disk", "bus", "bogusvalue", "refused", "error: unknown bus bogusvalue")
    for bus in ("ide", "scsi", "nvme", "uml", ""):
        text += row(version, "disk", "bus", bus, "accepted" if bus in busses else "refused",
                    "-" if bus in busses else "error: unknown bus " + bus)
    numbers = {"1": "accepted", "0": "known", "010": "accepted", "-1": "known", "0x10": "refused",
               "1.5": "refused", "5000000000": "refused", "99999999999999999999": "refused",
               "12abc": "refused"}
    for context in ("@type=a @model=-", "@type=b @model=-"):
        ignores = context.startswith("@type=b")
        text += row(version, "disk", "slots", "bogusvalue", "accepted" if ignores else "refused",
                    "-" if ignores else "error: no number: bogusvalue", context)
        for value, outcome in () if ignores else numbers.items():
            # -1 is refused in other words than a text is, but by the parser all the same
            text += row(version, "disk", "slots", value, outcome,
                        "error: XML error: Invalid value for attribute 'slots' in element 'disk': "
                        "'-1'. Expected positive" if value == "-1" else "-", context)
    return text


TRIED = tried("1.0.0", ("ide", "scsi", "uml")) + tried("2.0.0", ("ide", "scsi", "uml", "nvme")) + \
    row("1.0.0", "disk", "early", "-", "kept") + row("2.0.0", "disk", "early", "-", "kept") + \
    row("1.0.0", "disk", "late", "-", "dropped") + row("2.0.0", "disk", "late", "-", "kept")
SINCE = """path\tattribute\tvalues\tsince\tside\tsource
disk\tlate\t-\t1.5.0\thost\tnotes of 1.5.0
disk\tbus\tnvme\t1.2.0<1.4.0\tguest\tnotes of 1.4.0
d*\t*\t*\t-\tguest\t-
"""

EXPECTED = """\
cell	-	-	-	-	1.0.0	2.0.0	-	guest	schema
disk	-	-	-	-	-	1.0.0	-	-	schema
devices/disk/backingStore	-	-	-	-	-	1.0.0	-	-	schema
disk	bus	-	ide scsi uml	refused	-	1.0.0	-	-	tried
disk	bus	-	nvme	refused	1.2.0	1.4.0	-	guest	notes of 1.4.0
disk	early	-	-	-	-	1.0.0	-	-	tried
disk	late	-	-	-	1.4.0	1.5.0	-	host	notes of 1.5.0
disk	slots	@type=a	#uint32	refused	-	1.0.0	-	-	tried
"""


def write(folder, name, text):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def main():
    with tempfile.TemporaryDirectory() as folder:
        write(folder, "1/domain.rng", SCHEMA % "")
        write(folder, "1/more.rng", MORE % ("", ""))
        write(folder, "2/domain.rng", SCHEMA % '<element name="cell"><text/></element>')
        write(folder, "2/more.rng", MORE % ("<value>nvme</value>", ATTRIBUTE % "early" +
                                            ATTRIBUTE % "late"))
        arguments = [sys.executable, TOOL, "--output", os.path.join(folder, "out"),
                     "--tried", write(folder, "tried", TRIED),
                     "--since", write(folder, "since", SINCE),
                     "2.0.0=" + os.path.join(folder, "2"), "1.0.0=" + os.path.join(folder, "1")]
        subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL)
        with open(os.path.join(folder, "out"), encoding="utf-8") as file:
            rows = []
            for line in file:
                paths, _, rest = line.partition("\t")
                rows += [path + "\t" + rest for path in paths.split("|")]
        refused = subprocess.run(arguments[:-1] + ["1.0.0=" + folder], capture_output=True,
                                 text=True, check=False)
    missing = [line for line in EXPECTED.splitlines(True) if line not in rows]
    for line in missing:
        print("missing: " + line, end="")
    extra = [line for line in rows if "qemu:" in line or "\tlabel\t-\tx" in line or
             line.startswith("disk/backingStore")]
    for line in extra:
        print("should not be there: " + line, end="")
    if "domain.rng" not in refused.stderr or not refused.returncode:
        print("a folder without schemas was taken: " + refused.stderr)
        return 1
    return int(bool(missing or extra))


if __name__ == "__main__":
    sys.exit(main())
