#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Levels: what they promise, that they never change, what is proposed as hosts come, go and change,
what guests hold them back, who did what; on recorded lab hosts (QEMU 7.2, 10.0 and 11.1)."""

import json
import os
import pwd
import sqlite3
import sys

from dictionary_fixture import Tally
from fleet_fixture import MID, NEW, OLD, Fleet, guest, host


# far from any day on which this runs
LATER = {"retire_by": "2099-12-31", "review_by": "2099-06-30"}


def sql(fleet, statement, *values):
    connection = sqlite3.connect(fleet.database)
    try:
        rows = connection.execute(statement, values).fetchall()
        connection.commit()
    finally:
        connection.close()
    return rows


def proposals(fleet, tally, *arguments, before=()):
    status, answer = fleet.valid(tally, *before, "level", "propose", *arguments)
    # of several for one level the first counts: what its hosts ask for
    return status, {p["level"]: p for p in reversed(answer.get("proposals", []))}, answer


def level(fleet, tally, name):
    return fleet.valid(tally, "level", "show", name)[1]


def aged(fleet, name, **members):
    """A level with other dates, as if it had been made so: the trigger is taken away and put back."""
    document = json.loads(sql(fleet, "SELECT document FROM level WHERE name = ?", name)[0][0])
    document.update(members)
    trigger = sql(fleet, "SELECT sql FROM sqlite_schema WHERE name = 'level_stays'")[0][0]
    sql(fleet, "DROP TRIGGER level_stays")
    sql(fleet, "UPDATE level SET document = ? WHERE name = ?",
        json.dumps(document, sort_keys=True, separators=(",", ":")), name)
    sql(fleet, trigger)


def check_create(tally, fleet):
    _, made = fleet.valid(tally, "level", "create", "prod", "--accel", "tcg", "--reason", "CHG-1")
    year = made["document"]["since"][:4]
    group = made["document"]["groups"][0]
    tally.check(made["level"] == f"prod-{year}.1", f"name: {made['level']}")
    tally.check((group["arch"], group["vendor"], group["hosts_n"]) == ("x86_64", "Intel", 3), f"group: {group}")
    tally.check(group["machine"] == "pc-q35-7.2" and group["viommu"]["model"] == "intel" and
                group["viommu"]["properties"]["aw-bits"] == 39, f"settings: {group['machine']} {group['viommu']}")
    tally.check(made["document"]["retire_by"] == "2028-11-30" == group["machine_dates"]["last"],
                f"retire by {made['document']['retire_by']}: QEMU takes pc-q35-7.2 away in December 2028")
    tally.check(any("qemu.machine=pc-q35-10.0" in [c["capability"] for c in limit["capabilities"]]
                    and limit["hosts"] == ["a1"] for limit in group["limits"]), f"limits: {group['limits']}")
    tally.check(group["next_step"]["hosts_lost"] == ["a1"] and group["next_step"]["guests"] == ["web"] and
                group["next_step"]["gained"], f"next step: {group['next_step']}")
    # what it gives starts on all of them, and moves between all of them
    tally.check(group["moves"]["pairs"] == 6 and not group["moves"]["stuck"], f"moves: {group['moves']}")
    _, second = fleet.valid(tally, "level", "create", "prod", "--accel", "tcg", "--since", "2025-02-03",
                            "--retire-by", "2030-01-01", "--review-by", "2026-01-01", "a2", "a3")
    tally.check(second["level"] == "prod-2025.1" and second["document"]["selectors"] == ["a2", "a3"] and
                second["document"]["retire_by"] == "2030-01-01" and second["document"]["review_by"] == "2026-01-01" and
                second["document"]["groups"][0]["machine"] == "pc-q35-10.0", f"second: {second}")
    _, third = fleet.valid(tally, "level", "create", "prod", "--accel", "tcg", "--retire-by", "2099-12-31",
                           "--review-by", "2099-06-30")
    tally.check(third["level"] == f"prod-{year}.2" and third["document"]["replaces"] == f"prod-{year}.1",
                f"third: {third['level']} after {third['document']['replaces']}")
    fleet.shows(tally, [f"prod-{year}.2: current, 0 guests", "machine pc-q35-7.2", "limited by a1",
                        "today 3 hosts take its guests"], "level", "show", "prod")
    fleet.shows(tally, ["3 levels", f"prod-{year}.1 superseded"], "level", "list")
    _, kept = fleet.valid(tally, "level", "create", "most", "--accel", "tcg", "--coverage", "60%")
    group = kept["document"]["groups"][0]
    tally.check(group["left_out"] == ["a1"] and group["hosts"] == ["a2", "a3"], f"coverage: {group['left_out']}")
    _, answer = fleet.valid(tally, "level", "propose", "most")
    tally.check(not answer["proposals"], f"coverage: {answer['proposals']}")
    return year


def check_assign(tally, fleet, year):
    first, now = f"prod-{year}.1", f"prod-{year}.2"
    fleet.run("level", "assign", first, "web", "db", "--reason", "CHG-2")
    fleet.run("level", "assign", now, "db")
    shown = level(fleet, tally, first)
    me = pwd.getpwuid(shown["assigned"][0]["uid"]).pw_name
    tally.check([a["name"] for a in shown["assigned"]] == ["web"] and shown["assigned"][0]["by"] == me and
                shown["assigned"][0]["reason"] == "CHG-2", f"assigned: {shown['assigned']}")
    tally.check([e["action"] for e in shown["log"]] == ["create", "assign", "assign"], f"log: {shown['log']}")
    moved = level(fleet, tally, now)["log"][-1]
    tally.check(moved["detail"] == {"from": first} and moved["guest"], f"moved: {moved}")
    fleet.refused(tally, "1 guest has it", "level", "retire", first, "--reason", "x")
    fleet.run("level", "assign", "--unassign", "web")
    fleet.refused(tally, "is assigned to no level", "level", "assign", "--unassign", "web")
    status, found, _ = proposals(fleet, tally, "prod")
    tally.check(status == 0 and found[first]["kind"] == "retire" and now not in found, f"retire: {status} {found}")
    fleet.run("level", "retire", first, "--reason", "CHG-3")
    fleet.refused(tally, "is retired", "level", "retire", first, "--reason", "x")
    fleet.refused(tally, "is retired", "level", "assign", first, "web")
    fleet.shows(tally, [f"{first} retired"], "level", "list", "--all")
    tally.check(first not in fleet.run("level", "list"), "a retired one is listed")
    tally.check(level(fleet, tally, first)["retired"]["reason"] == "CHG-3", "its reason is lost")
    # it takes no name again
    _, answer = fleet.valid(tally, "level", "list", "--all")
    tally.check(len(answer["levels"]) == 4, f"levels: {answer}")


def check_raise(tally, fleet, year):
    now = f"prod-{year}.2"
    was = sql(fleet, "SELECT document FROM level WHERE name = ?", now)
    status, found, _ = proposals(fleet, tally, "prod", before=("--assume", "a1=gone"))
    tally.check(status == 0 and found[now]["kind"] == "raise", f"a1 gone: {found.get(now)}")
    status, found, _ = proposals(fleet, tally, "prod", before=("--assume", "a1=a2"))
    step = found[now]
    tally.check(step["kind"] == "raise" and step["next"] == f"prod-{year}.3" and step["guests"] == ["db"],
                f"a1 patched: {step}")
    price = step["groups"][0]["price"]
    tally.check("qemu.machine=pc-q35-10.0" in [a["capability"] for a in price["gained"]] and not price["lost"],
                f"price: {price}")
    fleet.shows(tally, [f"{now} can be raised", "machine pc-q35-7.2 -> pc-q35-10.0",
                        f"or leave it: {now} stays as it is until 2099-12-31"],
                "--assume", "a1=a2", "level", "propose", "prod")
    fleet.refused(tally, "nothing is changed for hosts that are assumed", "--assume", "a1=a2", "level", "propose",
                  "--apply")
    fleet.add_host(host("a1", MID))
    _, found, answer = proposals(fleet, tally, "prod", "--apply", "--reason", "CHG-4")
    tally.check({(a["kind"], a["next"]) for a in answer["applied"]} >= {("raise", f"prod-{year}.3")},
                f"applied: {answer['applied']}")
    tally.check(sql(fleet, "SELECT document FROM level WHERE name = ?", now) == was, "the former level changed")
    raised = level(fleet, tally, "prod")
    tally.check(raised["level"]["name"] == f"prod-{year}.3" and raised["level"]["groups"][0]["machine"] == "pc-q35-10.0"
                and not raised["assigned"] and raised["level"]["replaces"] == now, f"raised: {raised['level']['name']}")
    tally.check([(e["action"], e["detail"]["cause"], e["detail"]["from"], e["reason"]) for e in raised["log"]] ==
                [("raise", "operator", now, "CHG-4")], f"log: {raised['log']}")
    shown = level(fleet, tally, now)
    tally.check(shown["state"] == "superseded" and [a["name"] for a in shown["assigned"]] == ["db"],
                f"its guest went elsewhere: {shown['assigned']}")
    aged(fleet, f"prod-{year}.3", **LATER)
    tally.check(not proposals(fleet, tally, "prod")[1], "something is due at once")


def check_sink(tally, fleet, year):
    now = f"prod-{year}.3"
    fleet.add_host(host("a4", OLD))
    fleet.add_guest("a4", guest("old", "pc-q35-7.2"))
    _, answer = fleet.valid(tally, "hosts")
    states = {h["name"]: {x["level"]: x["takes"] for x in h["levels"]} for h in answer["hosts"]}
    tally.check(states["a4"][now] == "no" and states["a1"][now] == "yes", f"hosts: {states}")
    fleet.shows(tally, [f"below {now}: a4"], "hosts")
    status, joined = fleet.valid(tally, "level", "join", "a4", now)
    tally.check(status == 0 and joined["takes"] == "no" and joined["selected"] and
                "qemu.machine=pc-q35-10.0" not in joined["price"]["gained"] and
                joined["price"]["machine"] == "pc-q35-7.2", f"join: {joined}")
    today = level(fleet, tally, "prod")["today"]
    tally.check(today["step"] == "sink" and today["groups"][0]["below"][0]["hosts"] == ["a4"] and
                today["groups"][0]["take_in"], f"show: {today}")
    status, found, _ = proposals(fleet, tally, "prod")
    step = found[now]
    tally.check(status == 1 and step["kind"] == "sink" and
                step["groups"][0]["leave_out"] == {"hosts": ["a4"], "hosts_n": 1, "guests": ["old"], "guests_n": 1,
                                                   "keeps": True}, f"sink: {status} {step}")
    before = sql(fleet, "SELECT name FROM level ORDER BY name")
    _, _, answer = proposals(fleet, tally, "prod", "--apply")
    tally.check(not [a for a in answer["applied"] if a["kind"] == "sink"] and
                sql(fleet, "SELECT name FROM level ORDER BY name") == before, "a sink by --apply alone")
    _, _, answer = proposals(fleet, tally, "prod", "--apply", "--sink")
    tally.check([a["next"] for a in answer["applied"]] == [f"prod-{year}.4"], f"sunk: {answer['applied']}")
    sunk = level(fleet, tally, "prod")
    tally.check(sunk["level"]["groups"][0]["machine"] == "pc-q35-7.2" and
                sunk["level"]["groups"][0]["hosts"] == ["a1", "a2", "a3", "a4"] and
                sunk["log"][0]["action"] == "sink", f"sunk: {sunk['level']['groups'][0]['hosts']}")
    aged(fleet, f"prod-{year}.4", **LATER)


def check_unknown(tally, fleet, year):
    """What isn't known of a host is neither a reason to raise nor one to sink."""
    document = host("a4", OLD)
    document["emulators"] = []
    document["probe"]["sources"] = []
    document["facts"] = []
    fleet.add_host(document)
    status, found, _ = proposals(fleet, tally, "prod")
    now = f"prod-{year}.4"
    tally.check(status == 0 and found.get(now, {}).get("kind") != "raise" and found.get(now, {}).get("kind") != "sink",
                f"unknown: {found.get(now)}")
    tally.check(fleet.valid(tally, "level", "join", "a4", now)[1]["takes"] == "unknown", "join: it is known")
    fleet.add_host(host("a4", MID))
    tally.check(proposals(fleet, tally, "prod")[1][now]["kind"] == "raise", "known again: no raise")


