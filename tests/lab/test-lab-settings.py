#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""test-lab-settings.py: a baseline's settings start on each of its hosts, and their guests move.

Hosts of three generations (libvirt_hosts.py) are probed by their own libvirt and QEMU. For each set of
two or three of them and each accelerator, the common baseline's QEMU arguments, which enforce, start
the QEMU of each; and its <domain> for libvirt, with a disk and a serial port put in, starts on each
and moves to every other one, peer to peer: it must go on beating there.
"""

import itertools
import os
import shlex
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

from lab_fixture import TESTS
from libvirt_hosts import EMULATOR, Fleet, missing
from migrate_draw import DISK
from migrate_run import accelerators, move, probe

sys.path.insert(0, TESTS)
from start_fixture import Broker  # noqa: E402

NAMES = ("d12", "d13", "sid")

failures, counts = [], {"arguments": 0, "starts": 0, "moves": 0}


def report(good, what, why=""):
    print("%s %s%s" % ("ok" if good else "not ok", what, "" if good else ": " + why.strip()[-600:]))
    if not good:
        failures.append(what)
    return good


def setting(broker, accel, form, names):
    process = broker.run("baseline", "--accel", accel, "--format", form, *names)
    report(process.returncode == 0, "%s of %s with %s" % (form, "+".join(names), accel), process.stderr)
    return process.stdout.strip() if process.returncode == 0 else ""


def try_arguments(host, what, text):
    """QEMU runs by them, until it is told to quit."""
    arguments = [EMULATOR, *shlex.split(text), "-m", "64", "-display", "none", "-nodefaults", "-S",
                 "-monitor", "stdio"]
    status, out, said = host.run(*arguments, text="info status\nquit\n", limit=60)
    counts["arguments"] += 1
    report(status == 0 and "paused" in out, "%s: arguments on %s" % (what, host.name), out + said)


def definition(text, name):
    """A whole definition of what libvirt-domain wrote."""
    root = ElementTree.fromstring(text)
    for place, (tag, value) in enumerate((("name", name), ("memory", "65536"), ("vcpu", "1"))):
        element = ElementTree.Element(tag)
        element.text = value
        root.insert(place, element)
    devices = ElementTree.fromstring(
        "<devices><emulator>%s</emulator>%s<controller type='usb' model='none'/>"
        "<memballoon model='none'/></devices>" % (EMULATOR, DISK % ("", name)))
    known = root.find("devices")
    if known is None:
        root.append(devices)
    else:
        known.extend(devices)
    return ElementTree.tostring(root, encoding="unicode")


def try_moves(fleet, what, names, name):
    """Starts the guest on each host, and moves it from there to each other one."""
    for source, target in itertools.permutations(names, 2):
        host, there = fleet.hosts[source], fleet.hosts[target]
        good, said = host.virsh("create", "/run/shared/%s.xml" % name)
        counts["starts"] += 1
        if not report(good and fleet.alive(name), "%s: its domain starts on %s" % (what, source), said):
            host.virsh("destroy", name)
            continue
        good, said = move(host, {"name": name}, target)
        counts["moves"] += 1
        report(good and fleet.alive(name), "%s: and moves %s -> %s" % (what, source, target), said)
        (there if good else host).virsh("destroy", name)


def one_set(fleet, broker, accel, names):
    what = "%s with %s" % ("+".join(names), accel)
    arguments = setting(broker, accel, "qemu", names)
    domain = setting(broker, accel, "libvirt-domain", names)
    try_setting(fleet, what, names, "set-%s-%s" % ("-".join(names), accel), arguments, domain)


def one_level(fleet, broker, accel, names):
    """A level over the hosts: its settings come from what was stored, a virtual IOMMU among them."""
    series, what = "lab-%s" % accel, "a level of %s with %s" % ("+".join(names), accel)
    process = broker.run("level", "create", series, "--accel", accel, *names)
    if not report(process.returncode == 0, "%s is made" % what, process.stderr):
        return
    texts = []
    for form in ("qemu", "libvirt-domain"):
        process = broker.run("level", "show", series, "--format", form)
        report(process.returncode == 0, "%s as %s" % (what, form), process.stderr)
        texts.append(process.stdout.strip())
    try_setting(fleet, what, names, "level-%s" % accel, *texts)


def try_setting(fleet, what, names, guest, arguments, domain):
    if arguments:
        report(",enforce" in arguments, "%s: the arguments enforce" % what, arguments)
        for name in names:
            try_arguments(fleet.hosts[name], what, arguments)
    if domain:
        with open(os.path.join(fleet.shared, guest + ".xml"), "w", encoding="utf-8") as file:
            file.write(definition(domain, guest))
        try_moves(fleet, what, names, guest)


def main():
    why = missing()
    if why:
        print("SKIP: " + why)
        sys.exit(77)
    with tempfile.TemporaryDirectory(prefix="cbl-", dir="/tmp") as folder:
        broker = Broker("capbroker", folder)
        with Fleet(os.path.join(folder, "fleet"), NAMES) as fleet:
            probe(fleet, broker)
            for accel in accelerators():
                for number in (2, 3):
                    for names in itertools.combinations(NAMES, number):
                        one_set(fleet, broker, accel, names)
                one_level(fleet, broker, accel, NAMES)
    print("%(arguments)d starts by arguments, %(starts)d by libvirt, %(moves)d moves" % counts +
          ", %d wrong" % len(failures))
    sys.exit(1 if failures or not counts["moves"] else 0)


if __name__ == "__main__":
    main()
