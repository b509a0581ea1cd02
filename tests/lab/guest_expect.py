# SPDX-License-Identifier: LGPL-2.1-or-later
"""guest_expect.py: holds a profile against what a row of guests.tsv expects (which see)."""

import errno
import json
import os
import re
import subprocess

from guest_peer import peer_says


def every_fact(profile):
    """All facts of a profile: the host's, the units', the devices'."""
    for fact in profile.get("facts", []):
        yield "host", fact
    for key, name in (("iommus", "id"), ("devices", "address")):
        for entry in profile.get(key, []):
            for fact in entry.get("facts", []):
                yield entry[name], fact


def shown(value):
    """A fact's value as guests.tsv spells it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return "+".join("-".join(str(number) for number in item) if isinstance(item, list)
                        else str(item) for item in value)
    if isinstance(value, dict):
        return "-".join(str(part) for part in value.values())
    return str(value)


def same(said, wanted):
    if said == wanted:
        return True
    try:
        return int(said, 0) == int(wanted, 0)
    except ValueError:
        return False


def value_of(fact):
    """As guests.tsv spells it; None where it isn't known."""
    if fact["state"] == "absent":
        return "no"
    return shown(fact.get("value")) if fact["state"] == "known" else None


def measured(fact):
    """Not reckoned from registers."""
    return fact["scope"]["view"] == "kernel"


def within(inner, outer):
    """Are all of these ranges inside the others?"""
    return all(any(int(low, 0) <= int(first, 0) and int(last, 0) <= int(high, 0)
                   for low, high in outer) for first, last in inner)


def derived(path):
    """What capbroker makes of a profile's units, as facts: id → [(unit, fact)]."""
    database = path + ".db"
    if os.path.exists(database):
        os.unlink(database)
    for arguments in (("import", "--name", "guest", path), ("--json", "show", "guest")):
        result = subprocess.run(["capbroker", "--db", database, *arguments], capture_output=True,
                                check=True)
    facts = {}
    for unit in json.loads(result.stdout).get("iommus", []):
        for member, value in unit.items():
            if member not in ("id", "devices", "views", "serves", "holes", "reserved", "ranges"):
                facts.setdefault("iommu." + member.replace("_", "-"), []).append(
                    (unit["id"], {"state": "known", "value": value, "scope": {"view": "kernel"}}))
    return facts


class Checker:
    def __init__(self, guest, version, profile, status, more=None):
        self.guest, self.version, self.status = guest, version, status
        self.profile, self.wrong = profile, []
        self.facts = {}
        for place, fact in every_fact(profile):
            self.facts.setdefault(fact["id"], []).append((place, fact))
        for fact_id, facts in (more or {}).items():
            self.facts.setdefault(fact_id, facts)

    def told(self, fact_id):
        """(place, value) of those of a fact that are known. A device that isn't the claimed one,
        and no unit, has its own properties."""
        own = {self.guest.device, "host", *(u["id"] for u in self.profile.get("iommus", []))}
        if fact_id.startswith("vfio.migration") or fact_id == "vfio.device-features":
            own = {place for place, _ in self.facts.get(fact_id, [])}
        known = [(place, fact) for place, fact in self.facts.get(fact_id, [])
                 if place in own and value_of(fact) is not None]
        if fact_id == "iommu.ranges": # what was measured, where it was
            known = [pair for pair in known if measured(pair[1])] or known
        return [(place, value_of(fact)) for place, fact in known]

    def equal(self, fact_id, wanted):
        told = self.told(fact_id)
        if not told:
            why = ["%s %s" % (fact["state"], fact.get("reason", fact.get("errno", "")))
                   for _, fact in self.facts.get(fact_id, [])]
            self.wrong.append("%s: not known (%s), not %s" % (fact_id, "; ".join(why) or "no fact",
                                                              wanted))
        if fact_id.startswith("vfio.migration"):
            told = told if not any(same(value, wanted) for _, value in told) else []
        for place, value in told:
            if not same(value, wanted):
                self.wrong.append("%s: %s at %s, not %s" % (fact_id, value, place, wanted))

    def contains(self, fact_id, item, wanted):
        told = self.told(fact_id)
        has = any(item in value.split("+") for _, value in told)
        if has != wanted or (not told and wanted):
            self.wrong.append("%s: %s %s" % (fact_id, told or "not known",
                                             "lacks " + item if wanted else "has " + item))

    def unknown(self, fact_id):
        for place, value in self.told(fact_id):
            self.wrong.append("%s: %s at %s, although nothing can tell it" % (fact_id, value, place))

    def failed(self, fact_id, name):
        said = [errno.errorcode.get(fact.get("errno"), fact["state"])
                for _, fact in self.facts.get(fact_id, []) if fact["state"] != "known"]
        self.unknown(fact_id)
        if name not in said:
            self.wrong.append("%s: %s, not %s" % (fact_id, said or "no fact", name))

    def reckoned(self):
        """What is reckoned without a claim must not promise more than a claim then finds."""
        for place in {place for place, _ in self.facts.get("iommu.ranges", [])}:
            facts = [fact for other, fact in self.facts["iommu.ranges"]
                     if other == place and fact["state"] == "known"]
            found = [fact["value"] for fact in facts if measured(fact)]
            for fact in facts:
                if found and not measured(fact) and not within(fact["value"], found[0]):
                    self.wrong.append("iommu.ranges: reckoned %s at %s, found %s" % (
                        shown(fact["value"]), place, shown(found[0])))

    def units(self, wanted):
        units = [unit["id"] for unit in self.profile.get("iommus", [])]
        if len(units) != int(wanted):
            self.wrong.append("units: %s, not %s" % (units, wanted))

    def claim(self, wanted):
        if (self.status == 0) != (wanted == "ok"):
            self.wrong.append("claim: status %d, not %s" % (self.status, wanted))

    def check(self, word):
        match = re.match(r"([a-z0-9.-]+)([=~^?!])(.*)", word)
        if not match:
            raise ValueError("guests.tsv: %s: no expectation" % word)
        name, sign, rest = match.groups()
        if name in ("units", "claim"):
            getattr(self, name)(rest)
        elif sign == "=":
            self.equal(name, rest)
        elif sign in "~^":
            self.contains(name, rest, sign == "~")
        elif sign == "?":
            self.unknown(name)
        else:
            self.failed(name, rest)


def differences(guest, version, profiles, status, folder):
    """What of the claimed run's profile isn't as expected, or isn't what another program saw; and
    what the other run's says that a claim alone can tell."""
    wrong = []
    run = "claimed" if "claimed" in profiles else "unclaimed"
    if run in profiles:
        checker = Checker(guest, version, profiles[run], status,
                          derived(os.path.join(folder, run + ".json")))
        for versions, word in guest.expected:
            if not versions or version in versions:
                checker.check(word)
        checker.reckoned()
        wrong += checker.wrong
        checker.wrong = []
        for word in peer_says(guest.name + "@" + version, guest.device, guest.kernel == "stock"):
            checker.check(word)
        wrong += ["not what another program saw: " + line for line in checker.wrong]
    if "unclaimed" in profiles:
        checker = Checker(guest, version, profiles["unclaimed"], 0)
        for fact_id in ("hwinfo.type", "iommu.hwpt-plain", "vfio.device-features"):
            checker.unknown(fact_id)
        wrong += ["without a claim: " + line for line in checker.wrong]
    return wrong