def policy(fleet, text):
    return "--policy", fleet.file(".conf", text)


def check_auto(tally, fleet, year):
    """By policy alone, and once it has held."""
    now = f"prod-{year}.4"
    other = policy(fleet, "[levels]\nauto-raise=other\nsettle=0\n")
    _, _, answer = proposals(fleet, tally, "--auto", before=other)
    tally.check(not answer["applied"] and not answer["waiting"], f"another series: {answer['applied']}")
    _, _, answer = proposals(fleet, tally, "--auto")
    tally.check(not answer["applied"] and not answer["waiting"], "without a policy")
    mine = policy(fleet, "[levels]\nauto-raise=prod; other\nsettle=7d\n")
    _, _, answer = proposals(fleet, tally, "--auto", before=mine)
    tally.check(not answer["applied"] and answer["waiting"][0]["level"] == now, f"at once: {answer}")
    log = sql(fleet, "SELECT action FROM level_log ORDER BY id")
    tally.check(log[-1] == ("proposed",), f"log: {log}")
    # something else came between: it begins anew
    fleet.add_host(host("a5", OLD))
    _, _, answer = proposals(fleet, tally, "--auto", before=mine)
    tally.check(not answer["waiting"] and sql(fleet, "SELECT action FROM level_log ORDER BY id")[-1] ==
                ("withdrawn",), f"withdrawn: {answer['waiting']}")
    fleet.run("forget", "a5")
    _, _, answer = proposals(fleet, tally, "--auto", before=mine)
    tally.check(answer["waiting"] and not answer["applied"], f"anew: {answer}")
    trigger = sql(fleet, "SELECT sql FROM sqlite_schema WHERE name = 'level_log_stays'")[0][0]
    sql(fleet, "DROP TRIGGER level_log_stays")
    sql(fleet, "UPDATE level_log SET time = time - 8 * 86400 WHERE id = (SELECT max(id) FROM level_log)")
    sql(fleet, trigger)
    _, _, answer = proposals(fleet, tally, "--auto", before=mine)
    tally.check([a["next"] for a in answer["applied"]] == [f"prod-{year}.5"], f"held: {answer}")
    entry = level(fleet, tally, "prod")["log"][0]
    tally.check(entry["action"] == "raise" and entry["detail"]["cause"] == "policy" and
                len(entry["detail"]["policy"]) == 8, f"log: {entry}")
    aged(fleet, f"prod-{year}.5", **LATER)
    fleet.shows(tally, ["levels raised by themselves: prod other (after 604800 s)"], *mine, "policy", "check")
    for text, words in (("[levels]\nauto-raise=1x\n", "no name of a series"), ("[levels]\nsettle=soon\n", "no span"),
                        ("[levels]\nsink=prod\n", "no key of this group")):
        fleet.refused(tally, words, *policy(fleet, text), "level", "list")


