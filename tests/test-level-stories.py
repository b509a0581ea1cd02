# SPDX-License-Identifier: LGPL-2.1-or-later
"""Five years of a fleet, a thousand times: hosts join, get microcode and new QEMUs, age, and leave; a
level is made, and whatever is proposed for it is done. Another judge, here, knows each host's features
by itself, and says

- which proposals are due: levels are raised exactly when every host is known to have more than the
  level says, by more than nothing of the weights, and sink exactly when a host is known to lack some;
- that no proposal that is done strands a guest: whoever could go to another host before still can,
  with the level it has and with the one it moves to; every host of a level takes each of its guests;
- that a level's document never changes.

Most of it asks the library (level-story); some stories go through capbroker itself.
"""

import json
import os
import random
import subprocess
import sys
import time

from answers_fixture import built_dictionary
from fleet_fixture import Fleet
from hosts_fixture import TOP, rows

STORIES = 1000
SHELL_STORIES = 24
START = 1767225600      # 2026-01-01
MONTH = 30 * 86400
SERIES = "prod"

BASE = ("fpu de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx fxsr sse sse2 "
        "syscall nx lm pni cx16 lahf_lm ssse3").split()
GENERATIONS = [["sse4.1", "sse4.2", "popcnt"], ["aes", "pclmuldq", "x2apic"], ["xsave", "avx", "tsc-deadline"],
               ["f16c", "rdrand", "fsgsbase", "smep"], ["avx2", "bmi1", "bmi2", "fma", "movbe", "pcid", "erms"],
               ["rdseed", "adx", "smap", "3dnowprefetch"], ["clflushopt", "xsavec"], ["avx512f", "avx512bw", "pku"]]
PATCHES = ["spec-ctrl", "ssbd", "md-clear", "stibp"]    # microcode brings them
TAKEN = ["hle", "rtm"]                                  # microcode takes them; worth nothing
ALL = BASE + [name for names in GENERATIONS for name in names] + PATCHES + TAKEN
# of i440fx: such guests have no virtual IOMMU, whose moves hang on more than features
MACHINES = ["pc-i440fx-6.2", "pc-i440fx-7.2", "pc-i440fx-8.2", "pc-i440fx-9.2", "pc-i440fx-10.0"]


def read_weights():
    """A feature's weight, found anew: its id, its security class, the longest beginning."""
    rules = {row["match"]: int(row["weight"]) for row in rows(os.path.join(TOP, "schema", "data", "weights.tsv"))}
    classes = {c["id"]: c.get("security") for c in built_dictionary()}

    def weight(atom, kind=""):
        if atom in rules:
            return rules[atom]
        if kind:
            return rules.get("class:" + kind, rules["class:*"])
        fits = [match for match in rules if match.endswith("*") and not match.startswith("class:") and
                atom.startswith(match[:-1])]
        return rules[max(fits, key=len)]

    table = {name: weight("cpu." + name, classes.get("cpu." + name)) for name in ALL}
    table.update({name: weight("qemu.machine=" + name) for name in MACHINES})
    return table


WEIGHTS = read_weights()


class Host:
    """What a host has; what nobody knows of it."""

    def __init__(self, rnd, name, year):
        self.name = name
        self.generation = max(0, min(len(GENERATIONS), rnd.randint(2, 4) + year))
        self.patched = rnd.randint(0, len(PATCHES)) if rnd.random() < 0.6 else len(PATCHES)
        self.taken = rnd.random() < 0.7
        self.qemu = min(len(MACHINES) - 1, max(0, year - rnd.randint(0, 1)))
        self.unknown = set()

    def has(self):
        features = set(BASE)
        for names in GENERATIONS[:self.generation]:
            features |= set(names)
        features |= set(PATCHES[:self.patched])
        return features if self.taken else features | set(TAKEN)

    def machines(self):
        return MACHINES[max(0, self.qemu - 2):self.qemu + 1]

    def takes(self, level):
        """True, False or None: not known."""
        group = level["groups"][0]
        lacks = set(group["cpu"]["features"]) - self.has() - self.unknown
        if lacks or group["machine"] not in self.machines():
            return False
        return None if set(group["cpu"]["features"]) & self.unknown else True

    def profile(self):
        facts = [{"id": "cpu." + name, "state": "known", "value": name in self.has()}
                 for name in ALL if name not in self.unknown]
        facts.append({"id": "cpu.vendor", "state": "known", "value": "Intel"})
        version = MACHINES[self.qemu].rpartition("-")[2] + ".0"
        return {"format": "capbroker.profile/1", "host": {"name": self.name, "arch": "x86_64", "aliases": {}},
                "fingerprint": {}, "probe": {"version": "0.1.0", "dictionary": "2026.1", "sources": []},
                "facts": [], "iommus": [], "devices": [],
                "emulators": [{"path": "/usr/bin/qemu-system-x86_64", "version": version, "accel": "kvm",
                               "machine": "none", "complete": False, "facts": facts, "devices": {},
                               "devices_complete": True,
                               "machines": [{"name": name} for name in self.machines()]}]}


