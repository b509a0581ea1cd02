#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""test-grammar-libvirt.py: what `capbroker check` says of definitions with one value changed, held
against this machine's libvirt, which is made to define them (nothing is started).

usage: test-grammar-libvirt.py [--seed N] [--count N]

Samples are a definition below, which has many devices, and the collected ones beside the source
tree, as far as this libvirt takes them. In each try one attribute or text gets a word or number
drawn from the seed: what the table lists for it, words of others, a word that nobody knows,
numbers, nothing. Fails where check blocks for what the definition says (definition-valid) and
libvirt took it; where libvirt's parser names the value as invalid, check didn't block, and the
table says what may stand there; or where it doesn't say so for more than 1 % of the refusals.
Exit 77: no libvirt that can be embedded here, or no samples to change.
"""

import argparse
import copy
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

from libvirt_fixture import Libvirt

SRCDIR = os.environ.get("srcdir", os.path.dirname(os.path.abspath(__file__)))
DATA = os.environ.get("CAPBROKER_SHARED_DATA", os.path.join(SRCDIR, "..", "..", "shared", "data"))
TABLE = os.path.join(SRCDIR, "..", "schema", "data", "libvirt-grammar.tsv")
WORDS = ["bogusvalue", "", "yes", "no", "on", "off", "none", "default", "virtio", "unix", "-1", "0",
         "1", "7", "0x10", "1.5", "12abc", "4294967296", "99999999999999999999"]
LEFT_ALONE = ("name", "uuid", "emulator", "metadata", "qemu:", "machine", "arch", "id")

SAMPLE = """<domain type='qemu'><memory unit='MiB'>512</memory><vcpu placement='static'>2</vcpu>
<iothreads>1</iothreads><os><type arch='x86_64' machine='pc'>hvm</type><boot dev='hd'/>
<bootmenu enable='yes' timeout='3000'/><bios useserial='yes' rebootTimeout='0'/></os>
<features><acpi/><apic eoi='on'/><pae/><pmu state='off'/><vmport state='off'/></features>
<cpu mode='custom' match='exact' check='none'><model fallback='allow'>qemu64</model>
<topology sockets='1' dies='1' cores='2' threads='1'/><feature policy='require' name='sse3'/></cpu>
<clock offset='utc'><timer name='rtc' tickpolicy='catchup' track='guest'/><timer name='hpet'
present='no'/></clock><on_poweroff>destroy</on_poweroff><on_reboot>restart</on_reboot>
<on_crash>destroy</on_crash><pm><suspend-to-mem enabled='no'/></pm><devices>
<disk type='file' device='disk'><driver name='qemu' type='qcow2' cache='none' io='native'
discard='unmap' queues='2' iothread='1'/><source file='/tmp/a.qcow2'/><target dev='vda'
bus='virtio'/><iotune><total_iops_sec>100</total_iops_sec></iotune><boot order='1'/></disk>
<disk type='file' device='cdrom'><target dev='sda' bus='scsi' tray='open'/><readonly/></disk>
<controller type='scsi' index='0' model='virtio-scsi'><driver queues='2'/></controller>
<controller type='usb' index='0' model='qemu-xhci' ports='8'/><controller type='virtio-serial'
index='0' ports='16' vectors='4'/><interface type='user'><mac address='52:54:00:00:00:01'/>
<model type='virtio'/><driver name='qemu' txmode='iothread' ioeventfd='on'/><link state='up'/>
<mtu size='1500'/></interface><serial type='pty'><target type='isa-serial' port='0'/></serial>
<channel type='unix'><source mode='bind' path='/tmp/s'/><target type='virtio' name='a.b'/></channel>
<input type='tablet' bus='usb'/><graphics type='vnc' port='-1' autoport='yes'
sharePolicy='allow-exclusive'/><sound model='ich9'><codec type='micro'/></sound>
<video><model type='vga' vram='16384' heads='1'/></video><watchdog model='i6300esb'
action='reset'/><memballoon model='virtio' autodeflate='on'><stats period='5'/></memballoon>
<rng model='virtio'><backend model='random'>/dev/urandom</backend><rate period='2000'
bytes='1234'/></rng><iommu model='virtio'/><vsock model='virtio'><cid auto='no' address='3'/></vsock>
</devices></domain>"""


def listed_words():
    """{(path, attribute): [words that the table lists there]}."""
    words = {}
    with open(TABLE, encoding="utf-8") as file:
        for line in file:
            fields = line.rstrip("\n").split("\t")
            if line[0] != "#" and fields[0] != "path" and fields[3] != "-":
                for path in fields[0].split("|"):
                    words.setdefault((path, fields[1]), []).extend(
                        w for w in fields[3].split() if w[0] not in '#"')
    return words


def adapt(root):
    """A sample with this machine's emulator and a name of ours."""
    for name in ("name", "uuid", "metadata", "seclabel"):
        for node in root.findall(name):
            root.remove(node)
    for node in root.findall("devices/emulator"):
        root.find("devices").remove(node)
    ElementTree.SubElement(root, "name").text = "t"
    ElementTree.SubElement(root, "uuid").text = "5e0f0000-2000-4000-8000-000000000001"