def check_age(tally, fleet, year):
    """Guests hold back what should be gone; running with it counts, assigned or not."""
    now = f"prod-{year}.5"
    old = f"prod-{year}.2"
    aged(fleet, old, retire_by="2026-01-01")
    status, found, _ = proposals(fleet, tally, "prod")
    tally.check(status == 1 and found[old]["kind"] == "overdue" and found[old]["guests"] == ["db"], f"overdue: {found}")
    fleet.shows(tally, [f"{old} should be retired, and guests have it", "guests db"], "level", "propose", "prod")
    fleet.run("level", "assign", now, "db")
    status, found, _ = proposals(fleet, tally, "prod", "--apply")
    tally.check(status == 0 and found[old]["kind"] == "retire" and level(fleet, tally, old)["state"] == "retired",
                f"retire: {found.get(old)}")
    aged(fleet, now, review_by="2026-01-01")
    tally.check(proposals(fleet, tally, "prod")[1][now]["kind"] == "review", "no review")
    # the newest isn't retired by the way
    fleet.run("level", "assign", "--unassign", "db")
    aged(fleet, now, retire_by="2026-01-01")
    proposals(fleet, tally, "prod", "--apply")
    tally.check(level(fleet, tally, now)["state"] == "current", "the newest is retired")
    group = level(fleet, tally, now)["level"]["groups"][0]
    cpu = "".join(f"<feature policy='{d['policy']}' name='{d['name']}'/>" for d in group["cpu"]["delta"])
    fleet.add_guest("a2", guest("runner", group["machine"]).replace("<devices>", (
        f"<cpu mode='custom' match='exact'><model>{group['cpu']['model']}</model>{cpu}</cpu><devices>"), 1))
    shown = level(fleet, tally, now)["guests"]
    tally.check(shown["running"] == ["runner"] and not shown["assigned"], f"running: {shown}")
    fleet.refused(tally, "1 guest has it", "level", "retire", now, "--reason", "x")


