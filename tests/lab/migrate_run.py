# SPDX-License-Identifier: LGPL-2.1-or-later
"""migrate_run.py: what the tests that move guests between hosts of libvirt_hosts.py do alike."""

import concurrent.futures
import json
import os
import sys

from libvirt_hosts import EMULATOR
from migrate_draw import xml

PROBE_SECONDS = 120


def accelerators():
    return ["tcg"] + (["kvm"] if os.access("/dev/kvm", os.R_OK | os.W_OK) else [])


def probe(fleet, broker):
    """Each host is asked by its own programs; @broker then knows all of them by name."""
    def one(host):
        path = "/run/shared/%s.json" % host.name
        status, _, said = host.run("capbroker-probe", "--connect", "qemu:///system", "--timeout",
                                   str(PROBE_SECONDS), "--output", path, limit=2 * PROBE_SECONDS)
        if status:
            sys.exit("probe of %s: %s" % (host.name, said))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(one, fleet.hosts.values()))
    for name in fleet.hosts:
        process = broker.run("import", "--name", name, os.path.join(fleet.shared, name + ".json"))
        if process.returncode:
            sys.exit("import of %s: %s" % (name, process.stderr))


def predict(broker, source, guest, live):
    """The verdict of each host on a guest that runs at the source, by its live definition."""
    path = os.path.join(broker.folder, "%s-%s.xml" % (guest["name"], source))
    with open(path, "w", encoding="utf-8") as file:
        file.write(live)
    process = broker.run("--json", "check", path, "--from", source, "--to", "all")
    if process.returncode == 2:
        sys.exit("check failed: %s" % process.stderr)
    return {v["host"]: v for v in json.loads(process.stdout)["verdicts"]}


def write(fleet, guest):
    """Puts a guest's definition where each host can read it."""
    with open(os.path.join(fleet.shared, guest["name"] + ".xml"), "w", encoding="utf-8") as file:
        file.write(xml(guest, EMULATOR))


def start(host, guest):
    """Starts a guest that was written; its live definition, or None."""
    if not host.virsh("create", "/run/shared/%s.xml" % guest["name"])[0]:
        return None
    good, live = host.virsh("dumpxml", "--migratable", guest["name"])
    return live if good else None


def move(host, guest, target):
    """(True, "") or (False, what virsh said)."""
    return host.virsh("migrate", "--live", "--p2p", guest["name"], "qemu+tcp://%s/system" % target)
