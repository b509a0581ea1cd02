#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""test-lab-migrations.py: predict, then really do, moves of seeded guests between real libvirt hosts.

usage: test-lab-migrations.py [--seed N] [--count N] [--keep FILE]

Hosts of three generations (libvirt_hosts.py) are probed by their own libvirt and QEMU. Each drawn
guest (migrate_draw.py) is started on each; from its live definition `capbroker check --from` says
first where it can go; then it is moved there, peer to peer. What the guest sees of its CPU and
devices is read by QMP on both sides: a move that went well and changed that is a silent difference.
--count is how many moves are done at least.

Fails where one said to go well (or with a warning that is no hazard) failed or changed the guest in
silence, where more than 2 % were blocked that went well, or are unknown; where less than 30 % truly
fail, or a failure's message (move-messages.tsv) belongs to a check that the verdict didn't name.
"""

import argparse
import collections
import concurrent.futures
import json
import os
import random
import re
import sys
import tempfile
import threading

from lab_fixture import TESTS
from libvirt_hosts import Fleet, missing
from migrate_draw import draw
from migrate_run import accelerators, move, predict, probe, start, write

sys.path.insert(0, TESTS)
from start_fixture import Broker  # noqa: E402

WORKERS = 3
MOVES_A_GUEST = 6  # on the average at most
LIMITS = {"false": 0.02, "unknown": 0.02, "refused": 0.3}
CPU_SEES = ["feature-words", "family", "model", "stepping", "phys-bits", "vendor"]
# What QEMU's own devices are told anew by each version, and no guest sees.
NOISE = {"drive", "rombar", "romfile", "romsize", "parent_bus", "type", "chardev", "netdev", "addr",
         "acpi-index", "discard-granularity", "hotplugged", "memdev", "rng", "audiodev", "cryptodev"}


def messages():
    """[(pattern, checks)] of what is said where a move fails."""
    with open(os.path.join(TESTS, "move-messages.tsv"), encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file if line.strip() and line[0] != "#"]
    return [(re.compile(row[0]), set(row[1].split())) for row in rows[1:]]


def cpu_seen(values):
    """The properties of a CPU, its feature words one by one."""
    seen = {}
    for prop, value in zip(CPU_SEES, values):
        if prop != "feature-words":
            seen["cpu " + prop] = value
            continue
        for word in value or []:
            seen["cpuid %x.%s %s" % (word["cpuid-input-eax"], word.get("cpuid-input-ecx", 0),
                                     word["cpuid-register"])] = word["features"]
    return seen


def seen_by(host, name):
    """What a guest sees, as far as QMP tells: its CPU, and the properties of its devices."""
    cpus, listed = host.monitor(name, [("query-cpus-fast", {}),
                                       ("qom-list", {"path": "/machine/peripheral"})])
    devices = ["/machine/peripheral/" + one["name"] for one in listed
               if one["type"].startswith("child<")]
    lists = host.monitor(name, [("qom-list", {"path": path}) for path in devices])
    props = [(path, prop["name"]) for path, found in zip(devices, lists) for prop in found
             if prop["name"] not in NOISE and
             prop["type"].startswith(("bool", "int", "uint", "str", "On", "size"))]
    cpu = cpus[0]["qom-path"]
    values = host.monitor(name, [("qom-get", {"path": path, "property": prop}) for path, prop in
                                 [(cpu, prop) for prop in CPU_SEES] + props])
    seen = cpu_seen(values)
    for (path, prop), value in zip(props, values[len(CPU_SEES):]):
        if isinstance(value, (bool, int, str)):
            seen["%s %s" % (path.rpartition("/")[2], prop)] = value
    return seen


def changed(before, after):
    """What both sides tell of and tell otherwise; a CPU word that one side lacks is empty."""
    keys = {key for key in before if key in after} | {
        key for key in {*before, *after} if key.startswith("cpuid")}
    return sorted(key for key in keys if (before.get(key) or 0) != (after.get(key) or 0))


class Moves:
    """All moves of one seed."""

    def __init__(self, fleet, broker, chosen):
        self.fleet, self.broker, self.chosen = fleet, broker, chosen
        self.lock = threading.Lock()
        self.rows, self.not_started = [], collections.Counter()
        self.guests = set()

    def all_of(self, guest):
        """Starts one guest everywhere and moves it from there."""
        write(self.fleet, guest)
        rng = random.Random("%s %d" % (guest["name"], self.chosen.seed))
        names = list(self.fleet.hosts)
        for source in names:
            if source == "d12b" and rng.random() < 0.7:
                continue
            targets = [name for name in names if name != source and
                       not ("d12b" in (name, source) and rng.random() < 0.6)]
            self.from_source(guest, source, targets)

    def from_source(self, guest, source, targets):
        host, live, verdicts, seen = self.fleet.hosts[source], None, None, None
        for target in targets:
            if live is None:
                live = start(host, guest)
                if live is None:
                    with self.lock:
                        self.not_started[source] += 1
                    return
                verdicts = predict(self.broker, source, guest, live)
                beats = self.fleet.alive(guest["name"])
                seen = seen_by(host, guest["name"])
            row = {"guest": guest["name"], "stratum": guest["stratum"], "accel": guest["accel"],
                   "from": source, "to": target, "beats": beats, "verdict": verdicts[target]}
            row["went"], row["said"] = move(host, guest, target)
            if row["went"]:
                there = self.fleet.hosts[target]
                row["changed"] = changed(seen, seen_by(there, guest["name"]))
                row["alive"] = self.fleet.alive(guest["name"]) or not beats
                there.virsh("destroy", guest["name"])
                live = None
            else:
                row["alive"] = self.fleet.alive(guest["name"]) or not beats
                if not host.virsh("domstate", guest["name"])[0]:
                    live = None
            with self.lock:
                self.rows.append(row)
                self.guests.add(guest["name"])
        host.virsh("destroy", guest["name"])

    def run(self, accels):
        rng, number = random.Random(self.chosen.seed), 0
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            while number < 3 * self.chosen.count and (
                    len(self.rows) < self.chosen.count or
                    len(self.guests) < self.chosen.count // MOVES_A_GUEST):
                batch = [draw(rng, number + k, accels) for k in range(2 * WORKERS)]
                number += len(batch)
                for _ in pool.map(self.all_of, batch):
                    pass


def is_hazard(verdict):
    return any(f["effect"] == "hazard" and f["verdict"] in ("warn", "block")
               for f in verdict["findings"])


def outcome_of(row):
    return "failed" if not row["went"] else "silent" if row["changed"] else "well"


def wrong_of(row, known):
    """What is wrong with a prediction, or None."""
    said, outcome = row["verdict"]["migrate"], outcome_of(row)
    blocking = {f["check"] for f in row["verdict"]["findings"] if f["verdict"] == "block"}
    if said == "unknown":
        return "unknown"
    if outcome == "failed" and said in ("ok", "warn"):
        return "false ok"
    if outcome == "silent" and not is_hazard(row["verdict"]):
        return "silent difference not told" if said != "block" else None
    if outcome == "well" and said == "block":
        return "false block"
    if outcome == "failed":
        checks = [names for pattern, names in known if pattern.search(row["said"])]
        if not checks:
            return "message of no check"
        if not any(names & blocking for names in checks):
            return "other cause"
    return None


def show(row, wrong):
    print("%s: %s %s->%s (%s %s): said %s, went %s%s" % (
        wrong, row["guest"], row["from"], row["to"], row["stratum"], row["accel"],
        row["verdict"]["migrate"], outcome_of(row),
        " (%s)" % "; ".join(row["changed"][:6]) if row.get("changed") else ""))
    if not row["went"]:
        print("  " + " ".join(row["said"].split())[-300:])
    for finding in row["verdict"]["findings"]:
        print("  %(verdict)s %(check)s (%(effect)s): %(text)s" % finding)


def judge(moves, known):
    """Prints the table; returns what is wrong with the whole."""
    table, strata = collections.Counter(), collections.defaultdict(collections.Counter)
    wrongs, bad = collections.Counter(), []
    for row in moves.rows:
        key = row["verdict"]["migrate"], outcome_of(row)
        table[key] += 1
        for name in (row["stratum"], "%s->%s" % (row["from"], row["to"]), row["accel"]):
            strata[name][key] += 1
        wrong = wrong_of(row, known)
        if wrong:
            wrongs[wrong] += 1
            show(row, wrong)
        if not row["alive"]:
            print("no heartbeat: %s %s->%s" % (row["guest"], row["from"], row["to"]))
    columns = [(said, how) for said in ("ok", "warn", "unknown", "block")
               for how in ("well", "silent", "failed")]
    print("%-12s %s" % ("", " ".join("%8s" % said if how == "well" else " " * 8
                                     for said, how in columns)))
    print("%-12s %s" % ("", " ".join("%8s" % how for _, how in columns)))
    for name, counts in sorted(strata.items()) + [("all", table)]:
        print("%-12s %s" % (name, " ".join("%8d" % counts[key] for key in columns)))
    total, failed = len(moves.rows), sum(n for (_, how), n in table.items() if how == "failed")
    print("%d moves of %d guests, %d failed; starts refused: %s" % (
        total, len(moves.guests), failed, dict(moves.not_started)))
    for wrong, number in wrongs.items():
        limit = LIMITS.get({"false block": "false", "unknown": "unknown"}.get(wrong), 0) * total
        if number > limit:
            bad.append("%d %s" % (number, wrong))
    dead = sum(not row["alive"] for row in moves.rows)
    if dead:
        bad.append("%d without a heartbeat after" % dead)
    if failed < LIMITS["refused"] * total:
        bad.append("only %d of %d failed: the seed tries too little" % (failed, total))
    return bad


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=20261130)
    parser.add_argument("--count", type=int, default=240)
    parser.add_argument("--keep", help="write each move, prediction and outcome to this file")
    chosen = parser.parse_args()
    why = missing()
    if why:
        print("SKIP: " + why)
        sys.exit(77)
    known = messages()
    with tempfile.TemporaryDirectory(prefix="cbl-", dir="/tmp") as folder:
        broker = Broker("capbroker", folder)
        with Fleet(os.path.join(folder, "fleet")) as fleet:
            probe(fleet, broker)
            moves = Moves(fleet, broker, chosen)
            moves.run(accelerators())
        if chosen.keep:
            with open(chosen.keep, "w", encoding="utf-8") as file:
                file.writelines(json.dumps(row) + "\n" for row in moves.rows)
        bad = judge(moves, known)
    print("%s (seed %d)%s" % ("FAIL" if bad else "PASS", chosen.seed,
                              "".join("; " + text for text in bad)))
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
