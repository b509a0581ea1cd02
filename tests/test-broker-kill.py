#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""test-broker-kill.py [--kills N] [--seed N]: a broker killed at random moments while agents send: each
profile that was acknowledged is there, none is there by half, and nobody's is lost. Then a disk that
fills up (507), a database that somebody else holds (503), and a clock that agents have wrong."""

import argparse
import json
import os
import random
import sqlite3
import subprocess
import tempfile
import threading
import time

from broker_fixture import Broker, Tally, need_broker
from fleet_fixture import host

AGENTS = 6


def document(name, number, base):
    """A small profile that says which of its kind it is."""
    made = json.loads(base)
    made["host"]["name"] = name
    made["facts"].append({"id": f"cpu.test-{number % 7}", "value": True, "state": "known", "scope": {"view": "kvm"}, "origin": "test"})
    made["fingerprint"] = {"kernel": f"kernel-{number}", "boot_id": str(number)}
    return made


def base_of():
    """Of a recorded host, without what makes it large."""
    whole = host("x", "lab-debian12")
    whole["emulators"] = []
    whole["facts"] = whole["facts"][:30]
    return json.dumps(whole)


class Agent(threading.Thread):
    """Sends one profile after the other, and remembers what was acknowledged and what it last tried."""

    def __init__(self, broker, number, start, base):
        super().__init__()
        self.broker, self.name_, self.number, self.base = broker, f"a{number}", start, base
        self.acknowledged = self.tried = None
        self.ending = False

    def run(self):
        connection = None
        while not self.ending:
            self.number += 1
            self.tried = self.number
            try:
                connection = connection or self.broker.connection(timeout=10)
                reply = self.broker.put(f"/v1/hosts/{self.name_}/profile", document(self.name_, self.number, self.base), connection=connection)
                if reply.status == 200:
                    self.acknowledged = self.number
            except (OSError, ValueError, Exception):  # the broker is gone
                return


def fingerprint(broker, name):
    hosts = {one["name"]: one for one in broker.get("/v1/hosts").json["hosts"]}
    return hosts.get(name, {}).get("fingerprint", {}).get("kernel")


def kills(tally, count, seed):
    chance, base = random.Random(seed), base_of()
    broker = Broker({"history": {"keep_days": "0"}})
    known = {f"a{i}": 0 for i in range(AGENTS)}
    acknowledged = 0
    for _ in range(count):
        broker.start()
        for name, number in known.items():
            if number:
                seen = fingerprint(broker, name)
                tally.check(seen in [f"kernel-{n}" for n in number], f"{name}: {seen}, not one of {number}")
        agents = [Agent(broker, i, 1000 * len(tally.wrong) + max(known[f"a{i}"] or [0]), base) for i in range(AGENTS)]
        for agent in agents:
            agent.start()
        time.sleep(chance.uniform(0.01, 0.15))
        broker.kill()
        for agent in agents:
            agent.ending = True
            agent.join()
            acknowledged += agent.acknowledged is not None
            # what was sent and not acknowledged may be there, or not
            low = agent.acknowledged or (known[agent.name_] and max(known[agent.name_])) or None
            if low:
                before = known[agent.name_] or []
                fine = {low, agent.tried} if agent.acknowledged else {*before, agent.tried}
                known[agent.name_] = sorted(n for n in fine if n)
    with sqlite3.connect(broker.database) as database:
        tally.check(database.execute("PRAGMA integrity_check").fetchone() == ("ok",), "the database is damaged")
        orphans = database.execute("SELECT count(*) FROM profile_section WHERE section NOT IN (SELECT id FROM section)").fetchone()
        tally.check(orphans == (0,), f"{orphans} sections are missing")
        broken = database.execute("SELECT count(*) FROM profile WHERE id NOT IN (SELECT profile FROM profile_section)").fetchone()
        tally.check(broken == (0,), f"{broken} profiles have no sections")
    print(f"{count} kills, {acknowledged} times something had been acknowledged")
    tally.check(acknowledged > count, "hardly anything was acknowledged: nothing was tried")
    broker.__enter__()
    names = [one["name"] for one in broker.get("/v1/hosts").json["hosts"]]
    tally.check(names == sorted(known), f"there are {names}")
    for name in names:
        tally.check(broker.get(f"/v1/hosts/{name}").status == 200, f"{name} can't be shown")
    broker.__exit__(None)


def locked(tally):
    with Broker() as broker:
        base = base_of()
        tally.check(broker.put("/v1/hosts/a0/profile", document("a0", 1, base)).status == 200, "a first profile")
        other = sqlite3.connect(broker.database, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        reply = broker.put("/v1/hosts/a0/profile", document("a0", 2, base))
        tally.check(reply.status == 503 and int(reply.headers.get("retry-after", 0)) > 0, f"locked: {reply.status} {reply.headers}")
        tally.check(fingerprint(broker, "a0") == "kernel-1", "questions while it is locked")
        tally.check(broker.get("/healthz").status == 503, "health while it is locked")
        other.execute("ROLLBACK")
        other.close()
        tally.check(broker.put("/v1/hosts/a0/profile", document("a0", 2, base)).status == 200, "after it was locked")
        tally.check(broker.get("/healthz").status == 200, "health afterwards")


def clocks(tally):
    """An agent's time in the future is now; one long past is what it is."""
    with Broker() as broker:
        base = base_of()
        for name, then, least, most in (("f", "2099-01-01T00:00:00Z", 0, 5), ("p", "2020-01-01T00:00:00Z", 10 ** 8, 10 ** 10), ("n", "nonsense", 0, 5)):
            made = document(name, 1, base)
            made["probe"]["time"] = then
            tally.check(broker.put(f"/v1/hosts/{name}/profile", made).status == 200, f"{name} with its time {then}")
            age = broker.get(f"/v1/hosts?select={name}").json["hosts"][0]
            tally.check(least <= age["age_s"] <= most, f"{then} is {age['age_s']} s old")
            confirm = {"format": "capbroker.confirm/1", "profile_digest": age["profile_digest"], "fingerprint": age["fingerprint"], "time": then}
            tally.check(broker.put(f"/v1/hosts/{name}/profile", confirm).status == 200, f"{name} confirmed with {then}")
        # a clock that was set back doesn't make a profile older than it was known to be
        made = document("b", 1, base)
        made["probe"]["time"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 60))
        broker.put("/v1/hosts/b/profile", made)
        one = broker.get("/v1/hosts?select=b").json["hosts"][0]
        broker.put("/v1/hosts/b/profile", {"format": "capbroker.confirm/1", "profile_digest": one["profile_digest"],
                                           "fingerprint": one["fingerprint"], "time": "2021-01-01T00:00:00Z"})
        tally.check(broker.get("/v1/hosts?select=b").json["hosts"][0]["age_s"] < 70, "a clock that was set back")