def check_immutable(tally, fleet):
    before = sql(fleet, "SELECT * FROM level"), sql(fleet, "SELECT * FROM level_log")
    for statement in ("UPDATE level SET document = '{}'", "DELETE FROM level", "DELETE FROM level_log",
                      "INSERT OR REPLACE INTO level SELECT name, series, year, number, '{}', 'x', 0, 0, '' FROM level",
                      "UPDATE level_log SET author = 'nobody'"):
        try:
            sql(fleet, statement)
            tally.check(False, f"{statement}: is done")
        except sqlite3.IntegrityError:
            tally.check(True, statement)
    tally.check(before == (sql(fleet, "SELECT * FROM level"), sql(fleet, "SELECT * FROM level_log")), "something changed")
    # hosts and guests go; what somebody wrote stays
    for name in ("a1", "a2", "a3", "a4"):
        fleet.run("forget", name)
    _, found, _ = proposals(fleet, tally)
    tally.check({p["kind"] for p in found.values()} >= {"empty"}, f"no host: {found}")
    fleet.shows(tally, ["has no host any more"], "level", "propose")


def check_refused(tally, fleet):
    for arguments, words in (
            ([], "is expected"), (["raise"], "is expected"), (["create"], "is expected"),
            (["create", "1prod"], "no name of a series"), (["create", "a.b"], "no name of a series"),
            (["create", "x" * 49], "no name of a series"), (["create", "prod", "nowhere"], "nowhere"),
            (["create", "prod", "--since", "2026-02-30"], "no day"), (["create", "prod", "--review-by", "soon"], "no day"),
            (["create", "prod", "--since", "2026-05-01", "--retire-by", "2026-04-01"], "before the level begins"),
            (["create", "prod"], "wouldn't start there: a1: host has no accelerator kvm"),
            (["create", "prod", "--coverage", "2"], "--coverage"), (["create", "prod", "--accel", "xen"], "--accel"),
            (["create", "prod", "--pin", "no-such"], "--pin"), (["create", "prod", "--accel", "tcg", "--pin", "avx512f"],
                                                                "can't be had"),
            (["create", "prod", "--weight-label", "cores"], "has no label"), (["create", "prod", "--apply"], "takes no --apply"),
            (["create", "prod", "--reason", "two\nlines"], "one line"), (["list", "prod"], "nothing is expected"),
            (["show"], "is expected"), (["show", "prod"], "no level of that name"), (["retire", "prod-2026.1"], "--reason"),
            (["propose", "prod"], "no series"), (["propose", "--sink"], "--apply"),
            (["propose", "--apply", "--auto"], "exclude"), (["propose", "--reason", "x"], "--apply"),
            (["assign", "prod-2026.1"], "no guest is named"), (["assign", "prod", "web"], "no level of that name"),
            (["join", "a1"], "there is none yet"), (["join", "nowhere"], "nowhere"),
            (["join", "a1", "prod-2026.1"], "no level of that name")):
        fleet.refused(tally, words, "level", *arguments)
    fleet.run("level", "create", "one", "--accel", "tcg")
    fleet.refused(tally, "is a series", "level", "retire", "one", "--reason", "x")
    fleet.refused(tally, "nobody", "level", "assign", "one", "web", "nobody")
    tally.check(not level(fleet, tally, "one")["assigned"], "half of the guests are assigned")
    fleet.run("level", "create", "two", "--accel", "tcg")
    fleet.refused(tally, "more than one series", "level", "join", "a1")
    sql(fleet, "DROP TRIGGER level_stays")
    for damage in ("{}", "[", '{"format":"capbroker.level/2"}'):
        sql(fleet, "UPDATE level SET document = ? WHERE series = 'one'", damage)
        fleet.refused(tally, "level one-", "level", "list")


