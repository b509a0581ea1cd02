# SPDX-License-Identifier: LGPL-2.1-or-later
"""What show, diff and baseline say of IOMMUs, over hosts made of registers of public machines: a host
of units that differ, one of which serves nothing that a guest could have; hosts that know less; and
a host that knows nothing of IOMMUs, which changes nothing of what others are told.
"""

import json
import os
import sys

from decode_fixture import decode
from answers_fixture import problems, validator
from dictionary_fixture import Tally
from hosts_fixture import Capbroker

SANDY = "vtd 0xc9008020660262 0xf0105a"
HASWELL = "vtd 0xd2078c106f0466 0xf020df"
SAPPHIRE = "vtd 0x9ed008c40780466 0x3ee9e86f050df"
KERNEL = {"view": "kernel"}


def told(ident, value):
    return {"id": ident, "value": value, "state": "known", "scope": KERNEL, "origin": "told"}


def unit(ident, registers, *facts, devices=()):
    return {"id": ident, "type": "vtd", "devices": list(devices),
            "facts": decode([registers])[0]["facts"] + list(facts)}


def device(address, iommu, eligible, **members):
    return {"address": address, "vendor": "0x8086", "device": "0x10d3", "class": "0x020000",
            "driver": "vfio-pci", "iommu": iommu, "group": 4, "eligible": eligible,
            "facts": [], **members}


def ranges(*pairs):
    return told("iommu.ranges", [[hex(first), hex(last)] for first, last in pairs])


LOW, HIGH = (0, 0xfedfffff), (0xfef00000, (1 << 48) - 1)
CLIENT = (0xfef00000, (1 << 39) - 1)


def host(name, iommus=(), devices=(), *facts):
    return {"format": "capbroker.profile/1", "host": {"name": name, "arch": "x86_64"},
            "facts": [{"id": "cpu.vendor", "value": "Intel", "state": "known",
                       "scope": {"view": "raw"}, "origin": "told"}, *facts],
            "iommus": list(iommus), "devices": list(devices)}


HOSTS = [
    # its graphics unit is narrow, and serves nothing that a guest could have
    host("server", [unit("dmar0", SANDY, ranges(LOW, CLIENT)),
                    unit("dmar1", SAPPHIRE, ranges(LOW, HIGH),
                         told("iommu.reserved", ["0xfee00000-0xfeefffff/msi"]))],
         [device("0000:00:02.0", "dmar0", False, why="a boot display", driver=None),
          device("0000:01:00.0", "dmar1", True,
                 facts=[{"id": "pci.ats", "value": True, "state": "known",
                         "scope": {"view": "raw"}, "origin": "told"}]),
          device("0000:02:00.0", None, False, why="behind no IOMMU", group=None)],
         told("iommu.option.scalable-mode", True), told("iommu.option.super-pages", True)),
    host("older", [unit("dmar0", HASWELL, ranges(LOW, HIGH))],
         [device("0000:03:00.0", "dmar0", True)], told("iommu.option.super-pages", True)),
    host("client", [unit("dmar0", HASWELL, ranges(LOW, CLIENT))],
         [device("0000:04:00.0", "dmar0", True)], told("iommu.option.super-pages", True)),
    host("unasked"),
]


def check_show(tally, capbroker):
    answer = capbroker.ask("show", "server")
    units = {one["id"]: one for one in answer["iommus"]}
    devices = {one["address"]: one for one in answer["devices"]}
    good = units["dmar1"]
    tally.check(not units["dmar0"]["serves"] and good["serves"], "which unit serves")
    tally.check(good["address_bits"] == 48 and good["nested"] and good["dirty_tracking"] and
                good["page_sizes"] == "0x40201000" and not good["pasid"], f"dmar1: {good}")
    tally.check(good["holes"] == [["0xfee00000", "0xfeefffff"]], f"holes: {good['holes']}")
    tally.check("x86_64/1/4/4K+2M+1G/48/-/ad" in good["formats"], f"formats: {good['formats']}")
    tally.check("interrupt_remapping" not in good, "what isn't known isn't said")
    tally.check(devices["0000:01:00.0"]["has"] == ["ats"], "what a device has")
    tally.check(devices["0000:00:02.0"]["why"] == "a boot display", "why a device isn't eligible")
    text = capbroker.run("show", "server")
    for words in ("dmar1 (vtd), 48 bits, pages of 4K 2M 1G", "0xfef00000-0xffffffffffff",
                  "holes    0xfee00000-0xfeefffff", "nesting yes; dirty tracking yes; PASIDs no",
                  "0000:01:00.0 8086:10d3, group 4 (ats): can be given",
                  "devices  1 behind no IOMMU"):
        tally.check(words in text, f"show lacks '{words}'")
    tally.check("0000:00:02.0" not in text, "what can't be given is for -v")
    text = capbroker.run("-v", "show", "server")
    for words in ("0000:00:02.0 8086:10d3, group 4: a boot display", "keeps    0xfee00000-0xfeefffff",
                  "no iommu   0000:02:00.0"):
        tally.check(words in text, f"show -v lacks '{words}'")
    tally.check(capbroker.ask("show", "unasked")["iommus"] == [], "a host that wasn't asked")
    return answer