def full(tally):
    folder = tempfile.mkdtemp(prefix="capbroker-full-test-")
    mounted = os.geteuid() == 0 and subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", folder], capture_output=True, check=False).returncode == 0
    if not mounted:
        print("a full disk: not tried, no file system could be mounted (root, and the right to mount, are wanted)")
        os.rmdir(folder)
        return
    try:
        with Broker({"broker": {"database": os.path.join(folder, "broker.db")}}) as broker:
            base, status, n = json.loads(base_of()), 200, 0
            while status == 200 and n < 200:
                n += 1
                made = document(f"a{n}", 1, json.dumps(base))
                made["extra"] = "".join(random.Random(n).choices("abcdef", k=200000))
                reply = broker.put(f"/v1/hosts/a{n}/profile", made)
                status = reply.status
            tally.check(status == 507 and "make room" in reply.json["error"]["fix"], f"a full disk: {status} {reply.body[:300]}")
            names = [one["name"] for one in broker.get("/v1/hosts").json["hosts"]]
            tally.check(len(names) == n - 1, f"{len(names)} of {n - 1} acknowledged are there")
            tally.check(broker.get("/v1/hosts/a1").status == 200, "questions on a full disk")
            tally.check(broker.get("/healthz").status == 503 and broker.cli("status")[0] == 1, "health on a full disk")
            broker.kill()
            broker.start()
            tally.check([one["name"] for one in broker.get("/v1/hosts").json["hosts"]] == names, "after a kill on a full disk")
    finally:
        subprocess.run(["umount", folder], check=False)
        os.rmdir(folder)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=20261130)
    arguments = parser.parse_args()
    need_broker()
    tally = Tally()
    kills(tally, arguments.kills, arguments.seed)
    locked(tally)
    clocks(tally)
    full(tally)
    tally.end()


main()
