# SPDX-License-Identifier: LGPL-2.1-or-later
"""drain: can a host be emptied, by groups of its guests; where to, and why not."""

import sys

from dictionary_fixture import Tally
from fleet_fixture import MID, NEW, OLD, Fleet, groups, guest, host, without

# QEMU 11.1 takes the state of this controller from 10.0, and no older one takes it from there.
ESP = "<controller type='scsi' index='0' model='am53c974'/>"


def check_all_can(tally):
    fleet = Fleet([host("m1", MID), host("m2", MID), host("n1", NEW)],
                  [("m1", guest("web-1", "pc-q35-7.2")), ("m1", guest("web-2", "pc-q35-7.2")),
                   ("m1", guest("cold", "pc-q35-10.0", running=False)),
                   ("m2", guest("other", "pc-i440fx-2.3"))])
    with fleet:
        status, d = fleet.valid(tally, "drain", "m1")
        told = groups(d)
        tally.check(status == 0 and d["verdict"] in ("ok", "warn"), f"{status} {d['verdict']}")
        tally.check(set(told) == {"web-1 web-2", "cold"}, f"twins are one group, others aren't there: {told}")
        web, cold = told["web-1 web-2"], told["cold"]
        tally.check((web["question"], cold["question"]) == ("migrate", "start"), f"{told}")
        tally.check(web["hosts"] == {"ok": 1, "warn": 1, "unknown": 0, "block": 0} and web["example"] == "m2"
                    and web["onward_hosts"] == 2 and web["reasons"] == [], f"{web}")
        tally.check(d["running"]["guests_n"] == 2 and d["powered_off"]["guests_n"] == 1, f"{d}")
        fleet.shows(tally, ["can be emptied: all 2 running guests can leave; 1 powered-off guest can start",
                            "web-1 +1 1 1 0 0 m2 (2 onward)"], "drain", "m1")
        # none at all
        status, d = fleet.valid(tally, "drain", "n1")
        tally.check((status, d["verdict"], d["guest_groups"]) == (0, "ok", []), f"{status} {d}")
        # only those that --to names count, and never itself
        status, d = fleet.valid(tally, "drain", "m1", "--to", "n1", "--to", "m1")
        tally.check(groups(d)["web-1 web-2"]["hosts"] == {"ok": 0, "warn": 1, "unknown": 0, "block": 0}, f"{d}")
        status, d = fleet.valid(tally, "drain", "m1", "--to", "m1")
        tally.check(status == 1 and groups(d)["web-1 web-2"]["verdict"] == "block", f"{status} {d}")


def check_stuck(tally):
    fleet = Fleet([host("o1", OLD), host("m1", MID), host("n1", NEW)],
                  [("o1", guest("run", "pc-i440fx-2.3")), ("o1", guest("off", "pc-i440fx-2.3", running=False)),
                   ("o1", guest("fine", "pc-q35-7.2"))])
    with fleet:
        status, d = fleet.valid(tally, "drain", "o1")
        told = groups(d)
        tally.check((status, d["verdict"]) == (1, "block"), f"{status} {d['verdict']}")
        tally.check(d["running"]["block"] == 1 and d["running"]["guests_n"] == 2
                    and d["powered_off"]["block"] == 1, f"{d['running']} {d['powered_off']}")
        for name in ("run", "off"):
            first = told[name]["reasons"][0]
            tally.check(first["check"] == "machine-present" and first["hosts_n"] == 2
                        and first["text"] == "machine type pc-i440fx-2.3 was removed from QEMU in 9.1 (2024)"
                        and first["machine"]["removed_in"] == "9.1" and first["fix"], f"{name}: {first}")
            tally.check(told[name]["example"] is None, f"{told[name]}")
        tally.check(told["fine"]["verdict"] in ("ok", "warn"), f"{told['fine']}")
        fleet.shows(tally, ["o1 (class", "can't be emptied: 1 of 2 running guests can leave, 1 can't",
                            "BLOCK run 0 0 0 2", "was removed from QEMU in 9.1 (2024) (2 hosts)",
                            "powered off: a start there is", "not judged: storage, networks, capacity"],
                    "drain", "o1")
        # a second old host, and it can be
        fleet.add_host(host("o2", OLD))
        status, d = fleet.valid(tally, "drain", "o1")
        tally.check(status == 0 and groups(d)["run"]["example"] == "o2", f"{status} {d}")
        # built without it, which isn't that upstream removed it
        fleet.add_host(without(host("o2", OLD), "pc-i440fx-2.3"))
        status, d = fleet.valid(tally, "drain", "o1")
        texts = {r["text"]: r["machine"] for r in groups(d)["run"]["reasons"]}
        tally.check(status == 1 and texts.get("host's QEMU has no machine type pc-i440fx-2.3", 0) is None,
                    f"{status} {texts}")