class Year:
    """What happens in a story: changes to its hosts, a few at a time."""

    def __init__(self, rnd):
        self.rnd = rnd
        self.count = 0
        self.hosts = []
        for _ in range(rnd.randint(2, 4)):
            self.join(0)

    def join(self, year):
        self.count += 1
        self.hosts.append(Host(self.rnd, f"h{self.count}", year))

    def change(self, year):
        rnd = self.rnd
        for _ in range(rnd.choice((0, 1, 1, 1, 2, 3))):
            host = rnd.choice(self.hosts)
            what = rnd.random()
            if what < 0.2 and len(self.hosts) < 7:
                self.join(year)
            elif what < 0.4 and len(self.hosts) > 1:
                # the old ones go first, mostly
                gone = min(self.hosts, key=lambda h: h.generation) if rnd.random() < 0.7 else host
                self.hosts.remove(gone)
            elif what < 0.6:
                for one in self.hosts if rnd.random() < 0.4 else [host]:
                    one.patched, one.taken = len(PATCHES), True
            elif what < 0.85:
                for one in self.hosts if rnd.random() < 0.4 else [host]:
                    one.qemu = min(len(MACHINES) - 1, max(one.qemu, year))
            elif what < 0.93:
                host.unknown = set(rnd.sample(ALL, rnd.randint(1, 3)))
            else:
                for one in self.hosts:
                    one.unknown = set()


def latest(machines):
    return max(machines, key=MACHINES.index) if machines else None


def expected_step(hosts, level):
    """raise, sink, held or stays: found out from each host by itself."""
    group = level["groups"][0]
    takes = [host.takes(level) for host in hosts]
    if False in takes:
        return "sink"
    common = set(ALL)
    for host in hosts:
        common &= host.has() - host.unknown
    machine = latest(set.intersection(*(set(host.machines()) for host in hosts)))
    worth = sum(WEIGHTS[name] for name in common - set(group["cpu"]["features"]))
    if machine and MACHINES.index(machine) > MACHINES.index(group["machine"]):
        worth += WEIGHTS[machine]
    if not worth:
        return "stays"
    return "held" if None in takes else "raise"


def expected_due(levels, today):
    """level → retire, overdue or review."""
    current = [one for one in levels if not one["retired"]]
    due = {}
    for one in current:
        document = one["document"]
        if document["retire_by"] and document["retire_by"] < today:
            due[document["name"]] = "overdue" if one["guests"] else "retire"
        elif one is not current[-1] and not one["guests"]:
            due[document["name"]] = "retire"
        elif document["review_by"] < today:
            due[document["name"]] = "review"
    return due


def ways(hosts, level):
    """Hosts that take a guest of the level for certain, each of which it can reach from each other."""
    return {host.name for host in hosts if host.takes(level)}


