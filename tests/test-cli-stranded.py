# SPDX-License-Identifier: LGPL-2.1-or-later
"""stranded: guests that can go nowhere, by cause, and hardly anywhere; in which order to change hosts."""

import json
import sys

from dictionary_fixture import Tally
from fleet_fixture import MID, NEW, OLD, Fleet, guest, host, without

AGED = "machine type pc-i440fx-2.3 was removed from QEMU in 9.1 (2024)"


def counts(answer):
    return tuple(answer.get(key) for key in ("guests_n", "free_n", "limited_n", "nowhere_n", "unknown_n"))


def names(entries):
    return sorted(name for one in entries for name in one["guests"])


def check_causes(tally):
    fleet = Fleet([host("o1", OLD), host("m1", MID), host("m2", MID), host("n1", NEW)],
                  [("o1", guest("run", "pc-i440fx-2.3")), ("o1", guest("off", "pc-i440fx-2.3", running=False)),
                   ("m1", guest("fine", "pc-q35-7.2")), ("m1", guest("cold", "pc-q35-7.2", running=False)),
                   (None, guest("newest", "pc-q35-11.0", running=False))])
    with fleet:
        status, d = fleet.valid(tally, "stranded")
        # off can start where it is; run can't migrate to where it is
        tally.check((status, d["verdict"], counts(d)) == (1, "block", (5, 2, 2, 1, 0)), f"{status} {counts(d)}")
        cause = d["causes"][0]
        tally.check(len(d["causes"]) == 1 and (cause["check"], cause["text"]) == ("machine-present", AGED)
                    and cause["machine"]["removed"].startswith("2024") and cause["guests_n"] == 1, f"{cause}")
        tally.check(names(cause["guest_groups"]) == ["run"] and cause["guest_groups"][0]["on"] == ["o1"],
                    f"{cause}")
        left = {one["guests"][0]: one for one in d["limited"]}
        tally.check(left["off"]["to"] == ["o1"] and left["newest"]["to"] == ["n1"], f"{left}")
        tally.check(left["off"]["reasons"][0]["text"] == AGED, f"{left['off']['reasons']}")
        fleet.shows(tally, ["5 guests: 2 freely, 2 limited, 1 nowhere, 0 unknown",
                            f"1 BLOCK 1 guest: machine-present: {AGED}", "running run on o1",
                            "limited to 2 hosts or fewer", "off off of o1 -> o1", f"else machine-present: {AGED}",
                            "not judged: storage, networks, capacity"], "stranded")
        _, d = fleet.valid(tally, "stranded", "--few", "0")
        tally.check(counts(d) == (5, 4, 0, 1, 0), f"{counts(d)}")
        # three hosts are few then; but where all others take it, nothing limits it
        _, d = fleet.valid(tally, "stranded", "--few", "3")
        tally.check(names(d["limited"]) == ["newest", "off"], f"{names(d['limited'])}")
        # all that is as old goes with the host: one cause, for running and powered off
        status, d = fleet.valid(tally, "stranded", "--assume", "o1=m1")
        tally.check(status == 1 and [c["text"] for c in d["causes"]] == [AGED]
                    and names(d["causes"][0]["guest_groups"]) == ["off", "run"], f"{d['causes']}")
        fleet.shows(tally, ["assumed o1=m1", "1 BLOCK 2 guests"], "stranded", "--assume", "o1=m1")
        # the guests of a host that is gone have to be started elsewhere
        _, d = fleet.valid(tally, "stranded", "--assume", "m1=gone")
        tally.check("fine" not in names(d["limited"]) and counts(d)[3] == 1, f"{d['limited']}")
        _, d = fleet.valid(tally, "stranded", "--assume", "o1=gone")
        kinds = {one["guests"][0]: one["question"] for c in d["causes"] for one in c["guest_groups"]}
        tally.check(kinds == {"run": "start", "off": "start"}, f"{kinds}")


