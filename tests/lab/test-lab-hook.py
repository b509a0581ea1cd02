#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""test-lab-hook.py: libvirt's hook on real hosts: what it refuses stays, what it allows arrives.

usage: test-lab-hook.py [--seed N] [--count N]

Hosts of three generations (libvirt_hosts.py) probe themselves; each has the hook, enforcing all
effects. Drawn guests (migrate_draw.py) are started, their host is probed again, and each takes its
contract along in its definition's metadata. Then they are moved. `capbroker check --from`, which
knows both sides, has said before what comes of it.

Fails where what was blocked went, or was refused without our reason (libvirt may be first), the
guest then doesn't go on at its source, or what was allowed was refused by the hook; where the
hook refuses anything in spite of the kill switch, or of a database that is gone or locked; and
where no blocked or no allowed move was tried. Prints how long refusals and the hook took.
"""

import argparse
import json
import os
import random
import sys
import tempfile
import time

from lab_fixture import TESTS
from libvirt_hosts import TOP, Fleet, missing
from migrate_draw import draw
from migrate_run import PROBE_SECONDS, accelerators, move, predict, probe, start, write

sys.path.insert(0, TESTS)
from start_fixture import Broker  # noqa: E402

DATABASE, CONFIG = "/run/capbroker/host.db", "/run/capbroker/hook.conf"
POLICY = """[hook]
mode=enforce
enforce=hazard;fails-safely;trapped;security-loss
database=%s
host=%s
kill-switch=/run/capbroker/off
reprobe=no
%s
"""
HOOK = """#!/bin/sh
CAPBROKER=/run/capbroker/capbroker CAPBROKER_HOOK_CONFIG=%s exec sh /run/capbroker/capbroker-hook "$@"
""" % CONFIG
OURS = "capbroker: "
AT_ONCE = 6  # guests that run on a host at a time


def put_policy(host, more=""):
    host.run("sh", "-c", "cat >" + CONFIG, text=POLICY % (DATABASE, host.name, more))


def put_hook(host):
    with open(os.path.join(TOP, "integrations", "libvirt-hook", "capbroker-hook.in"),
              encoding="utf-8") as file:
        host.run("sh", "-c", "cat >/run/capbroker/capbroker-hook", text=file.read())
    put_policy(host)
    host.write("etc/hooks/qemu.d/capbroker", HOOK, 0o755)
    host.run("sh", "-c", "kill -HUP $(cat /run/libvirtd.pid)")


def probe_itself(host):
    status, _, said = host.run("capbroker", "--db", DATABASE, "probe", "--timeout",
                               str(PROBE_SECONDS), limit=2 * PROBE_SECONDS)
    if status:
        sys.exit("probe on %s: %s" % (host.name, said))


def contract_of(host, guest):
    status, out, said = host.run("capbroker", "--db", DATABASE, "guests", guest["name"], "--contract")
    if status:
        sys.exit("%s: no contract: %s" % (guest["name"], said))
    return out.strip()


def give_contract(host, guest, contract=None):
    good, said = host.virsh("metadata", guest["name"], "urn:capbroker:contract:1", "capbroker",
                            "--live", "--set", contract or contract_of(host, guest))
    if not good:
        sys.exit("%s: no metadata: %s" % (guest["name"], said))


class Round:
    """The moves from one source."""

    def __init__(self, fleet, broker, source):
        self.fleet, self.broker, self.source = fleet, broker, fleet.hosts[source]
        self.wrong, self.counts, self.refused_ms = [], {}, []

    def count(self, what):
        self.counts[what] = self.counts.get(what, 0) + 1

    def start_some(self, guests):
        """Those of the guests that start there, with what was said of each."""
        started = []
        for guest in guests:
            write(self.fleet, guest)
            live = start(self.source, guest)
            if live:
                started.append((guest, predict(self.broker, self.source.name, guest, live)))
        if started:
            probe_itself(self.source)
        for guest, _ in started:
            give_contract(self.source, guest)
            self.fleet.alive(guest["name"])
        return started

    def one(self, guest, target, verdict):
        """Moves a guest; true where it went."""
        began = time.monotonic()
        went, said = move(self.source, guest, target)
        took = (time.monotonic() - began) * 1000
        blocked = verdict["migrate"] == "block"
        what = "%s %s->%s, %s: " % (guest["name"], self.source.name, target, verdict["migrate"])
        by = "arrived" if went else "refused by the hook" if OURS in said else "refused by libvirt"
        self.count("%s, %s" % (verdict["migrate"], by))
        if OURS in said:
            self.refused_ms.append(took)
        if went and blocked or not went and not blocked:
            self.wrong.append(what + by + " " + " ".join(said.split())[-300:])
        if not went and not self.fleet.alive(guest["name"]) and guest["beats"]:
            self.wrong.append(what + "no heartbeat at the source after it")
        return went

    def run(self, guests, rng):
        started = self.start_some(guests)
        for guest, verdicts in started:
            guest["beats"] = self.fleet.alive(guest["name"])
            targets = [name for name in self.fleet.hosts if name != self.source.name]
            # the blocked ones first: the guest is gone after the others
            targets.sort(key=lambda name: (verdicts[name]["migrate"] != "block", rng.random()))
            for target in targets:
                if verdicts[target]["migrate"] == "unknown":
                    continue
                if self.one(guest, target, verdicts[target]):
                    self.fleet.hosts[target].virsh("destroy", guest["name"])
                    break
            else:
                self.source.virsh("destroy", guest["name"])


def let_through(fleet, guest, contract, what, prepare, restore):
    """What the hook would refuse must be up to libvirt again; returns what is wrong."""
    source, target = "d12", "d13"
    there = fleet.hosts[target]
    if start(fleet.hosts[source], guest) is None:
        return "%s: the guest doesn't start" % what
    give_contract(fleet.hosts[source], guest, contract)
    fleet.alive(guest["name"])
    there.run("sh", "-c", prepare)
    began = time.monotonic()
    went, said = move(fleet.hosts[source], guest, target)
    took = time.monotonic() - began
    there.run("sh", "-c", restore)
    for host in (source, target):
        fleet.hosts[host].virsh("destroy", guest["name"])
    print("%-28s %s in %.1f s%s" % (what, "arrived" if went else "refused", took,
                                    "" if went else ": " + " ".join(said.split())[-120:]))
    return None if went else "%s: refused" % what


def failures(fleet):
    """A guest that is a hazard (mode='maximum' to another generation): refused, but where the hook
    can't or mustn't decide."""
    guest = {"number": 9999, "name": "hazard", "uuid": "6f3b7c1e-5a0d-4a53-9f5e-00000009999f",
             "accel": "tcg", "vcpus": 1, "disk": "", "machine": "pc-q35-7.2", "mode": "maximum",
             "model": None, "check": None, "features": {}, "parts": []}
    write(fleet, guest)
    if start(fleet.hosts["d12"], guest) is None:
        return ["no guest to try failures with"]
    probe_itself(fleet.hosts["d12"])
    contract = contract_of(fleet.hosts["d12"], guest)
    fleet.hosts["d12"].virsh("destroy", guest["name"])
    bad = let_through(fleet, guest, contract, "as it is", "true", "true")
    wrong = [] if bad else ["a hazard was let through"]
    for what, prepare, restore in (
            ("kill switch", "touch /run/capbroker/off", "rm /run/capbroker/off"),
            ("database gone", "mv %s %s.away" % (DATABASE, DATABASE),
             "rm -f {0}; mv {0}.away {0}".format(DATABASE)),
            ("database corrupt", "cp {0} {0}.good; head -c 100000 /dev/urandom >{0}".format(DATABASE),
             "mv {0}.good {0}; rm -f {0}-wal {0}-shm".format(DATABASE)),
            ("program gone", "mv /run/capbroker/capbroker /run/capbroker/away",
             "mv /run/capbroker/away /run/capbroker/capbroker")):
        said = let_through(fleet, guest, contract, what, prepare, restore)
        wrong += [said] if said else []
    return wrong


def report(host):
    status, out, said = host.run("capbroker", "--db", DATABASE, "--json", "report")
    if status not in (0, 1, 3):
        sys.exit("report on %s: %s" % (host.name, said))
    return json.loads(out)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=20261130)
    parser.add_argument("--count", type=int, default=18, help="guests that are drawn for each source")
    chosen = parser.parse_args()
    why = missing()
    if why:
        print("SKIP: " + why)
        sys.exit(77)
    counts, wrong, refused = {}, [], []
    with tempfile.TemporaryDirectory(prefix="cbl-", dir="/tmp") as folder:
        broker = Broker("capbroker", folder)
        with Fleet(os.path.join(folder, "fleet")) as fleet:
            probe(fleet, broker)
            for host in fleet.hosts.values():
                probe_itself(host)
                put_hook(host)
            rng = random.Random(chosen.seed)
            guests = [draw(rng, number, accelerators()) for number in range(chosen.count)]
            for source in ("d12", "d13", "sid"):
                for first in range(0, len(guests), AT_ONCE):
                    one = Round(fleet, broker, source)
                    one.run(guests[first:first + AT_ONCE], rng)
                    wrong += one.wrong
                    refused += one.refused_ms
                    for what, number in one.counts.items():
                        counts[what] = counts.get(what, 0) + number
            wrong += failures(fleet)
            times = {host.name: report(host)["ms"] for host in fleet.hosts.values()}
    for what, number in sorted(counts.items()):
        print("%-28s %4d" % (what, number))
    refused.sort()
    if refused:
        print("%-28s median %.0f, most %.0f ms of %d" % ("a refusal took", refused[len(refused) // 2],
                                                        refused[-1], len(refused)))
    for name, ms in times.items():
        if ms:
            print("%-28s median %d, most %d ms" % ("the hook itself on " + name, ms["median"], ms["max"]))
    if not counts.get("block, refused by the hook"):
        wrong.append("no move that the hook refused")
    if not counts.get("ok, arrived") and not counts.get("warn, arrived"):
        wrong.append("no move that it allowed")
    print("\n".join(wrong))
    print("%s (seed %d)" % ("FAIL" if wrong else "PASS", chosen.seed))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