def check_unknown(tally):
    """What isn't known is no yes: exit status 3, and what would tell."""
    bare = host("bare", MID)
    bare["emulators"] = []
    bare["facts"] = [fact for fact in bare["facts"] if fact["scope"]["view"] not in ("qemu", "libvirt", "kvm")]
    bare["probe"]["sources"] = [dict(one, complete=False, state="missing") for one in bare["probe"]["sources"]]
    with Fleet([host("m1", MID), bare], [("m1", guest("web", "pc-q35-7.2"))]) as fleet:
        status, d = fleet.valid(tally, "drain", "m1")
        web = groups(d)["web"]
        tally.check((status, d["verdict"], web["verdict"]) == (3, "unknown", "unknown"), f"{status} {d}")
        tally.check(web["reasons"] and all(r["verdict"] == "unknown" for r in web["reasons"]), f"{web}")
        fleet.shows(tally, ["may not be emptied: 0 of 1 running guest can leave, of 1 it isn't known"],
                    "drain", "m1")


def check_trap(tally):
    """Rather to where it can leave again; else it is said."""
    hosts = [host("m1", MID), host("m2", MID), host("n1", NEW)]
    with Fleet(hosts, [("m1", guest("esp", "pc-q35-7.2", devices=ESP))]) as fleet:
        _, d = fleet.valid(tally, "drain", "m1")
        tally.check(groups(d)["esp"]["example"] == "m2", f"{d}")
        status, d = fleet.valid(tally, "drain", "m1", "--assume", "m2=gone")
        tally.check(status == 0 and groups(d)["esp"]["example"] == "n1"
                    and groups(d)["esp"]["onward_hosts"] == 0, f"{status} {d}")
        fleet.shows(tally, ["n1 (can't leave it)"], "drain", "m1", "--assume", "m2=gone")


def check_twins(tally):
    """Name, UUID and a card's address make no difference; what a guest needs does."""
    feature = guest("avx", "pc-q35-7.2").replace(
        "<devices>", "<cpu mode='custom' match='exact'><model>qemu64</model>"
        "<feature policy='require' name='avx'/></cpu><devices>")
    sse = feature.replace("'avx'", "'sse4.1'").replace("<name>avx", "<name>sse4.1").replace("8000-0", "8000-1")
    several = guest("several", "pc-q35-7.2").replace("52:54", "53:54")
    names = [("m1", guest(f"vm-{i}", "pc-q35-7.2", number=i + 1)) for i in range(5)]
    more = [("m1", feature), ("m1", sse), ("m1", several), ("m1", guest("pc", "pc-i440fx-7.2"))]
    with Fleet([host("m1", MID)], names + more) as fleet:
        _, d = fleet.valid(tally, "matrix")
        told = sorted(len(one["guests"]) for one in d["guest_groups"])
        tally.check(told == [1, 1, 1, 1, 5], f"{[one['guests'] for one in d['guest_groups']]}")
        tally.check(all("vm-" not in str(one["needs"]) for one in d["guest_groups"]), "a name is a need")


def check_refused(tally):
    with Fleet([host("m1", MID)]) as fleet:
        fleet.refused(tally, "nobody: no host of that name", "drain", "nobody")
        fleet.refused(tally, "no host given", "drain")
        fleet.refused(tally, "'m2' is not expected", "drain", "m1", "m2")
        fleet.refused(tally, "x=y: names no host", "drain", "m1", "--to", "x=y")
        fleet.refused(tally, "m1: no host of that name", "drain", "m1", "--assume", "m1=gone")
        fleet.refused(tally, "unknown option --frob", "drain", "m1", "--frob")


def main():
    tally = Tally()
    for check in (check_all_can, check_stuck, check_unknown, check_trap, check_twins, check_refused):
        check(tally)
    tally.finish("statements on emptying hosts", least=40)


sys.exit(main())
