# SPDX-License-Identifier: LGPL-2.1-or-later
"""A libvirt that runs inside the probe (qemu:///embed?root=…), which has to serve its events."""

import json
import os
import shutil
import subprocess

from libvirt_fixture import Libvirt
from probe_fixture import check, done, probe, scratch, seconds, skip, sources

GUEST = """<domain type='qemu'><name>kept</name><memory unit='MiB'>64</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='q35'>hvm</type></os></domain>"""
# Saved while it ran, with a snapshot: both hold it to a machine type.
SAVED = """<domain type='qemu'><name>saved</name><memory unit='MiB'>64</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='pc-q35-6.2'>hvm</type></os>
<cpu mode='custom' match='exact' check='none'><model>qemu64</model></cpu>
<devices><disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='%s'/>
<target dev='vda' bus='virtio'/></disk><memballoon model='none'/></devices></domain>"""


def save(libvirt, folder):
    """Leaves a saved guest behind; false where there is nothing to make its disk with."""
    if not shutil.which("qemu-img"):
        print("not tried: a saved guest (install qemu-utils)")
        return False
    disk, path = os.path.join(folder, "disk"), os.path.join(folder, "saved.xml")
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", disk, "1M"], check=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(SAVED % disk)
    libvirt.run(["define " + path, "start saved", "snapshot-create-as saved before",
                 "managedsave saved"])
    return True

with Libvirt() as libvirt, scratch() as folder:
    if libvirt.missing:
        skip(libvirt.missing)
    path = os.path.join(folder, "guest.xml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(GUEST)
    libvirt.run(["define " + path])
    saves = save(libvirt, folder)
    guests = os.path.join(folder, "guests.json")
    status, text, errors = probe("--connect", "qemu:///embed?root=" + libvirt.root, "--only",
                                 "libvirt,guests", "--guests", guests, "--timeout", seconds(60))
    if status != 0 and "built without libvirt" in errors:
        skip("built without libvirt")
    check(status == 0 and not errors, f"exit status {status}: {errors}")
    document = json.loads(text)
    check(sources(document)["libvirt"]["state"] == "ok", f"{sources(document)['libvirt']}")
    check([f["value"] for f in document["facts"] if f["id"] == "libvirt.version"] ==
          [libvirt.version], "libvirt's version")
    check(any(e.get("cpu_models") and e["machine"] != "none" for e in document["emulators"]),
          "no domain capabilities")
    with open(guests, encoding="utf-8") as file:
        # libvirt lists them in no order; who else runs here is told, too, by their processes
        listed = sorted((guest for guest in json.load(file)["guests"] if guest["name"] in ("kept", "saved")),
                        key=lambda guest: guest["name"])
    check([(g["name"], g["running"]) for g in listed] ==
          [("kept", False)] + [("saved", False)] * saves, f"guests: {listed}")
    if saves:
        check(listed[1].get("saved") is True and listed[1]["os"]["machine"] == "pc-q35-6.2" and
              [(s["name"], s["machine"], s["memory"]) for s in listed[1].get("snapshots", [])] ==
              [("before", "pc-q35-6.2", True)], f"saved guest: {listed[1]}")
done()
