# SPDX-License-Identifier: LGPL-2.1-or-later
"""capbroker-refresh and a real libvirt: nothing is missing from tables that it is in; of one that
says it is newer and has another CPU map it names what is new, and believes it afterwards."""

import os
import re
import shutil
import subprocess
import sys
import tempfile

from libvirt_fixture import Libvirt

MAP = "/usr/share/libvirt/cpu_map"
# A virsh that says it is of a version to come.
NEWER = """#!/bin/sh
{virsh} "$@" | sed 's/libvirt [0-9][0-9.]*/libvirt 99.0.0/'
"""
failures = []


def check(condition, what):
    if not condition:
        failures.append(what)
        print(f"not ok: {what}")


def refresh(*arguments, path=None):
    """(exit status, output, stderr)"""
    run = subprocess.run(["capbroker-refresh", *arguments], check=False, capture_output=True,
                         text=True, timeout=300,
                         env=dict(os.environ, PATH=path or os.environ["PATH"], LC_ALL="C"))
    return run.returncode, run.stdout, run.stderr


def edit(path, change):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(change(text))


def newer(folder, uri):
    """A feature and a model that are new, a feature that is gone, a model that holds less."""
    copy, site = os.path.join(folder, "map"), os.path.join(folder, "site")
    shutil.copytree(MAP, copy)
    edit(os.path.join(copy, "x86_features.xml"),
         lambda text: re.sub(r"<feature name='avx'.*?</feature>", "<feature name='frob'/>", text,
                             flags=re.S))
    for name in os.listdir(copy):
        edit(os.path.join(copy, name), lambda text: text.replace("<feature name='avx'/>", ""))
    edit(os.path.join(copy, "x86_Penryn.xml"),
         lambda text: text.replace("<feature name='cx16'/>", ""))
    edit(os.path.join(copy, "index.xml"),
         lambda text: text.replace("<include filename='x86_Penryn.xml'/>",
                                   "<include filename='x86_Penryn.xml'/>"
                                   "<include filename='x86_Frob.xml'/>"))
    with open(os.path.join(copy, "x86_Frob.xml"), "w", encoding="utf-8") as file:
        file.write("<cpus><model name='Frob'><vendor name='Intel'/><model name='Penryn'/>"
                   "<feature name='frob'/></model></cpus>")
    os.mkdir(os.path.join(folder, "bin"))
    with open(os.path.join(folder, "bin", "virsh"), "w", encoding="utf-8") as file:
        file.write(NEWER.format(virsh=shutil.which("virsh")))
    os.chmod(os.path.join(folder, "bin", "virsh"), 0o755)
    path = os.path.join(folder, "bin") + ":" + os.environ["PATH"]
    arguments = ["--connect", uri, "--cpu-map", copy, "--site", site]
    status, text, errors = refresh(*arguments, path=path)
    check(status == 1, f"99.0.0: exit status {status}: {errors}")
    for pattern in (r"^feature\tfrob\t\S+\t99\.0\.0\t-", r"^model\tFrob\t\S+\t99\.0\.0\t-",
                    r"^feature\tavx\t-\t\S+\t\d[\d.]+\t", r"^Frob\tIntel\tFrob\t99\.0\.0\t",
                    r"^# model Penryn: .*features.* changed"):
        check(re.search(pattern, text, re.M), f"99.0.0: nothing matches {pattern}")
    refresh(*arguments, "--write", path=path)
    status, text, _ = refresh(*arguments, path=path)
    check(status == 0 and not text, f"99.0.0: refreshed, and still missing: {text[:500]}")
    known = subprocess.run(["capbroker", "explain", "avx"], check=False, text=True,
                           capture_output=True, env=dict(os.environ, CAPBROKER_SITEDIR=site,
                                                         CAPBROKER_DB=os.path.join(folder, "none.db")))
    check(known.returncode == 0, f"capbroker can't read what was written: {known.stderr}")


def main():
    if not os.path.exists(os.path.join(MAP, "index.xml")):
        print(f"skipped: no CPU map in {MAP} (install libvirt)")
        sys.exit(77)
    with Libvirt() as libvirt, tempfile.TemporaryDirectory(prefix="capbroker-test-") as folder:
        if libvirt.missing:
            print(f"skipped: {libvirt.missing}")
            sys.exit(77)
        uri = f"qemu:///embed?root={libvirt.root}"
        site = os.path.join(folder, "none")
        status, text, errors = refresh("--connect", uri, "--site", site)
        check(status in (0, 1), f"{uri}: exit status {status}: {errors}")
        if status:
            refresh("--connect", uri, "--site", site, "--write")
            status, text, _ = refresh("--connect", uri, "--site", site)
        check(status == 0 and not text, f"{libvirt.version}: something is missing: {text[:500]}")
        newer(folder, uri)
        status, text, errors = refresh("--connect", "qemu:///embed?root=relative", "--site", site)
        check(status == 2 and errors.count("\n") == 1 and not text, f"a bad URI: {errors}")
    sys.exit(1 if failures else 0)


main()
