#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""export and restore: all that somebody wrote comes out, goes into an empty database, and comes out of
that byte for byte; a second time nothing happens; where anything is otherwise, nothing is restored."""

import copy
import json
import sqlite3
import sys

from answers_fixture import problems, validator
from dictionary_fixture import Tally
from fleet_fixture import MID, OLD, Fleet, guest, host

POLICY = "# ours\n[levels]\nauto-raise=prod\nsettle=7d\n\n[floors]\nall=cpu.sse2\n"


def fill(fleet):
    """Something of everything; the policy's file."""
    policy = fleet.file(".conf", POLICY)
    fleet.run("import", "--name", "a1", "--cluster", "prod", "--label", "rack=r1", "--alias", "nova=c1",
              fleet.file(".json", json.dumps(host("a1", OLD))))
    fleet.run("import", "--name", "a2", "--label", "rack=r\u00e4\"2", fleet.file(".json", json.dumps(host("a2", MID))))
    fleet.add_guest("a1", guest("web", "pc-q35-7.2"))
    fleet.add_guest("a2", guest("db", "pc-q35-7.2"))
    fleet.run("level", "create", "prod", "--accel", "tcg", "--coverage", "0.95", "--reason", "CHG-1 \u00fc\"'\\")
    fleet.run("level", "create", "lab", "a2", "--accel", "tcg", "--pin", "sse2", "--forbid", "avx")
    fleet.run("level", "create", "prod", "--accel", "tcg")
    name = fleet.ask("level", "list")["levels"]
    fleet.run("level", "assign", "prod", "web")
    fleet.run("level", "assign", "lab", "db", "--reason", "CHG-2")
    fleet.run("level", "assign", "--unassign", "db")
    fleet.run("level", "retire", next(one["name"] for one in name if one["state"] == "superseded"), "--reason", "CHG-3")
    why = ["--reason", "CHG-4", "--expires", "7d"]
    fleet.run("allow", "web", "--to", "all", "--check", "machine-present", *why)
    fleet.run("allow", "db", "--to", "a1", "--check", "cpu-missing", *why, "--accept-risk")
    fleet.run("allow", "--revoke", "1")
    # two days later: what is waited on is in the log too
    fleet.add_host(host("a1", MID))
    fleet.run("--policy", policy, "level", "propose", "--auto")
    return policy


def changed(document, *path, value):
    document = copy.deepcopy(document)
    at = document
    for key in path[:-1]:
        at = at[key]
    if value is None:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return document


def dump(database):
    connection = sqlite3.connect(database)
    text = "\n".join(connection.iterdump())
    connection.close()
    return text


def check_round(tally, fleet, policy):
    text = fleet.run("--policy", policy, "export")
    document = json.loads(text)
    for problem in problems(validator("authored.schema.json"), document):
        tally.check(False, problem)
    answers = validator()
    for level in document["levels"].values():
        for problem in problems(answers, level["document"]):
            tally.check(False, problem)
    tally.check(all(document[key] for key in document), f"something is missing: {[k for k in document if not document[k]]}")
    tally.check(list(document)[0] == "format" and '"coverage": 0.95,' in text, "it isn't as people would write it")
    name = policy.rpartition("/")[2]
    tally.check("\n".join(document["policies"][name]) == POLICY, f"policy: {document['policies']}")
    tally.check(fleet.run("--policy", policy, "export") == text, "two exports differ")
    path = fleet.file(".json", "")
    fleet.run("--policy", policy, "export", path)
    with open(path, encoding="utf-8") as file:
        tally.check(file.read() == text, "a file has another text")
    with Fleet() as empty:
        _, dry = empty.valid(tally, "restore", "--dry-run", path)
        tally.check(dry["dry_run"] and dry["added"]["levels"] == 3 and dry["added"]["overrides"] == 2, f"dry: {dry}")
        tally.check(not any(json.loads(empty.run("export"))[key] for key in ("levels", "hosts", "overrides")),
                    "a dry run restored something")
        _, done = empty.valid(tally, "restore", path)
        tally.check(not done["same"] and done["added"] == dry["added"], f"restored: {done}")
        again = empty.run("export")
        tally.check(again == text, "it comes out otherwise:\n" + "\n".join(
            f"{a!r} {b!r}" for a, b in zip(text.splitlines(), again.splitlines()) if a != b)[:2000])
        before = dump(empty.database)
        _, twice = empty.valid(tally, "restore", path)
        tally.check(not twice["added"] and twice["same"] == done["added"] and dump(empty.database) == before,
                    f"twice: {twice}")
        tally.check(empty.run("policy", "show", name) == POLICY, "policy show")
        empty.refused(tally, "no policy of that name", "policy", "show", "other.conf")
        empty.shows(tally, ["nothing new in it", "levels 3 there already"], "restore", path)
        # what was restored is what it was
        empty.run("import", "--name", "a1", empty.file(".json", json.dumps(host("a1", OLD))))
        hosts = {h["name"]: h for h in empty.ask("hosts")["hosts"]}
        tally.check(hosts["a1"]["cluster"] == "prod" and hosts["a1"]["labels"] == {"rack": "r1"} and
                    hosts["a1"]["aliases"]["nova"] == "c1", f"host: {hosts['a1']}")
        tally.check(len(empty.ask("level", "list", "--all")["levels"]) == 3, "levels")
        tally.check([o["state"] for o in empty.ask("allow", "--list")["overrides"]] == ["revoked", "active"], "overrides")
        tally.check(empty.run("level", "create", "prod", "--accel", "tcg").split()[0].endswith(".3"), "its number")
    return document