def check_groups(tally):
    """Groups step by themselves: one that doesn't is what it was in the next level."""
    with Fleet() as fleet:
        fleet.load_fleet()
        fleet.run("level", "create", "prod", "cluster=prod")
        gone = ("--assume", "label:rack=r1=gone", "--assume", "label:rack=a1=gone")
        _, answer = fleet.valid(tally, *gone, "level", "propose")
        step = answer["proposals"][0]
        steps = {g["vendor"]: g["step"] for g in step["groups"]}
        tally.check((step["kind"], steps) == ("raise", {"AMD": "held", "Intel": "raise"}), f"{step['kind']}: {steps}")
        held = next(g for g in step["groups"] if g["vendor"] == "AMD")
        tally.check([a["capability"] for a in held["price"]["lost"]] == ["viommu.model=intel"] and
                    held["price"]["gained"], f"held: {held['price']}")
        old = {g["vendor"]: g for g in level(fleet, tally, "prod")["level"]["groups"]}
        new = {g["vendor"]: g for g in step["document"]["groups"]}
        tally.check(new["AMD"] == old["AMD"] and new["Intel"] != old["Intel"], "the group that is held changed")
        tally.check("spectre-v2" in next(g for g in step["groups"] if g["vendor"] == "Intel")["price"]["security"]["gained"],
                    "its security isn't named")
        # a host of another architecture is in no group
        fleet.run("level", "create", "few", "r1n01", "z1n01")
        _, answer = fleet.valid(tally, "level", "join", "a1n01", "few")
        tally.check(answer["takes"] == "no" and answer["group"] is None and answer["price"] is None, f"join: {answer}")
        tally.check({g["arch"] for g in level(fleet, tally, "few")["level"]["groups"]} == {"x86_64", "s390x"}, "groups")


def check_no_database(tally):
    with Fleet() as fleet:
        fleet.refused(tally, "no database yet", "level", "list")
        tally.check(not os.path.exists(fleet.database), "a database is made by asking")


def main():
    tally = Tally()
    hosts = [host("a1", OLD), host("a2", MID), host("a3", NEW)]
    guests = [("a1", guest("web", "pc-q35-7.2")), ("a2", guest("db", "pc-q35-7.2"))]
    with Fleet(hosts, guests) as fleet:
        year = check_create(tally, fleet)
        check_assign(tally, fleet, year)
        check_raise(tally, fleet, year)
        check_sink(tally, fleet, year)
        check_unknown(tally, fleet, year)
        check_auto(tally, fleet, year)
        check_age(tally, fleet, year)
        check_immutable(tally, fleet)
    with Fleet(hosts[:1], guests[:1]) as fleet:
        check_refused(tally, fleet)
    check_groups(tally)
    check_no_database(tally)
    tally.finish("looks at levels", least=100)


sys.exit(main())