class Judge:
    def __init__(self):
        self.steps, self.wrong, self.dues = {}, [], {}

    def check(self, right, what):
        if not right:
            self.wrong.append(what)

    def proposals(self, hosts, levels, today, answer):
        """Are these the proposals that are due?"""
        newest = [one for one in levels if not one["retired"]][-1]["document"]
        want = {(newest["name"], expected_step(hosts, newest))} - {(newest["name"], "stays")}
        want |= set(expected_due(levels, today).items())
        found = {(p["level"], p["kind"]) for p in answer["proposals"]}
        for _, kind in want:
            self.dues[kind] = self.dues.get(kind, 0) + 1
        self.check(found == want, f"{today}: proposed {sorted(found)}, due {sorted(want)}; "
                   f"{[(h.name, sorted(h.unknown), h.takes(newest)) for h in hosts]}")

    def next_level(self, hosts, old, new, kind):
        """A level that is proposed: all its hosts take its guests; a raise takes nothing away."""
        group, before = new["groups"][0], old["groups"][0]
        names = {host.name for host in hosts}
        self.check(set(group["hosts"]) == names, f"{new['name']}: of {group['hosts']}")
        unsure = {h.name for h in hosts if h.takes(new) is None}
        self.check(ways(hosts, new) == names or (kind == "sink" and ways(hosts, new) | unsure == names),
                   f"{new['name']}: not all hosts take its guests")
        self.check(not unsure, f"{new['name']}: promises what isn't known of {unsure}")
        if kind == "raise":
            self.check(set(group["cpu"]["features"]) >= set(before["cpu"]["features"]) and
                       MACHINES.index(group["machine"]) >= MACHINES.index(before["machine"]),
                       f"{new['name']}: takes away what {old['name']} has")
        self.check(not group["moves"]["stuck"], f"{new['name']}: stuck {group['moves']['stuck']}")

    def nobody_stranded(self, hosts, guests, before, after):
        """A guest with another host to go to before has one now; @before, @after: guest → level."""
        for guest, host in guests.items():
            was = ways(hosts, before[guest]) - {host}
            now = ways(hosts, after[guest]) - {host}
            self.check(len(now) >= 1 or not was, f"{guest} on {host} is stranded by {after[guest]['name']}")
            self.check(now >= was, f"{guest} loses {was - now} by {after[guest]['name']}")


class Story:
    """One fleet's levels and guests, and whoever does what is proposed."""

    def __init__(self, seed, judge, ask):
        self.rnd = random.Random(seed)
        self.judge, self.ask = judge, ask
        self.year = Year(self.rnd)
        self.levels, self.guests, self.started = [], {}, 0

    def level_of(self):
        return {guest: one["document"] for one in self.levels for guest in one["guests"]}

    def start_guests(self, level):
        """New guests, and old ones' cold starts, at the newest level; on hosts that take them."""
        for _ in range(self.rnd.randint(0, 2)):
            places = sorted(ways(self.year.hosts, level["document"]))
            if places:
                self.started += 1
                name = f"g{self.started}"
                self.guests[name] = self.rnd.choice(places)
                level["guests"].append(name)
        before = self.level_of()
        for one in self.levels:
            for guest in list(one["guests"]):
                if one is not level and self.rnd.random() < 0.4:
                    places = ways(self.year.hosts, level["document"])
                    if not places:
                        continue
                    one["guests"].remove(guest)
                    level["guests"].append(guest)
                    if self.guests[guest] not in places:
                        self.guests[guest] = self.rnd.choice(sorted(places))
        return before

    def follow_hosts(self):
        """Guests of hosts that went, or are stopped, are gone."""
        names = {host.name for host in self.year.hosts}
        for guest, host in list(self.guests.items()):
            if host not in names or self.rnd.random() < 0.05:
                del self.guests[guest]
                for one in self.levels:
                    if guest in one["guests"]:
                        one["guests"].remove(guest)

    def apply(self, answer):
        """Everything that is proposed is done; sinks, too."""
        texts = {one["document"]["name"]: json.dumps(one["document"], sort_keys=True) for one in self.levels}
        for proposal in answer["proposals"]:
            one = next(o for o in self.levels if o["document"]["name"] == proposal["level"])
            kind = proposal["kind"]
            self.judge.steps[kind] = self.judge.steps.get(kind, 0) + 1
            if kind in ("raise", "sink") and "document" in proposal:
                self.judge.next_level(self.year.hosts, one["document"], proposal["document"], kind)
                before = self.level_of()
                self.levels.append({"document": proposal["document"], "guests": [], "retired": False})
                self.judge.nobody_stranded(self.year.hosts, self.guests, before, self.level_of())
                # whoever is started anew with a raised level loses nothing by it
                if kind == "raise":
                    self.judge.nobody_stranded(self.year.hosts, self.guests, before,
                                               dict.fromkeys(self.guests, proposal["document"]))
            elif kind == "retire":
                self.judge.check(not one["guests"], f"{proposal['level']} is retired, and {one['guests']} have it")
                if one is not [o for o in self.levels if not o["retired"]][-1]:
                    one["retired"] = True
        for one in self.levels:
            text = texts.get(one["document"]["name"])
            self.judge.check(text in (None, json.dumps(one["document"], sort_keys=True)), "a level changed")

    def tell(self, steps=11):
        for step in range(steps):
            now = START + step * 60 * MONTH // (steps - 1)
            today = time.strftime("%Y-%m-%d", time.gmtime(now))
            if step:
                self.year.change(int(today[:4]) - 2026)
                self.follow_hosts()
            if not self.levels:
                document = self.ask({"now": now, "hosts": [h.profile() for h in self.year.hosts],
                                     "make": {"series": SERIES, "number": 1, "since": today}})
                if "error" in document:
                    self.judge.check(not set.intersection(*(set(h.machines()) for h in self.year.hosts)),
                                     f"no level: {document['error']}")
                    continue
                self.levels.append({"document": document, "guests": [], "retired": False})
                self.start_guests(self.levels[-1])
            answer = self.ask({"now": now, "hosts": [h.profile() for h in self.year.hosts], "levels": self.levels})
            self.judge.proposals(self.year.hosts, self.levels, today, answer)
            self.apply(answer)
            self.start_guests([one for one in self.levels if not one["retired"]][-1])