def check_none(tally):
    with Fleet([host("m1", MID), host("m2", MID)], [("m1", guest("web", "pc-q35-7.2"))]) as fleet:
        status, d = fleet.valid(tally, "stranded")
        tally.check((status, counts(d), d["causes"]) == (0, (1, 1, 0, 0, 0), []), f"{status} {d}")
        status, d = fleet.valid(tally, "stranded", "--assume", "m2=gone")
        tally.check(status == 1 and d["causes"][0]["text"] == "no other host is known", f"{status} {d}")
    with Fleet([host("m1", MID)]) as fleet:
        status, d = fleet.valid(tally, "stranded")
        tally.check((status, counts(d)) == (0, (0, 0, 0, 0, 0)), f"{status} {d}")


def check_unknown(tally):
    bare = host("bare", MID)
    bare["emulators"], bare["facts"] = [], []
    bare["probe"]["sources"] = [dict(one, complete=False, state="missing") for one in bare["probe"]["sources"]]
    with Fleet([host("m1", MID), bare], [("m1", guest("web", "pc-q35-7.2"))]) as fleet:
        status, d = fleet.valid(tally, "stranded")
        tally.check((status, d["verdict"], counts(d)) == (3, "unknown", (1, 0, 0, 0, 1)), f"{status} {counts(d)}")
        tally.check(d["causes"][0]["verdict"] == "unknown", f"{d['causes']}")


def check_saved(tally):
    """A saved guest starts by what was saved; a snapshot needs the machine type that it was made with."""
    with Fleet([host("m1", MID), host("n1", NEW)], [("m1", guest("web", "pc-i440fx-2.3", running=False))]) as fleet:
        entry = fleet.ask("guests")["guests"][0]
        entry.update(saved=True, snapshots=[
            {"name": "before", "machine": "pc-i440fx-2.4", "memory": True},
            {"name": "older", "machine": "pc-i440fx-2.3", "memory": False}, {"name": "no machine"}, "torn"])
        fleet.run("import", fleet.file(".json", json.dumps({"format": "capbroker.guests/1", "host": "m1",
                                                            "guests": [entry]})))
        status, d = fleet.valid(tally, "stranded")
        cause = d["causes"][0]
        tally.check(status == 1 and cause["text"] == AGED and "managedsave-remove" in cause["fix"]
                    and cause["guest_groups"][0]["saved"], f"{cause}")
        tally.check([(s["guest"], s["snapshot"], s["verdict"], s["machine"]["removed_in"])
                     for s in d["snapshots"]] == [("web", "older", "block", "9.1")], f"{d['snapshots']}")
        fleet.shows(tally, ["saved web of m1", "older of web: pc-i440fx-2.3 (removed in QEMU 9.1, 2024)"],
                    "stranded")
        _, d = fleet.valid(tally, "stranded", "--assume", "m1=n1")
        tally.check([s["snapshot"] for s in d["snapshots"]] == ["before", "older"], f"{d['snapshots']}")


def steps(answer):
    """[(hosts, gone, {guest: when})]"""
    return [(" ".join(step["hosts"]), step["to_class"] is None,
             {name: one["when"] for one in step["stranded"] for name in one["guests"]})
            for step in answer["upgrade"]["steps"]]


def check_order(tally):
    """a's guest needs a host as b will be, so b comes first, whatever they are called or how many."""
    fleet = Fleet([host("a1", MID), host("b1", OLD)], [("a1", guest("modern", "pc-q35-10.0"))])
    with fleet:
        mid, new = (fleet.file(".json", json.dumps(host(name, name))) for name in (MID, NEW))
        assume = ("--assume", f"a1={new}", "--assume", f"b1={mid}")
        _, d = fleet.valid(tally, "stranded", *assume)
        tally.check(steps(d) == [("b1", False, {}), ("a1", False, {})] and d["upgrade"]["exact"], f"{steps(d)}")
        tally.check(d["upgrade"]["stranded_n"] == 0 and d["upgrade"]["steps"][1]["guests_n"] == 1,
                    f"{d['upgrade']}")
        out = fleet.shows(tally, ["in this order, one host at a time", "1 b1 (1 host, class",
                                  "2 a1 (1 host, class", "1 running guest, 0 stranded"], "stranded", *assume)
        tally.check(out.startswith("assumed"), out)
        # alone, nothing will do
        _, d = fleet.valid(tally, "stranded", "--assume", f"a1={new}")
        tally.check(steps(d) == [("a1", False, {"modern": "never"})], f"{steps(d)}")
        # drain tells the same of the host's own guests
        _, d = fleet.valid(tally, "drain", "a1", "--assume", f"a1={new}")
        tally.check(steps(d) == [("a1", False, {"modern": "never"})], f"{steps(d)}")
        _, d = fleet.valid(tally, "drain", "b1", "--assume", f"a1={new}")
        tally.check(steps(d) == [("a1", False, {})] and d["upgrade"]["stranded_n"] == 1, f"{d['upgrade']}")
        # no host changes: nothing to be said of it
        _, d = fleet.valid(tally, "stranded", "--assume", "a1=a1")
        tally.check("upgrade" not in d, f"{d}")


