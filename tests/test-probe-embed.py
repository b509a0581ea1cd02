# SPDX-License-Identifier: LGPL-2.1-or-later
"""A libvirt that runs inside the probe (qemu:///embed?root=…), which has to serve its events."""

import json
import os

from libvirt_fixture import Libvirt
from probe_fixture import check, done, probe, scratch, seconds, skip, sources

GUEST = """<domain type='qemu'><name>kept</name><memory unit='MiB'>64</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='q35'>hvm</type></os></domain>"""

with Libvirt() as libvirt, scratch() as folder:
    if libvirt.missing:
        skip(libvirt.missing)
    path = os.path.join(folder, "guest.xml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(GUEST)
    libvirt.run(["define " + path])
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
        listed = json.load(file)["guests"]
    check([(g["name"], g["running"]) for g in listed] == [("kept", False)], f"guests: {listed}")
done()
