# SPDX-License-Identifier: LGPL-2.1-or-later
"""Each difference that `diff` tells has a consequence for guests, and just one.

Over all pairs of hosts of the demo fleet that differ in class: every name that only one of them
has stands in one group with a sentence that names the host that lacks it; every value, list and
machine type has its sentence; a host has no differences from itself.
"""

import sys

from dictionary_fixture import Tally
from hosts_fixture import Capbroker

# Which way the sentence of a kind looks.
NAMES_LACKS = {"feature", "gated", "protection", "immunity", "obligation", "host"}


def check_scope(tally, place, scope):
    told = [name for side in ("only_one", "only_other", "obliges_one", "obliges_other")
            for name in scope[side]]
    grouped = [name for group in scope["groups"] for name in group["names"]]
    tally.check(sorted(told) == sorted(grouped), f"{place}: told and grouped differ")
    for group in scope["groups"]:
        tally.check(group["text"] in scope["means"], f"{place}: a group is not among what it means")
        tally.check(group["kind"] not in NAMES_LACKS or group["lacks"] in group["text"],
                    f"{place}: '{group['text']}' doesn't say where")
        tally.check(any(name in group["text"] for name in group["names"]),
                    f"{place}: '{group['text']}' names none of {group['names']}")
        tally.check(("security" in group["text"]) ==
                    (group["kind"] in ("protection", "immunity", "obligation")),
                    f"{place}: '{group['text']}' of kind {group['kind']}")
    for value in scope["values"]:
        tally.check(value["means"], f"{place}: {value['id']} has no meaning")
    tally.check(scope["same"] == (not scope["means"] and not scope["values"]),
                f"{place}: the same, or not?")


def check_more(tally, place, answer):
    machines = answer["machines"]
    for side, host in (("only_one", answer["one"]), ("only_other", answer["other"])):
        tally.check(bool(machines[side]) == any(text.endswith(f"bound to {host}")
                                                for text in machines["means"]),
                    f"{place}: machine types of {host} alone")
    for entry in answer["more"]:
        sides = [entry.get(side) for side in ("only_one", "only_other")]
        count = sum(1 for side in sides if side) if sides[0] is not None else 1
        tally.check(len(entry["means"]) == count, f"{place}: {entry['kind']}: {entry['means']}")
        tally.check(entry["title"] and all(entry["means"]), f"{place}: {entry['kind']}: no words")


def check_known(tally, capbroker):
    """Some that are known from the recordings."""
    answer = capbroker.ask("diff", "lab-d12", "lab-d13")
    more = {entry["kind"]: entry for entry in answer["more"]}
    tally.check("amx-fp16" in more["libvirt-features"]["only_other"],
                "a feature that only the newer libvirt has a name for")
    tally.check(any("refused by libvirt on lab-d12" in text
                    for text in more["libvirt-features"]["means"]), "and what that means")
    tally.check("launch-security-snp-unknown" in more["libvirt-rules"]["only_one"],
                "what only the older libvirt refuses")
    tally.check("igb" in more["devices"]["only_other"], "a device that only the newer QEMU has")
    tally.check("devices.video.modelType=qxl" in more["domain-capabilities"]["only_one"],
                "what only the older domain capabilities offer")
    answer = capbroker.ask("diff", "r1n01", "r4n01")
    kinds = {group["kind"] for scope in answer["scopes"] for group in scope["groups"]}
    tally.check({"feature", "gated", "protection", "immunity", "exact", "host"} <= kinds,
                f"kinds of differences: {kinds}")


def main():
    tally = Tally()
    with Capbroker() as capbroker:
        capbroker.load_fleet()
        first = {}
        for host in capbroker.ask("hosts")["hosts"]:
            first.setdefault(host["class"], host["name"])
        names = sorted(first.values())
        for i, one in enumerate(names):
            other = names[(i + 1) % len(names)]
            answer = capbroker.ask("diff", one, other)
            for number, scope in enumerate(answer["scopes"]):
                check_scope(tally, f"{one} {other} scope {number}", scope)
            check_more(tally, f"{one} {other}", answer)
        answer = capbroker.ask("diff", names[0], names[0])
        tally.check(all(scope["same"] for scope in answer["scopes"]) and not answer["more"] and
                    not answer["machines"]["means"] and not answer["about"],
                    "a host differs from itself")
        check_known(tally, capbroker)
    tally.finish("differences and what they mean", least=500)


sys.exit(main())