def lost(answer):
    """(capability, value) → hosts that it is lost for."""
    return {(one["capability"], one["value_lost"] if isinstance(one["value_lost"], str) else "yes"):
            one["hosts"] for one in answer["baselines"][0]["lost"]}


def check_baseline(tally, capbroker):
    answer = capbroker.ask("baseline", "server", "older", "client")
    group, gone = answer["baselines"][0], lost(answer)
    met = group["capabilities"]
    wanted = {"iommu.address-bits": 39, "iommu.type": "vtd", "vtd.cap.mgaw": 48,
              "iommu.page-sizes": "0x40201000", "vtd.cap.sagaw": "0x4",
              "iommu.ranges": [["0x0", "0xfedfffff"], ["0xfef00000", "0x7fffffffff"]]}
    for name, value in wanted.items():
        tally.check(met.get(name) == value, f"baseline: {name} is {met.get(name)}, not {value}")
    tally.check("vtd.ecap.smts" not in met and "iommu.nested" not in met, "not what some lack")
    tally.check(gone.get(("iommu.nested", "yes")) == ["client", "older"], f"lost: {gone}")
    tally.check(gone.get(("iommu.ranges", "0x8000000000-0xffffffffffff")) == ["client"],
                f"lost: {gone}")
    tally.check(not any("iommu" in one["id"] for one in group["unknown"]), "all of them know")
    text = capbroker.run("baseline", "server", "older", "client")
    tally.check("iommu.ranges: 0x0-0xfedfffff 0xfef00000-0x7fffffffff" in text, text)
    return answer


def check_unknown(tally, capbroker):
    """A host that doesn't know makes it unknown: neither promised nor lost."""
    group = capbroker.ask("baseline", "all")["baselines"][0]
    unknown = {one["id"]: one["hosts"] for one in group["unknown"]}
    tally.check(unknown.get("iommu.ranges") == ["unasked"], f"unknown: {unknown}")
    tally.check(not any(name.startswith(("iommu.", "vtd.")) for name in group["capabilities"]),
                f"promised: {group['capabilities']}")
    alone = capbroker.ask("baseline", "unasked")["baselines"][0]
    tally.check(not any(one["id"].startswith(("iommu.", "vtd.")) for one in alone["unknown"]) and
                not any(name.startswith(("iommu.", "vtd.")) for name in alone["capabilities"]),
                "nothing of IOMMUs where nobody was asked")


def check_diff(tally, capbroker):
    answer = capbroker.ask("diff", "client", "server")
    more = {entry["kind"]: entry for entry in answer["more"]}
    tally.check(more["iommu.ranges"]["only_other"] == ["0x8000000000-0xffffffffffff"] and
                more["iommu.ranges"]["only_one"] == [], f"ranges: {more['iommu.ranges']}")
    tally.check(more["iommu.ranges"]["means"] ==
                ["guests whose devices are to reach 0x8000000000-0xffffffffffff can't go to client"],
                f"what that means: {more['iommu.ranges']['means']}")
    tally.check(more["iommu"]["only_other"] == ["iommu.dirty-tracking", "iommu.nested"],
                f"in general: {more['iommu']}")
    tally.check("vtd.ecap.smts" in more["iommu-registers"]["only_other"] and
                "vtd.ecap.dt" not in more["iommu-registers"]["only_other"], "registers")
    tally.check(more["iommu.address-bits"]["means"] ==
                ["guests that need more than 39 bits can't go to client"], "widths")
    again = capbroker.ask("diff", "server", "client")
    tally.check(sorted(more) == sorted(entry["kind"] for entry in again["more"]), "either way")
    bare = capbroker.ask("diff", "client", "unasked")
    tally.check(not any(entry["kind"].startswith("iommu") for entry in bare["more"]),
                "what one wasn't asked is no difference")
    return answer


def check_schema(tally, answers):
    schema, profile_schema = validator(), validator("profile.schema.json")
    for document, held_by in [(one, schema) for one in answers] + [(one, profile_schema) for one in HOSTS]:
        found = problems(held_by, document)
        tally.check(not found, f"{document['format']}: {found[:2]}")


def main():
    tally = Tally()
    with Capbroker() as capbroker:
        for profile in HOSTS:
            path = os.path.join(capbroker.folder.name, profile["host"]["name"] + ".json")
            with open(path, "w", encoding="utf-8") as file:
                json.dump(profile, file)
            capbroker.run("import", path)
        answers = [check_show(tally, capbroker), check_baseline(tally, capbroker),
                   check_diff(tally, capbroker), capbroker.ask("-v", "show", "server")]
        check_unknown(tally, capbroker)
    check_schema(tally, answers)
    tally.finish("answers", least=30)


sys.exit(main())
