# SPDX-License-Identifier: LGPL-2.1-or-later
"""A host read over libvirt alone: nothing of this machine in it, nothing private of its guests."""

import json
import os

from probe_fixture import check, done, probe, profile, scratch, skip, sources, timeless, write

NODE = """<node>
  <domain type='test' id='7'>
    <name>web-17</name>
    <uuid>0c7eabc0-3f0e-4f4c-8f3a-3a2f6f0b4d11</uuid>
    <title>SECRET-title</title>
    <description>SECRET-description</description>
    <metadata><app:note xmlns:app='http://example.org/app'>SECRET-metadata</app:note></metadata>
    <memory unit='MiB'>512</memory>
    <vcpu>2</vcpu>
    <os><type arch='i686'>hvm</type></os>
    <devices>
      <disk type='file' device='disk'>
        <source file='/images/SECRET-image.qcow2'/><target dev='vda' bus='virtio'/>
        <serial>SECRET-serial</serial>
      </disk>
      <interface type='network'>
        <mac address='52:54:00:aa:bb:cc'/><source network='SECRET-network'/>
      </interface>
      <graphics type='vnc' passwd='SECRET-password'/>
    </devices>
  </domain>
</node>
"""

with scratch() as folder:
    uri = "test://" + write(folder, "node.xml", NODE)
    recording = os.path.join(folder, "recording")
    guests = [os.path.join(folder, n) for n in ("guests", "guests-replayed")]
    status, text, errors = probe("--connect", uri, "--record", recording, "--guests", guests[0])
    if status != 0 and "built without libvirt" in errors:
        skip("built without libvirt")
    check(status == 0, f"{uri}: exit status {status}: {errors}")
    document = json.loads(text)
    named = list(sources(document))
    check(all(s in named for s in ("libvirt", "guests")), f"sources: {named}")
    for local in ("kernel", "cpuid", "msr", "kvm", "mitigations", "qemu"):
        check(local not in named, f"{local} of this machine is mixed in")
    check(all(f["scope"]["view"] == "libvirt" for f in document["facts"]), "another view's facts")
    check(not {"boot_id", "kernel", "cmdline", "emulators"} & set(document["fingerprint"]),
          "this machine's fingerprint is mixed in")

    with open(guests[0], encoding="utf-8") as file:
        listed = json.load(file)
    check(listed["format"] == "capbroker.guests/1", "the format of guests")
    check([g["name"] for g in listed["guests"]] == ["web-17"], "the guests by name")
    guest = listed["guests"][0]
    check(guest["running"] is True and guest["vcpus"] == 2, "what the guest needs")
    for place, _, files in os.walk(folder):
        for name in files:
            if name == "node.xml":
                continue
            with open(os.path.join(place, name), encoding="utf-8") as file:
                check("SECRET" not in file.read(), f"{name} holds what is the guest's own")

    replayed, _ = profile("--replay", recording, "--guests", guests[1])
    check(timeless(text) == timeless(replayed), "the replay differs")
    with open(guests[1], encoding="utf-8") as file:
        check(json.load(file) == listed, "the replay's guests differ")
done()
