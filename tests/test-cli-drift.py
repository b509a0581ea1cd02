# SPDX-License-Identifier: LGPL-2.1-or-later
"""drift: what has changed on hosts since a time, alike ones once, and whom it hurts or helps."""

import json
import sys
import time

from dictionary_fixture import Tally
from fleet_fixture import DAY, MID, NEW, OLD, Fleet, guest, host


def local(age, form="%Y-%m-%d"):
    return time.strftime(form, time.localtime(time.time() - age))


def transitions(answer):
    return {" ".join(one["hosts"]): one for one in answer["transitions"]}


def effects(answer, entries):
    """{guest: (here, before, now)}"""
    return {name: (one["here"], one["before"], one["now"]) for one in entries
            for name in answer["guest_groups"][one["group"]]["guests"]}


def the_fleet():
    """d1 and d2 were upgraded a day ago, s1 is as it was, n1 is new since two days."""
    fleet = Fleet([host("d1", OLD, 30 * DAY), host("d2", OLD, 30 * DAY), host("s1", OLD, 30 * DAY),
                   host("n1", NEW, 2 * DAY)],
                  [("s1", guest("aged", "pc-i440fx-2.3")), ("d1", guest("stays", "pc-i440fx-2.3")),
                   ("s1", guest("web", "pc-q35-7.2")), ("n1", guest("modern", "pc-q35-10.0"))])
    fleet.add_host(host("d1", MID, DAY))
    fleet.add_host(host("d2", MID, DAY))
    return fleet


def check_transition(tally):
    with the_fleet() as fleet:
        status, d = fleet.valid(tally, "drift")
        told = transitions(d)
        tally.check(set(told) == {"d1 d2", "n1"} and d["changed_n"] == 3 and d["hosts_n"] == 4, f"{set(told)}")
        change = told["d1 d2"]
        tally.check(told["n1"]["from_class"] is None and told["n1"]["to_class"], f"{told['n1']}")
        tally.check({"id": "qemu.version", "before": "7.2.22", "now": "10.0.13"} in change["changed"],
                    f"{change['changed']}")
        tally.check("pc-i440fx-2.3" in change["machines_lost"] and "pc-q35-10.0" in change["machines_gained"],
                    f"{change['machines_lost']} {change['machines_gained']}")
        tally.check(any("machine types that are gone" in text for text in change["means"])
                    and not any("d1 before" in text and "d1 now" not in text for text in change["means"]),
                    f"{change['means']}")
        hurt, helped = effects(d, change["hurts"]), effects(d, change["helps"])
        # aged could go there; stays runs there and can't be started there again; modern can go there now
        tally.check(hurt["aged"][0] is False and hurt["aged"][1] in ("ok", "warn")
                    and hurt["aged"][2] == "block", f"{hurt}")
        tally.check(hurt["stays"][0] is True and hurt["stays"][2] == "block", f"{hurt}")
        tally.check("web" not in hurt and "modern" not in hurt and helped["modern"][2] in ("ok", "warn"),
                    f"{hurt} {helped}")
        reason = next(one for one in change["hurts"] if one["reason"])["reason"]
        tally.check(reason["text"] == "machine type pc-i440fx-2.3 was removed from QEMU in 9.1 (2024)", f"{reason}")
        groups = {one["guests"][0]: one for one in d["guest_groups"]}
        tally.check(groups["aged"]["stranded"] and groups["aged"]["hosts_before"]["block"] == 0
                    and groups["aged"]["hosts_now"]["block"] == 3, f"{groups['aged']}")
        tally.check((status, d["verdict"], d["stranded_n"]) == (1, "block", 1), f"{status} {d['stranded_n']}")
        fleet.shows(tally, ["3 of 4 hosts changed, in these ways:", "1 2 hosts: class",
                            "changed QEMU 7.2.22 -> 10.0.13",
                            "2 guests hurt, 1 with nowhere to go any more",
                            "aged: a move there", "-> block; 2 hosts -> 0, NOWHERE to go",
                            "stays: runs there, a start again", "not judged: storage, networks, capacity"], "drift")


