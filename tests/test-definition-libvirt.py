#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""test-definition-libvirt.py: does this machine's libvirt refuse what the rules say it refuses?

usage: test-definition-libvirt.py [RULE…]

Each case of platform.txt, boot.txt and parser.txt in tests/definition-cases that is for the recorded
host of this libvirt's version and blocks is defined in an embedded libvirt (libvirt_fixture.py);
what can be defined is created, paused. One that starts fails the test. Exit 77: no libvirt that can
be embedded here, or one of a version that no recorded host has.
"""

import os
import re
import sys

from libvirt_fixture import Libvirt

SRCDIR = os.environ.get("srcdir", os.path.dirname(os.path.abspath(__file__)))
ROOMS = ("platform", "boot", "parser")
CASES = os.path.join(SRCDIR, "definition-cases", "%s.txt")
RULES = os.path.join(SRCDIR, "..", "schema", "data", "definition-rules-%s.tsv")
HOSTS = {"9.0.0": "12", "11.3.0": "13", "12.8.0": "sid"}  # version → the host's name in cases
KVM = "<domain type='kvm'>"
PARTS = (("memory", "<memory unit='MiB'>64</memory>"), ("vcpu", "<vcpu>1</vcpu>"),
         ("os", "<os><type machine='q35'>hvm</type></os>"),
         ("features", "<features><acpi/><apic/></features>"))
DEVICES = "<controller type='usb' model='none'/><memballoon model='none'/>"


def blocking_rules(room):
    """The rules of a room that block a start, by name."""
    with open(RULES % room, encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file if not line.startswith("#")]
    return {row[0] for row in rows if row[3] == "block" and row[5] != "migrate"}


def whole(name, parts):
    """A definition of parts of one, as test-definition-rules.c makes it."""
    kvm = parts.startswith(KVM)
    if kvm:
        parts = parts[len(KVM):-len("</domain>")]
    filled = "".join(text for part, text in PARTS if not re.search("<%s[ >/]" % part, parts))
    if "<devices>" in parts:
        parts = parts.replace("<devices>", "<devices>" + DEVICES)
    else:
        parts += "<devices>%s</devices>" % DEVICES
    return "<domain type='%s'><name>%s</name>%s%s</domain>" % ("kvm" if kvm else "qemu", name,
                                                              filled, parts)


def cases_of(room, host, chosen):
    """(rule, definition) of each case of a room that a start on the host is refused by."""
    blocking, cases = blocking_rules(room), []
    with open(CASES % room, encoding="utf-8") as file:
        blocks = [block.strip() for block in file.read().split("\n\n")]
    for block in blocks:
        if not block or block.startswith("#"):
            continue
        head, parts = block.split("\n", 1)
        rule, hosts = head.split(": ")
        if rule in blocking and host in hosts.split() and (not chosen or rule in chosen):
            cases.append((rule, whole("%s%d" % (room, len(cases)), parts.split("---")[0].strip())))
    return cases


def name_of(xml):
    return re.search("<name>(.*?)</name>", xml).group(1)


def define(libvirt, cases):
    """The cases that libvirt defined."""
    commands = ["capabilities"]
    for number, (_, xml) in enumerate(cases):
        path = os.path.join(libvirt.root, "c%d.xml" % number)
        with open(path, "w", encoding="utf-8") as file:
            file.write(xml)
        commands += ["define " + path, "undefine --keep-nvram " + name_of(xml)]
    answers = libvirt.run(commands)[1::2]
    return [case for case, answer in zip(cases, answers) if "error:" not in answer]


def main():
    with Libvirt() as libvirt:
        if libvirt.missing:
            print("skipped: " + libvirt.missing)
            return 77
        if libvirt.version not in HOSTS:
            print("skipped: no cases for libvirt %s (only %s)" % (libvirt.version, ", ".join(HOSTS)))
            return 77
        cases = [case for room in ROOMS
                 for case in cases_of(room, HOSTS[libvirt.version], sys.argv[1:])]
        if not os.access("/dev/kvm", os.W_OK):
            cases = [case for case in cases if "type='kvm'" not in case[1]]
        defined = define(libvirt, cases)
        started = libvirt.create([(name_of(xml), xml) for _, xml in defined])
    wrong = [case for case, (runs, _) in zip(defined, started) if runs]
    for rule, xml in wrong:
        print("started, though %s says it doesn't: %s" % (rule, xml))
    print("%d definitions that libvirt %s is said to refuse: %d aren't even defined, %d don't start, "
          "%d do" % (len(cases), libvirt.version, len(cases) - len(defined),
                     len(defined) - len(wrong), len(wrong)))
    return 1 if wrong or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