def check_conflicts(tally, fleet, document):
    """One line, and nothing restored: not even what stands before."""
    level = sorted(document["levels"])[0]
    entry = sorted(document["level_log"])[0]
    policy = list(document["policies"])[0]
    new = changed(document, "hosts", "zz", value={"cluster": "new", "labels": {}, "aliases": {}})
    cases = [(("levels", level, "document", "since"), "2020-01-01", level),
             (("levels", level, "reason"), "another", level),
             (("assigned", list(document["assigned"])[0], "level"), level, "assigned"),
             (("level_log", entry, "author"), "nobody", entry),
             (("overrides", "00000001", "expires"), "2030-01-01T00:00:00Z", "00000001"),
             (("hosts", "a1", "labels", "rack"), "r9", "a1"), (("hosts", "a1", "cluster"), "other", "a1"),
             (("policies", policy), ["[age]", ""], policy)]
    with Fleet() as other:
        other.run("restore", fleet.file(".json", json.dumps(document)))
        before = dump(other.database)
        for path, value, words in cases:
            file = fleet.file(".json", json.dumps(changed(new, *path, value=value)))
            other.refused(tally, words, "restore", file)
            other.refused(tally, "nothing was restored", "restore", file)
            tally.check(dump(other.database) == before, f"{path}: something was restored")
        # without the conflict the rest of it goes in
        _, answer = other.valid(tally, "restore", fleet.file(".json", json.dumps(new)))
        tally.check(answer["added"] == {"hosts": 1}, f"new: {answer['added']}")


def check_bad(tally, fleet, document):
    level = sorted(document["levels"])[0]
    guest_id = list(document["assigned"])[0]
    bad = [({}, "is no capbroker.authored/1"), ([], "is no capbroker.authored/1"),
           (changed(document, "format", value="capbroker.authored/2"), "is no capbroker.authored/1"),
           (changed(document, "more", value={}), "unknown to this version"),
           (changed(document, "levels", value=[]), "is no object"),
           (changed(document, "levels", level, "document", value={}), "level " + level),
           (changed(document, "levels", level, "author", value=None), "is no level"),
           (changed(document, "levels", "x", value=document["levels"][level]), "is no level"),
           (changed(document, "levels", level, "document", "name", value="other-2026.1"), "level " + level),
           (changed(document, "retired", "x-2026.1", value=document["retired"][list(document["retired"])[0]]), "retire"),
           (changed(document, "assigned", guest_id, "level", value="x-2026.1"), "is no guest of a level"),
           (changed(document, "assigned", guest_id, "at", value="yesterday"), "is no guest of a level"),
           (changed(document, "level_log", "first", value=document["level_log"]["00000001"]), "is no entry"),
           (changed(document, "overrides", "00000001", "expires", value=7), "is no override"),
           (changed(document, "policies", "x.conf", value=["[nonsense]"]), "x.conf"),
           (changed(document, "policies", "../x", value=[""]), "is no policy"),
           (changed(document, "hosts", "a1", value=7), "is no host"),
           (changed(document, "hosts", "a1", "labels", "rack", value=7), "no text")]
    with Fleet() as empty:
        for document_, words in bad:
            empty.refused(tally, words, "restore", fleet.file(".json", json.dumps(document_)))
            tally.check(not any(json.loads(empty.run("export"))[key] for key in ("levels", "hosts", "overrides")),
                        f"{words}: half of it was restored")
        for text, words in (("{", "json"), ("", "json"), ('{"format":"x","format":"y"}', "json")):
            empty.refused(tally, words, "restore", fleet.file(".json", text))
        empty.refused(tally, "nowhere", "restore", "/nowhere.json")
        empty.refused(tally, "is expected", "restore")
        empty.refused(tally, "at most one file", "export", "a", "b")
        empty.refused(tally, "cannot write", "export", "/nowhere/x.json")
    with Fleet() as none:
        none.refused(tally, "no such database", "export")


def main():
    tally = Tally()
    with Fleet() as fleet:
        policy = fill(fleet)
        document = check_round(tally, fleet, policy)
        check_conflicts(tally, fleet, document)
        check_bad(tally, fleet, document)
    tally.finish("looks at export and restore", least=80)


sys.exit(main())