def samples(libvirt):
    folder = os.path.join(DATA, "libvirt-domains")
    texts = [SAMPLE]
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            texts.append(file.read())
    roots = [ElementTree.fromstring(text) for text in texts]
    roots = [root for root in roots if root.tag == "domain"]
    for root in roots:
        adapt(root)
    return [root for root, error in zip(roots, define(libvirt, roots)) if error is None]


def define(libvirt, roots):
    """Libvirt's error for each, None where it took it."""
    commands = []
    for i, root in enumerate(roots):
        path = os.path.join(libvirt.root, "%d.xml" % i)
        ElementTree.ElementTree(root).write(path)
        commands.append(["define " + path, "uri"])
    errors = []
    while len(errors) < len(roots):
        answers = libvirt.run([c for pair in commands[len(errors):] for c in pair])
        for error, uri in zip(answers[::2], answers[1::2]):
            if not uri:  # some values make some libvirts crash
                errors.append("crashed")
                break
            errors.append(re.sub("^error: ", "", error, flags=re.M) if "error: " in error else None)
    return errors


def places(root):
    """(path of names, node, attribute) of all that may be changed."""
    found = []

    def walk(node, path):
        for name in node.attrib:
            if not name.startswith(("{",) + LEFT_ALONE):
                found.append((path, node, name))
        if (node.text or "").strip() and not len(node) and node.tag not in LEFT_ALONE:
            found.append((path, node, "#text"))
        for child in node:
            if isinstance(child.tag, str) and not child.tag.startswith("{"):
                walk(child, path + [child.tag])
    walk(root, [])
    return found


def mutate(rng, root, words):
    """(changed copy, path, attribute, value)."""
    root = copy.deepcopy(root)
    found = places(root)
    known = [p for p in found if ("/".join(p[0]), p[2]) in words]
    path, node, name = rng.choice(known if known and rng.random() < 0.8 else found)
    listed = words.get(("/".join(path), name), [])
    value = rng.choice(listed if listed and rng.random() < 0.4 else WORDS)
    if name == "#text":
        node.text = value
    else:
        node.set(name, value)
    return root, "/".join(path), name, value


def judged(database, path):
    """(text where the definition is blocked, else None; does the table say so?).

    Rules have findings of that check too, and refuse some of what is only refused at a start.
    """
    run = subprocess.run(["capbroker", "--db", database, "--json", "check", path, "--to", "all"],
                         capture_output=True, text=True, check=False, timeout=60)
    if run.returncode == 2:
        return run.stderr.strip(), True
    findings = [f for f in json.loads(run.stdout)["verdicts"][0]["findings"]
                if f["check"] == "definition-valid" and f["verdict"] == "block"]
    for finding in findings:
        if any(need["id"].startswith("/domain/") for need in finding["need"]):
            return finding["text"], True
    return (findings[0]["text"], False) if findings else (None, False)


def names_value(error, name, value):
    """Does libvirt's parser say that the value is none that it knows?"""
    return "Invalid value for attribute '%s'" % name in error and "'%s'" % value in error


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--count", type=int, default=300)
    options = parser.parse_args()
    with Libvirt() as libvirt, tempfile.TemporaryDirectory() as folder:
        if libvirt.missing:
            print("skipped: " + libvirt.missing)
            return 77
        if not os.path.isdir(os.path.join(DATA, "libvirt-domains")):
            print("skipped: no samples of domain XML in %s (set CAPBROKER_SHARED_DATA)" % DATA)
            return 77
        return compare(libvirt, folder, options)


def compare(libvirt, folder, options):
    rng, words = random.Random(options.seed), listed_words()
    database = os.path.join(folder, "t.db")
    subprocess.run(["capbroker", "--db", database, "import", "--name", "here"] +
                   libvirt.facts(folder, ["pc", "q35"]), check=True, stdout=subprocess.DEVNULL)
    base = samples(libvirt)
    tries = [mutate(rng, rng.choice(base), words) for _ in range(options.count)]
    errors = define(libvirt, [root for root, *_ in tries])
    refused = blocked = bad = gaps = 0
    for i, ((_, path, name, value), error) in enumerate(zip(tries, errors)):
        block, ours = judged(database, os.path.join(libvirt.root, "%d.xml" % i))
        refused += error is not None
        blocked += block is not None
        if ours and error is None:
            why = "blocked: " + block
        elif error and names_value(error, name, value) and block is None:
            why = "not blocked: " + error
            gaps += (path, name) not in words
        else:
            continue
        bad += 1
        print("%s @%s='%s': %s" % (path, name, value, " ".join(why.split())))
    print("libvirt %s, %d samples: %d changes, %d refused by it, %d blocked, %d wrong, "
          "%d of them not in the table" %
          (libvirt.version, len(base), len(tries), refused, blocked, bad, gaps))
    if refused * 10 < len(tries):
        print("too few were refused to tell anything")
        return 1
    return int(bad > gaps or gaps * 100 > refused)


if __name__ == "__main__":
    sys.exit(main())
