#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""test-baseline-removed.py: a baseline for libvirt disables what that libvirt still counts as part
of a model and newer ones have taken out of it (mpx, for libvirt 9.0.0), and only there.

Each model that lost a feature is made the CPU of a host whose libvirt is 9.0.0, and of one whose
libvirt is 12.8.0. Where this machine has an older libvirt, it is asked what the definition lacks
on its own host: never the feature; and with the line left out, the feature, so that it matters.
"""

import os
import re
import subprocess
import sys
import tempfile

from libvirt_fixture import Libvirt

SRCDIR = os.environ.get("srcdir", os.path.dirname(os.path.abspath(__file__)))
MODELS = os.path.join(SRCDIR, "..", "schema", "data", "cpu-models.tsv")
HOST = """<capabilities><host><uuid>5e0f0000-3000-4000-8000-000000000001</uuid><cpu>
<arch>x86_64</arch><model>%s</model><vendor>Intel</vendor></cpu></host></capabilities>
"""


def models_that_lost(feature):
    """Names of models of Intel's that are their own canonical name, so that one is named again."""
    with open(MODELS, encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file if not line.startswith("#")]
    column = {name: i for i, name in enumerate(rows[0])}
    return [row[column["name"]] for row in rows[1:]
            if feature in row[column["removed"]].split() and row[column["vendor"]] == "Intel" and
            row[column["first_libvirt"]] == "9.0.0"]


def capbroker(database, *arguments):
    return subprocess.run(["capbroker", "--db", database, *arguments], check=True,
                          capture_output=True, text=True).stdout


def baseline(folder, model, version):
    database = os.path.join(folder, "%s-%s.db" % (model, version))
    files = {"capabilities.xml": HOST % model,
             "virsh-version.txt": "Using library: libvirt %s\nUsing API: QEMU %s\n" % (version, version)}
    paths = []
    for name, text in files.items():
        paths.append(os.path.join(folder, name))
        with open(paths[-1], "w", encoding="utf-8") as file:
            file.write(text)
    capbroker(database, "import", "--name", "h", *paths)
    return capbroker(database, "baseline", "--format", "libvirt")


def lacks(libvirt, text):
    """What libvirt says this machine's KVM doesn't give of the definition."""
    path = os.path.join(libvirt.root, "cpu.xml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    said = libvirt.run(["hypervisor-cpu-compare --virttype kvm --error " + path])[0]
    found = re.search("does not provide required features: (.*)", said)
    return found.group(1).split(", ") if found else None


def main():
    models, failed, asked = models_that_lost("mpx"), 0, 0
    if len(models) < 5:
        print("only %d models that lost mpx in the table" % len(models))
        return 1
    with Libvirt() as libvirt, tempfile.TemporaryDirectory() as folder:
        old = not libvirt.missing and tuple(map(int, libvirt.version.split("."))) <= (9, 0, 0)
        for model in models:
            line = "  <feature policy='disable' name='mpx'/>\n"
            text = baseline(folder, model, "9.0.0")
            newer = baseline(folder, model, "12.8.0")
            wrong = []
            if text.count(line) != 1:
                wrong.append("for 9.0.0 not disabled once")
            if "mpx" in newer:
                wrong.append("for 12.8.0 spoken of")
            with_it = lacks(libvirt, text) if old else None
            without = lacks(libvirt, text.replace(line, "")) if old else None
            if without and "mpx" in without:
                asked += 1
                if "mpx" in with_it:
                    wrong.append("libvirt %s still wants it" % libvirt.version)
            for what in wrong:
                print("%s: mpx: %s" % (model, what))
            failed += bool(wrong)
    print("%d models, %d wrong; libvirt here was asked of %d (%s)" %
          (len(models), failed, asked, libvirt.missing or libvirt.version))
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
