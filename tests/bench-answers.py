#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""bench-answers.py [HOSTS [GUESTS]]: how long the questions of a whole fleet take, program start and
loading of the database included.

The fleet is made of the recorded hosts and guests: each profile many times under names of its own,
each guest on hosts that can run it, in three sizes, one in five powered off. A third of the hosts of
each profile had another one until yesterday. Nothing is asserted but that the answers are about all of it.
"""

import json
import os
import random
import re
import sqlite3
import subprocess
import sys
import tempfile
import time

from hosts_fixture import Capbroker, TESTS, profiles

SEED = 20261130
REPEATS = 3
GUESTS = sorted(os.path.join(TESTS, "guests", name) for name in os.listdir(os.path.join(TESTS, "guests"))
                if name.endswith(".xml"))


def write(path, document):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(document, file)
    return path


def template(capbroker):
    """({guest: entry}, {guest: profiles that can run it}), asked of the recorded ones themselves."""
    capbroker.run("import", *GUESTS)
    for name, path in profiles().items():
        capbroker.run("import", "--name", name, path)
    entries = {}
    for entry in capbroker.ask("guests")["guests"]:
        entry.pop("running", None)
        entry.pop("host", None)
        entries[entry["name"]] = entry
    matrix = capbroker.ask("matrix")
    fits = {}
    for group, row in zip(matrix["guest_groups"], matrix["cells"]):
        fine = [host for cell, one in zip(row, matrix["classes"]) if cell in ("ok", "warn")
                for host in one["hosts"]]
        for guest in group["guests"]:
            fits[guest] = fine
    return entries, fits


def hosts(count, folder):
    """{profile: names}, and the files that describe them"""
    known, named, files = profiles(), {}, []
    order = sorted(known)
    for i in range(count):
        profile = order[i % len(order)]
        with open(known[profile], encoding="utf-8") as file:
            document = json.load(file)
        name = f"h{i:05d}"
        document["host"] = dict(document["host"], name=name, aliases={},
                                uuid=f"00000000-0000-4000-8000-{i:012d}")
        files.append(write(os.path.join(folder, name + ".json"), document))
        named.setdefault(profile, []).append(name)
    return named, files


def one_guest(entry, name, number, smaller, running):
    """A copy of a recorded guest that goes by another name, its memory halved so many times."""
    uuid = f"10000000-0000-4000-8000-{number:012d}"
    text = entry["definition"].replace(f"<name>{entry['name']}<", f"<name>{name}<")
    text = text.replace(entry["uuid"], uuid)
    memory = entry["memory_kib"] >> smaller
    text = re.sub("<memory unit='[A-Za-z]+'>[0-9]+<", f"<memory unit='KiB'>{memory}<", text, count=1)
    return dict(entry, name=name, uuid=uuid, memory_kib=memory, definition=text, running=running)


def guests(count, named, entries, fits, folder, draw):
    """Files with the guests of each host."""
    on = {name: [] for names in named.values() for name in names}
    kinds = sorted(entries)
    for i in range(count):
        kind = kinds[i % len(kinds)]
        able = fits[kind] or sorted(named)
        host = draw.choice(named[draw.choice(able)] if able[0] in named else sorted(on))
        on[host].append(one_guest(entries[kind], f"{kind}-{i}", i, i // len(kinds) % 3,
                                  bool(fits[kind]) and draw.random() < 0.8))
    return [write(os.path.join(folder, f"guests-{host}.json"),
                  {"format": "capbroker.guests/1", "host": host, "complete": True, "guests": told})
            for host, told in sorted(on.items())]


def before_upgrade(profile, named, fits):
    """The other profile that the most of the guests can run on that can run on this one."""
    def alike(other):
        return sum((profile in able) == (other in able) for able in fits.values())
    return max(sorted(set(named) - {profile}), key=alike)


def drift(database, named, fits):
    """A third of the hosts of each profile had another one until a day ago."""
    with sqlite3.connect(database) as db:
        day = 86400
        db.execute("UPDATE history SET since = since - ?", (30 * day,))
        for profile in sorted(named):
            other = before_upgrade(profile, named, fits)
            (before,) = db.execute("SELECT profile FROM host WHERE name = ?", (named[other][0],)).fetchone()
            for name in named[profile][: len(named[profile]) // 3]:
                host, now = db.execute("SELECT id, profile FROM host WHERE name = ?", (name,)).fetchone()
                db.execute("UPDATE history SET profile = ? WHERE host = ?", (before, host))
                db.execute("INSERT INTO history (host, profile, since) VALUES (?, ?, ?)",
                           (host, now, int(time.time()) - day))


def build(capbroker, count, number):
    draw = random.Random(SEED)
    with Capbroker() as small:
        entries, fits = template(small)
    with tempfile.TemporaryDirectory() as folder:
        named, files = hosts(count, folder)
        capbroker.run("import", *files)
        capbroker.run("import", *guests(number, named, entries, fits, folder, draw))
    drift(capbroker.database, named, fits)
    return named


def measure(capbroker, *command):
    times = []
    for _ in range(REPEATS):
        begin, used = time.monotonic(), os.times()
        text = capbroker.run(*command, fine=(0, 1, 3))
        ended = os.times()
        times.append((time.monotonic() - begin, ended.children_user - used.children_user +
                      ended.children_system - used.children_system))
    if not text.strip():
        sys.exit(f"{command}: no answer")
    print("  %-28s %8.3f s, %.3f s of a processor" % (" ".join(command), *sorted(times)[len(times) // 2]),
          flush=True)


def main():
    count, number = (int(word) for word in (sys.argv[1:] + ["1000", "20000"][len(sys.argv) - 1:])[:2])
    keep = os.environ.get("BENCH_DATABASE")
    with Capbroker() as capbroker:
        if keep:
            capbroker.database = keep
        if not keep or not os.path.exists(keep):
            build(capbroker, count, number)
        matrix = capbroker.ask("matrix")
        print("%d hosts in %d classes, %d guests in %d groups" % (
            sum(c["hosts_n"] for c in matrix["classes"]), len(matrix["classes"]),
            sum(g["guests_n"] for g in matrix["guest_groups"]), len(matrix["guest_groups"])), flush=True)
        for command in (("hosts",), ("matrix",), ("check", matrix["guest_groups"][0]["guests"][0]),
                        ("drain", "h00000"), ("stranded",), ("drift",), ("level", "create", "bench"),
                        ("level", "propose")):
            measure(capbroker, *command)


main()