def asker():
    """What asks the library."""
    program = subprocess.Popen([os.path.join(os.environ.get("top_builddir", ".."), "tests", "level-story")],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(question):
        program.stdin.write(json.dumps(question) + "\n")
        program.stdin.flush()
        line = program.stdout.readline()
        if not line:
            sys.exit(f"level-story ended: {program.wait()}")
        return json.loads(line)
    return ask


def shell_story(seed, judge):
    """The same with capbroker on a database: import, create, propose --apply --sink."""
    rnd = random.Random(seed)
    year = Year(rnd)
    with Fleet() as fleet:
        levels, here = [], set()
        for step in range(4):
            if step:
                year.change(step)
            names = {host.name for host in year.hosts}
            for name in here - names:
                fleet.run("forget", name)
            here = names
            fleet.run("import", *(fleet.file(".json", json.dumps(h.profile())) for h in year.hosts))
            if not levels:
                status, out, _ = fleet.try_run("--json", "level", "create", SERIES)
                if status:
                    continue
                levels.append({"document": json.loads(out)["document"], "guests": [], "retired": False})
            answer = fleet.ask("level", "propose", "--apply", "--sink")
            judge.proposals(year.hosts, levels, answer["date"], answer)
            for proposal in answer["proposals"]:
                if "document" in proposal:
                    judge.next_level(year.hosts, levels[-1]["document"], proposal["document"], proposal["kind"])
                    levels.append({"document": proposal["document"], "guests": [], "retired": False})
            for done in answer["applied"]:
                if done["kind"] == "retire":
                    next(o for o in levels if o["document"]["name"] == done["level"])["retired"] = True
            shown = fleet.ask("level", "show", SERIES)["level"]
            judge.check(json.dumps(shown, sort_keys=True) == json.dumps(levels[-1]["document"], sort_keys=True),
                        f"{shown['name']}: another document than was proposed")


def main():
    seed = int(os.environ.get("STORY_SEED", "20261130"))
    judge = Judge()
    ask = asker()
    for number in range(STORIES):
        Story(seed + number, judge, ask).tell()
    alone = dict(judge.dues)
    for number in range(SHELL_STORIES):
        shell_story(seed + STORIES + number, judge)
    for what in judge.wrong[:10]:
        print("wrong:", what)
    print(f"{STORIES} stories (seed {seed}): due {alone}, done {judge.steps}; {SHELL_STORIES} more through capbroker; "
          f"{len(judge.wrong)} wrong")
    few = [kind for kind in ("raise", "sink", "held", "retire", "review", "overdue") if alone.get(kind, 0) < 100]
    if few:
        print("too few of", *few)
    sys.exit(1 if judge.wrong or few else 0)


main()
