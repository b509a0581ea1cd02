#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""test-prices.py: what losing and gaining costs, what a policy says of the unknown and of floors, and
POWER's example: a machine type whose secure defaults old firmware can't give.
"""

import json
import os
import re
import subprocess
import sys
import tempfile

from answers_fixture import built_dictionary, problems, validator
from dictionary_fixture import SCHEMA
from hosts_fixture import HOSTS

DB = """<domain type='kvm'><name>db</name><uuid>5e0f0000-2000-4000-8000-000000000001</uuid>
<memory unit='GiB'>1</memory><vcpu>1</vcpu><os><type arch='ppc64le' machine='%s'>hvm</type></os>%s
<cpu mode='host-model'><model>power9</model></cpu></domain>"""
LESS = ("<features><cfpc value='broken'/><sbbc value='broken'/><ibs value='broken'/>"
        "<ccf-assist state='off'/></features>")

failures = []
held_by = validator()


def check(good, what, why=""):
    if not good:
        failures.append(what)
        print("not ok %s%s" % (what, ": %s" % (why,) if why else ""))


def table(name):
    with open(os.path.join(SCHEMA, "data", name), encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file if not line.startswith("#")]
    return [dict(zip(rows[0], row)) for row in rows[1:]]


class Broker:
    def __init__(self, folder):
        self.folder = folder
        self.db = os.path.join(folder, "prices.db")

    def run(self, *arguments):
        return subprocess.run(["capbroker", "--db", self.db, *arguments], capture_output=True, text=True,
                              timeout=300)

    def ask(self, *arguments, status=None):
        process = self.run("--json", *arguments)
        check(status is None or process.returncode == status, " ".join(arguments), process)
        doc = json.loads(process.stdout)
        check(not problems(held_by, doc), "schema of " + " ".join(arguments), problems(held_by, doc)[:1])
        return doc

    def host(self, name, profile, *more):
        process = self.run("import", "--name", name, *more, os.path.join(HOSTS, profile, "profile.json"))
        check(process.returncode == 0, "import " + name, process.stderr)

    def file(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path


def check_tables():
    """Every class of the dictionary is told of, and nothing else; every row is of some capability."""
    capabilities = built_dictionary()
    used = {entry["security"] for entry in capabilities if entry.get("security")}
    rows = table("security-classes.tsv")
    check({row["class"] for row in rows} == used and len(rows) == len(used), "a row for each class",
          used ^ {row["class"] for row in rows})
    for row in rows:
        check(row["cves"] == "-" or all(re.fullmatch(r"CVE-20\d\d-\d{4,}", cve) for cve in row["cves"].split()),
              "CVEs of " + row["class"], row["cves"])
    ids = {entry["id"] for entry in capabilities}
    for row in table("performance.tsv"):
        part = row["match"].rstrip("*")
        check(any(i.startswith(part) if row["match"] != part else i == part for i in ids),
              "performance of a capability", row["match"])
        check((row["lost"], row["gained"]) != ("-", "-"), "says something", row["match"])


def price_of(lost):
    """What the tables make of a list of capabilities lost, judged apart from the program."""
    by_id = {entry["id"]: entry for entry in built_dictionary()}
    lessened, eased = set(), set()
    for atom in lost:
        entry = by_id.get(re.split("[=>]", atom)[0])
        if entry and entry.get("security") and entry["rule"] != "higher-safe" and not atom.startswith("mitigation."):
            (eased if entry["rule"] == "immunity" else lessened).add(entry["security"])
    return lessened, eased


def judge(price, lost, what):
    lessened, eased = price_of(lost)
    for immunity, wanted in ((False, lessened), (True, eased)):
        said = {one["class"] for one in price["security"] if one["immunity"] is immunity}
        check(said == wanted, what, said ^ wanted)
    cves = {row["class"]: row["cves"].replace("-", "", row["cves"] == "-").split()
            for row in table("security-classes.tsv")}
    for one in price["security"]:
        check(one["cves"] == cves[one["class"]], "%s: CVEs of %s" % (what, one["class"]), one["cves"])


def check_prices(broker):
    for name in ("haswell-e5-2650v3", "broadwell-e5-2650v4", "cascadelake-8268", "cooperlake", "rome-7742",
                 "epyc-rome-kvm7.2"):
        broker.host(name, name)
    for group in broker.ask("baseline")["baselines"]:
        judge(group["price"], [one["capability"] for one in group["lost"]], "baseline of " + group["vendor"])
    intel = broker.ask("baseline", "haswell-e5-2650v3", "cooperlake")["baselines"][0]["price"]
    texts = {(one["capability"], one["direction"]) for one in intel["performance"]}
    check(any(name.startswith("cpu.avx512") and way == "lost" for name, way in texts), "AVX-512 is missed", texts)
    check("mds" in {one["class"] for one in intel["security"]}, "md-clear's or mds-no's class", intel["security"])
    alone = broker.ask("baseline", "cooperlake")["baselines"][0]["price"]
    check(alone == {"security": [], "performance": []}, "one host has lost nothing", alone)
    steps = broker.ask("tradeoff", "haswell-e5-2650v3", "cascadelake-8268", "cooperlake")["groups"][0]["steps"]
    gained = {(one["capability"], one["direction"]) for one in steps[-1]["price"]["performance"]}
    check(("cpu.spec-ctrl", "gained") in gained and not steps[-1]["price"]["security"], "the last step", gained)
    check(not any(way == "gained" for _, way in
                  {(o["capability"], o["direction"]) for o in steps[0]["price"]["performance"]}), "the first step")
    check("spectre-v2" in {one["class"] for one in steps[0]["price"]["security"]}, "the first step's classes")
    for command in ("baseline", "tradeoff"):
        text = broker.run(command, "haswell-e5-2650v3", "cooperlake").stdout
        check("less protection from" in text and "CVE-2017-5715" in text, command + " tells it", text)
        check(all(len(line) <= 80 for line in text.split("\n")), command + " in 80 columns")
        more = broker.run("-v", command, "haswell-e5-2650v3", "cooperlake").stdout
        check("attacks of that class get at" in " ".join(more.split()), command + " -v says what it means")


def check_assumed(broker):
    doc = broker.ask("baseline", "cooperlake", "--assume", "cooperlake=-md-clear", "--assume",
                     "cooperlake=-aes", "--assume", "cooperlake=+la57", status=0)["assumed_price"]
    check([one["class"] for one in doc["security"]] == ["mds"], "md-clear taken away", doc)
    check({(one["capability"], one["direction"]) for one in doc["performance"]} ==
          {("cpu.aes", "lost"), ("cpu.la57", "gained")}, "aes taken away, la57 given", doc)
    for words in (("baseline",), ("tradeoff",), ("pools", "--max", "4"), ("drift",), ("stranded",)):
        text = " ".join(broker.run(*words, "--assume", "cooperlake=-md-clear").stdout.split())
        check("less protection from mds (CVE-2018-12126 +3)" in text.split(" lost ")[0][:400], words[0] + " tells it", text[:300])
    check("assumed_price" not in broker.ask("baseline", "--assume", "cooperlake=gone"), "nothing of a host that is gone")


def check_floors(broker):
    policy = broker.file("floor.conf", "[floors]\nx86_64/Intel=cpu.md-clear\n")
    names = ["haswell-e5-2650v3", "broadwell-e5-2650v4", "cooperlake", "rome-7742"]
    free = broker.ask("pools", "--max", "3", *names, status=0)
    check("floors" not in free and "below_floors" not in free, "no floor, none below")
    doc = broker.ask("--policy", policy, "pools", "--max", "3", *names, status=1)
    inside = {host for pool in doc["pools"] for host in pool["hosts"]}
    lacking = {name for name in names[:3]
               if "cpu.md-clear" not in broker.ask("baseline", name)["baselines"][0]["capabilities"]}
    check(lacking and set(doc["below_floors"]) == lacking, "below the floor", doc["below_floors"])
    check(inside == set(names) - lacking and "rome-7742" in inside, "the others are in pools", inside)
    everyone = broker.ask("--policy", policy, "pools", "--max", "3", *sorted(lacking), status=1)
    check(everyone["pools"] == [] and everyone["value"] == 0, "nobody is left", everyone["pools"])
    check("below the policy's floors" in broker.run("--policy", policy, "pools", "--max", "3", *names).stdout,
          "pools say so")
    one = broker.file("all.conf", "[floors]\nall=cpu.sse2\n")
    check(broker.ask("--policy", one, "pools", "--max", "3", *names, status=0)["below_floors"] == [],
          "a floor that all have")


def check_unknown(broker):
    usual = {"hook": "allow", "boot": "refuse", "live": "refuse", "cold": "refuse", "evacuate": "allow"}
    for text, changed in (("", {}), ("[unknown]\nlive=allow\nhook=refuse\n", {"live": "allow", "hook": "refuse"}),
                          ("[unknown]\nevacuate=refuse\nboot=allow\ncold=allow\n",
                           {"evacuate": "refuse", "boot": "allow", "cold": "allow"})):
        path = broker.file("unknown.conf", text)
        check(broker.ask("policy", "check", path, status=0)["unknown"] == {**usual, **changed}, "policy " + text)
    for bad, words in (("live=yes", "neither of two words"), ("move=allow", "no key of this group"),
                       ("live=", "neither of two words")):
        process = broker.run("policy", "check", broker.file("bad.conf", "[unknown]\n%s\n" % bad))
        check(process.returncode == 2 and words in process.stderr and process.stderr.count("\n") == 1, bad,
              process.stderr)


def verdicts(broker, machine, features, *arguments):
    path = broker.file("db.xml", DB % (machine, features))
    doc = broker.ask("check", path, "--to", "label:rack=power", *arguments)
    return {one["host"]: one["start"] for one in doc["verdicts"]}, doc


def check_power(broker):
    broker.host("new", "power9-patched", "--label", "rack=power")
    broker.host("old", "power9-unpatched", "--label", "rack=power")
    broker.host("untold", "power9-qemu7.1", "--label", "rack=power")
    # a default of pseries-4.0 and newer: 3.1 and older promise nothing
    for machine, wanted in (("pseries-7.0", "block"), ("pseries-4.0", "block"), ("pseries-3.1", "ok"),
                            ("pseries-2.12", "ok")):
        said, doc = verdicts(broker, machine, "")
        check(said["new"] == "ok" and said["old"] == wanted, machine, said)
        check(said["untold"] == ("unknown" if wanted == "block" else "ok"), machine + ", where nobody told", said)
        found = {one["check"] for v in doc["verdicts"] if v["host"] == "old" for one in v["findings"]
                 if one["verdict"] == "block"}
        check(found == ({"pseries-promises"} if wanted == "block" else set()), machine + ": its check", found)
    check(verdicts(broker, "pseries-7.0", LESS)[0]["old"] == "ok", "asking for less")
    check(verdicts(broker, "pseries-7.0", "", "--assume", "old=new")[0]["old"] == "ok", "new firmware")
    check(verdicts(broker, "pseries-7.0", LESS.replace("broken'/><sbbc", "workaround'/><sbbc"))[0]["old"] ==
          "block", "asking for it by name")
    steps = broker.ask("tradeoff", "new", "old")["groups"][0]["steps"]
    check({one["class"] for one in steps[0]["price"]["security"]} == {"meltdown", "spectre-v1", "spectre-v2"},
          "the price of the first way", steps[0]["price"])
    check(steps[1]["dropped"] == ["old"] and {one["direction"] for one in steps[1]["price"]["performance"]} ==
          {"gained"} and not steps[1]["price"]["security"], "the price of the second way", steps[1]["price"])
    text = broker.run("baseline", "--format", "qemu", "new", "old").stdout
    check("cap-ccf-assist=off,cap-cfpc=broken,cap-ibs=broken,cap-sbbc=broken" in text, "arguments for both", text)
    check("cap-" not in broker.run("baseline", "--format", "qemu", "new").stdout, "arguments for new ones")
    check("cfpc=broken" in broker.run("baseline", "--format", "nova", "new", "old").stdout, "Nova's comment")


def check_allow(broker):
    """An override names what its check's findings lack where it holds."""
    path = broker.file("guests.xml", DB % ("pseries-7.0", ""))
    process = broker.run("import", "--host", "new", path)
    check(process.returncode == 0, "import of a guest", process.stderr)
    made = broker.ask("allow", "db", "--to", "old", "--check", "pseries-promises", "--reason", "a test",
                      "--expires", "7d", status=0)["overrides"][0]
    check({one["class"] for one in made["price"]["security"]} == {"meltdown", "spectre-v1", "spectre-v2"} and
          "pseries.cap-cfpc>=1" in made["price"]["capabilities"], "the override's price", made["price"])
    listed = broker.ask("allow", "--list", status=0)["overrides"][0]
    check(listed["price"] == made["price"], "and in the list", listed.get("price"))
    check("less protection from meltdown (CVE-2017-5754)" in
          " ".join(broker.run("allow", "--list").stdout.split()), "and in words")
    fine = broker.ask("allow", "db", "--to", "new", "--check", "pseries-promises", "--reason", "a test",
                      "--expires", "7d", status=0)["overrides"][0]
    check(fine["price"]["security"] == [] and fine["price"]["capabilities"] == [], "nothing where nothing is lacking")
    stranger = broker.ask("allow", "5e0f0000-2000-4000-8000-00000000ffff", "--to", "new", "--check",
                          "pseries-promises", "--reason", "a test", "--expires", "7d", status=0)["overrides"][0]
    check("price" not in stranger, "of a guest that isn't known no price is told")


def main():
    check_tables()
    for part in (check_prices, check_assumed, check_floors, check_unknown, check_power, check_allow):
        if part is check_prices or part is check_power:
            folder = tempfile.TemporaryDirectory()
            broker = Broker(folder.name)
        part(broker)
    print("%d wrong" % len(failures))
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
