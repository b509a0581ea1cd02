#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""test-start-baseline.py: what `capbroker baseline` writes out really starts.

This machine is probed; for each accelerator the baseline's QEMU arguments (which enforce) start
its QEMU, the baseline's <cpu> is created by its libvirt (libvirt_fixture.py), and `capbroker
check` finds that guest sound by the probe's facts and by libvirt's own. Of the recorded Debian
hosts the baselines, each host's and the common one, must be sound on each of them.

Exit 77: a part could not be tried here; the reason is printed, and the other parts were sound.
"""

import json
import os
import shutil
import sys
import tempfile

from libvirt_fixture import Libvirt
from start_fixture import Broker, facts, qmp

TOP = os.environ.get("top_srcdir", os.path.join(os.path.dirname(__file__), ".."))
RECORDED = ["lab-debian12", "lab-debian13", "lab-sid"]
KINDS = {"kvm": "kvm", "tcg": "qemu"}

failures, skipped = [], []


def report(good, what, why=""):
    print("%s %s%s" % ("ok" if good else "not ok", what, "" if good else ": " + why.strip()))
    if not good:
        failures.append(what)


def skip(what, why):
    print("skipped: %s: %s" % (what, why))
    skipped.append(what)


def baseline(broker, accel, form, hosts=()):
    """The text of a baseline; "" (reported) where there is none."""
    process = broker.run("baseline", "--accel", accel, "--format", form, *hosts)
    if process.returncode or not process.stdout.strip():
        report(False, "baseline --accel %s --format %s %s" % (accel, form, " ".join(hosts)),
               "exit status %d: %s" % (process.returncode, process.stderr))
        return ""
    return process.stdout.strip()


def machine_of(arguments):
    return arguments[arguments.index("-machine") + 1].partition(",")[0]


def domain(accel, machine, cpu, emulator):
    return """<domain type='%s'>
<name>baseline-%s</name>
<memory unit='MiB'>64</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='%s'>hvm</type></os>
<features><acpi/><apic/></features>
%s
<devices>%s<controller type='usb' model='none'/><memballoon model='none'/></devices>
</domain>
""" % (KINDS[accel], accel, machine, cpu,
       "<emulator>%s</emulator>" % emulator if emulator else "")


def judged(broker, xml, what, hosts=()):
    """That every host asked finds the guest sound."""
    path = os.path.join(broker.folder, "baseline.xml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(xml)
    to = [word for host in hosts for word in ("--to", host)]
    process = broker.run("--json", "check", path, *to)
    verdicts = json.loads(process.stdout)["verdicts"] if process.returncode in (0, 1, 3) else []
    bad = ["%s says %s: %s" % (v["host"], v["start"], "; ".join(
        f["text"] for f in v["findings"] if f["verdict"] != "warn"))
           for v in verdicts if v["start"] not in ("ok", "warn")]
    report(verdicts and not bad, "check: %s" % what, "\n  ".join(bad) or process.stderr)


def try_qemu(emulator, arguments, accel):
    replies, stderr = qmp(emulator, arguments + ["-m", "64"], [{"execute": "query-status"}])
    status = replies[0].get("return", {}).get("status") if replies else None
    report(status == "prelaunch", "QEMU starts the baseline of %s" % accel, stderr or str(status))
    report(arguments[-1].endswith(",enforce"), "the arguments enforce", " ".join(arguments))


def try_here(folder):
    """This machine: probe, write out, start, judge."""
    emulator = shutil.which("qemu-system-x86_64")
    if not emulator:
        skip("this machine's baselines", "no qemu-system-x86_64 here (install qemu-system-x86)")
        return
    broker = Broker("capbroker", folder)
    process = broker.run("probe")
    if process.returncode:
        report(False, "probe", process.stderr)
        return
    accels = facts(emulator)["accels"]
    if "kvm" not in accels:
        skip("baseline of kvm", "/dev/kvm can't be used here")
    with Libvirt() as libvirt:
        if libvirt.missing:
            skip("starts through libvirt", libvirt.missing)
        for accel in accels:
            arguments = baseline(broker, accel, "qemu").split()
            cpu = baseline(broker, accel, "libvirt")
            if not arguments or not cpu:
                continue
            xml = domain(accel, machine_of(arguments), cpu, emulator)
            try_qemu(emulator, arguments, accel)
            judged(broker, xml, "the baseline of %s, by the probe" % accel)
            if not libvirt.missing:
                try_libvirt(libvirt, folder, accel, xml, machine_of(arguments))


def try_libvirt(libvirt, folder, accel, xml, machine):
    started, why = libvirt.create([("baseline-" + accel, xml)])[0]
    report(started, "libvirt %s creates the baseline of %s" % (libvirt.version, accel), why)
    place = os.path.join(folder, "libvirt-" + accel)
    os.mkdir(place)
    broker = Broker("capbroker", place)
    process = broker.run("import", "--name", "here", *libvirt.facts(place, [machine]))
    report(process.returncode == 0, "import of what libvirt says", process.stderr)
    judged(broker, xml, "the baseline of %s, by libvirt's facts" % accel)


def try_recorded(folder):
    """Recorded hosts: each one's baseline on it, and the common one on all."""
    files = [os.path.join(TOP, "tests", "hosts", name, "profile.json") for name in RECORDED]
    missing = [path for path in files if not os.path.exists(path)]
    if missing:
        skip("baselines of recorded hosts", "no %s" % " ".join(missing))
        return
    place = os.path.join(folder, "recorded")
    os.mkdir(place)
    broker = Broker("capbroker", place)
    process = broker.run("import", *files)
    report(process.returncode == 0, "import of %s" % " ".join(RECORDED), process.stderr)
    for accel in KINDS:
        for hosts in [[name] for name in RECORDED] + [RECORDED]:
            arguments = baseline(broker, accel, "qemu", hosts).split()
            cpu = baseline(broker, accel, "libvirt", hosts)
            if arguments and cpu:
                judged(broker, domain(accel, machine_of(arguments), cpu, None),
                       "the baseline of %s with %s" % (" ".join(hosts), accel), hosts)


def main():
    with tempfile.TemporaryDirectory() as folder:
        try_here(folder)
        try_recorded(folder)
    if failures:
        sys.exit("FAIL: %d" % len(failures))
    sys.exit(77 if skipped else 0)


if __name__ == "__main__":
    main()