def check_since(tally):
    with the_fleet() as fleet:
        cases = [("36h", {"d1 d2"}), ("7d", {"d1 d2", "n1"}), ("1w", {"d1 d2", "n1"}), ("2160m", {"d1 d2"}),
                 ("12h", set()), ("0s", set()), (local(0), set()), (local(10 * DAY), {"d1 d2", "n1"}),
                 (local(36 * 3600, "%Y-%m-%dT%H:%M"), {"d1 d2"}),
                 (local(36 * 3600, "%Y-%m-%d %H:%M:%S"), {"d1 d2"}),
                 (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 36 * 3600)), {"d1 d2"}),
                 ("60d", {"d1 d2", "n1", "s1"})]
        for since, wanted in cases:
            _, d = fleet.valid(tally, "drift", "--since", since)
            tally.check(set(transitions(d)) == wanted, f"{since}: {set(transitions(d))}")
        status, d = fleet.valid(tally, "drift", "--since", "12h")
        tally.check((status, d["verdict"], d["guest_groups"]) == (0, "ok", []), f"{status} {d}")
        for wrong in ("yesterday", "7x", "d", "-3d", "7d2h", "2026-13-01", "", "99999999999999999999d"):
            fleet.refused(tally, "neither a date nor a time nor an age", "drift", "--since", wrong)
        fleet.refused(tally, "has yet to come", "drift", "--since", local(-3 * DAY))
        fleet.refused(tally, "'d1' is not expected", "drift", "d1")


def check_history(tally):
    """Back to what it was is no change; nor is another kernel that guests don't notice."""
    with Fleet([host("x1", MID, 20 * DAY), host("y1", MID, 20 * DAY)]) as fleet:
        fleet.add_host(host("x1", OLD, 3 * DAY))
        _, d = fleet.valid(tally, "drift")
        tally.check(set(transitions(d)) == {"x1"}, f"{set(transitions(d))}")
        fleet.add_host(host("x1", MID, DAY))
        other = host("y1", MID, DAY)
        other["fingerprint"] = dict(other["fingerprint"], kernel="9.9.9")
        fleet.add_host(other)
        _, d = fleet.valid(tally, "drift")
        tally.check(d["transitions"] == [] and d["alike_n"] == 1, f"{d}")
        fleet.shows(tally, ["1 host has another profile"], "drift")


def check_assumed(tally):
    with the_fleet() as fleet:
        new = fleet.file(".json", json.dumps(host("x", NEW)))
        _, d = fleet.valid(tally, "drift", "--since", "0s", "--assume", f"s1={new}")
        told = transitions(d)
        tally.check(set(told) == {"s1"} and d["assumed"] == [f"s1={new}"], f"{set(told)}")
        tally.check(effects(d, told["s1"]["hurts"])["aged"][0] is True, f"{told['s1']['hurts']}")
        # a host that is gone takes what could go there
        status, d = fleet.valid(tally, "drift", "--since", "0s", "--assume", "d1=gone", "--assume", "d2=gone",
                                "--assume", "n1=gone")
        told = transitions(d)
        tally.check(all(one["to_class"] is None for one in told.values()), f"{told}")
        tally.check(status == 1 and effects(d, told["d1 d2"]["hurts"])["web"][2] is None, f"{status} {told}")
        # of what changed before and is assumed to change, what it was then counts
        _, d = fleet.valid(tally, "drift", "--assume", f"d1={new}", "--assume", f"d2={new}")
        versions = [one for one in transitions(d)["d1 d2"]["changed"] if one["id"] == "qemu.version"]
        tally.check(versions == [{"id": "qemu.version", "before": "7.2.22", "now": "11.1.3"}], f"{versions}")


def main():
    tally = Tally()
    for check in (check_transition, check_since, check_history, check_assumed):
        check(tally)
    tally.finish("statements on drift", least=45)


sys.exit(main())
