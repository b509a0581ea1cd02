# SPDX-License-Identifier: LGPL-2.1-or-later
"""Recorded hosts: each profile is told as its recipe says, comes back out of the database byte for
byte, has a digest that no time or order of keys changes, and hosts of one profile share a class."""

import contextlib
import copy
import hashlib
import json
import os
import re
import sqlite3
import sys

from dictionary_fixture import Tally
from hosts_fixture import HOSTS, TESTS, Capbroker, profiles, rows, text_of

MOST = 400_000


def digest_of(doc):
    """SHA-256 of the document without what changes from run to run."""
    doc = copy.deepcopy(doc)
    doc["probe"].pop("time", None)
    for source in doc["probe"]["sources"]:
        source.pop("ms", None)
    doc["fingerprint"].pop("boot_id", None)
    return hashlib.sha256(text_of(doc).encode()).hexdigest()


def backwards(value):
    """The same document with its keys in the opposite order."""
    if isinstance(value, dict):
        return {key: backwards(value[key]) for key in sorted(value, reverse=True)}
    return [backwards(item) for item in value] if isinstance(value, list) else value


def stored(database):
    """name → document, put together from the database's sections."""
    query = """SELECT h.name, ps.name, s.text FROM host h
               JOIN profile_section ps ON ps.profile = h.profile
               JOIN section s ON s.id = ps.section ORDER BY h.name, ps.position"""
    docs = {}
    with contextlib.closing(sqlite3.connect(database)) as connection:
        for host, section, data in connection.execute(query):
            docs.setdefault(host, {})[section] = json.loads(data)
    for host, sections in docs.items():
        doc = sections.pop("head")
        doc["emulators"] = [sections[name] for name in sorted(sections)
                            if name.startswith("emulators/")]
        doc.update((name, value) for name, value in sections.items() if "/" not in name)
        docs[host] = doc
    return docs


def check_files(tally, name, path):
    with open(path, encoding="utf-8", newline="") as file:
        text = file.read()
    doc = json.loads(text)
    tally.check(doc["host"]["name"] == name, f"{name}: is called {doc['host']['name']}")
    tally.check("uuid" not in doc["host"], f"{name}: has a UUID, which hosts would share")
    tally.check("\r" not in text and text.endswith("}\n"), f"{name}: line ends")
    tally.check(len(text) <= MOST, f"{name}: {len(text)} bytes")
    tally.check(not re.search(r'[" ]/(work|tmp|root|home)/', text), f"{name}: names a path")
    readme = os.path.join(os.path.dirname(path), "README")
    with open(readme, encoding="utf-8") as file:
        words = file.read()
    tally.check(all(word in words for word in (name, "Facts:", "Shows:")), f"{readme}: parts")
    return doc


def check_database(tally, docs):
    paths = profiles()
    with Capbroker() as capbroker:
        capbroker.run("import", *paths.values())
        hosts = {host["name"]: host for host in capbroker.ask("hosts")["hosts"]}
        out = stored(capbroker.database)
        for name, doc in docs.items():
            tally.check(text_of(out.get(name)) == text_of(doc), f"{name}: stored otherwise")
            tally.check(hosts[name]["profile_digest"] == digest_of(doc), f"{name}: digest")
        turned = os.path.join(capbroker.folder.name, "turned.json")
        for name, doc in docs.items():
            other = backwards(doc)
            other["probe"]["time"] = "2026-11-02T10:00:00Z"
            with open(turned, "w", encoding="utf-8") as file:
                json.dump(other, file, indent=3)
            change = capbroker.ask("import", turned)["hosts"][0]["change"]
            tally.check(change == "confirmed", f"{name}: written otherwise it is '{change}'")


def check_classes(tally):
    fleet = rows(os.path.join(HOSTS, "fleet.tsv"))
    guests = rows(os.path.join(TESTS, "guests", "fleet.tsv"))
    names = {row["host"] for row in fleet}
    for row in fleet:
        tally.check(row["profile"] in profiles(), f"fleet.tsv: no profile {row['profile']}")
    for row in guests:
        tally.check(row["host"] in names, f"guests/fleet.tsv: no host {row['host']}")
    with Capbroker() as capbroker:
        capbroker.load_fleet()
        hosts = {host["name"]: host for host in capbroker.ask("hosts")["hosts"]}
        known = {guest["name"]: guest for guest in capbroker.ask("guests")["guests"]}
    tally.check(set(hosts) == names, "the hosts loaded are not those of fleet.tsv")
    classes = {}
    for row in fleet:
        host, label = hosts[row["host"]], row["label"].split("=")
        first = classes.setdefault(row["profile"], host["class"])
        tally.check(host["class"] == first, f"{row['host']}: class {host['class']}, not {first}")
        tally.check(host["cluster"] == row["cluster"] and host["labels"] == {label[0]: label[1]},
                    f"{row['host']}: cluster or labels")
    tally.check(len(set(classes.values())) == len(classes), "two profiles are of one class")
    for row in guests:
        tally.check(known[row["guest"]]["host"] == row["host"], f"{row['guest']}: its host")


def main():
    tally = Tally()
    docs = {name: check_files(tally, name, path) for name, path in profiles().items()}
    check_database(tally, docs)
    check_classes(tally)
    tally.finish(f"{len(docs)} recorded hosts", least=8 * len(docs))


sys.exit(main())