def check_half(tally):
    """Hosts of one kind, changed one after the other: what the last of them can't get rid of."""
    fleet = Fleet([host("o1", OLD), host("o2", OLD), host("n1", NEW)],
                  [("o1", guest("aged", "pc-i440fx-2.3")), ("o2", guest("web", "pc-q35-7.2"))])
    with fleet:
        _, d = fleet.valid(tally, "stranded", "--assume", "o1=n1", "--assume", "o2=n1")
        tally.check(steps(d) == [("o1 o2", False, {"aged": "last"})], f"{steps(d)}")
        tally.check(d["upgrade"]["steps"][0]["hosts_n"] == 2 and d["upgrade"]["stranded_n"] == 1, f"{d['upgrade']}")
        fleet.shows(tally, ["(2 hosts, class", "2 running guests, 1 stranded",
                            "aged nowhere to go when the last of them is changed"], "stranded", "--assume",
                    "o1=n1", "--assume", "o2=n1")
        _, d = fleet.valid(tally, "stranded", "--assume", "o1=gone", "--assume", "o2=gone")
        tally.check(steps(d) == [("o1 o2", True, {"aged": "last"})], f"{steps(d)}")
        # one of them stays as it is
        _, d = fleet.valid(tally, "stranded", "--assume", "o1=n1")
        tally.check(steps(d) == [("o1", False, {})], f"{steps(d)}")
        # more kinds of changes than all orders are tried of are still put in one
        some = [("--assume", f"o{i}=n1") for i in (1, 2)]
        for i in range(3, 17):
            document = host(f"o{i}", OLD)
            document["facts"].append({"id": "cpu.phys-bits", "value": 30 + i, "state": "known",
                                      "scope": {"view": "raw"}, "origin": "told"})
            fleet.add_host(document)
            some.append(("--assume", f"o{i}=n1"))
        _, d = fleet.valid(tally, "stranded", *(word for pair in some for word in pair))
        tally.check(not d["upgrade"]["exact"] and len(d["upgrade"]["steps"]) == 15
                    and d["upgrade"]["stranded_n"] == 0, f"{d['upgrade']}")


def check_first(tally):
    """Only changed hosts would take it: the first of them must be one that it isn't on."""
    lacks = [without(host(name, MID), "pc-q35-7.2") for name in ("a1", "a2")]
    with Fleet(lacks, [("a1", guest("web", "pc-q35-7.2"))]) as fleet:
        mid = fleet.file(".json", json.dumps(host("x", MID)))
        assume = ("--assume", f"a1={mid}", "--assume", f"a2={mid}")
        _, d = fleet.valid(tally, "stranded", *assume)
        tally.check(steps(d) == [("a1 a2", False, {"web": "first"})], f"{steps(d)}")
        fleet.shows(tally, ["web only changed hosts take it: change one without it first"], "stranded", *assume)


def check_refused(tally):
    with Fleet([host("m1", MID)]) as fleet:
        fleet.refused(tally, "'m1' is not expected", "stranded", "m1")
        fleet.refused(tally, "--few: -1 is no number", "stranded", "--few", "-1")
        fleet.refused(tally, "cannot parse integer value", "stranded", "--few", "x")


def main():
    tally = Tally()
    for check in (check_causes, check_none, check_unknown, check_saved, check_order, check_half, check_first, check_refused):
        check(tally)
    tally.finish("statements on stranded guests", least=40)


sys.exit(main())
