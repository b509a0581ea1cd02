# SPDX-License-Identifier: LGPL-2.1-or-later
"""refresh_qemu.py: what an installed QEMU says that the tables don't.

Each function takes what was asked and yields (table, row as a dict, why): rows that are missing,
or that say something else than QEMU does.

Standard library only; runs on Python 3.9.
"""

import difflib
import fnmatch
import re

import machine_clock
import qemu_facts
import qemu_models
from tables import NONE, newer, spans, version_key

MACHINES, DOWNSTREAM, MODELS = ("machine-types.tsv", "machine-types-downstream.tsv",
                                "qemu-cpu-models.tsv")
PROPERTIES, VENDORS, DEVICES = "qemu-properties.tsv", "qemu-vendors.tsv", "qemu-devices.tsv"
TABLES = (MACHINES, DOWNSTREAM, MODELS, PROPERTIES, VENDORS, DEVICES)
# A last_in before all: the row that it stands in is withdrawn.
NEVER = "0"
# Machine types that no distribution makes anything of.
PLAIN = re.compile(r"microvm|isapc|none|x-remote|xen(fv|pv).*|nitro.*|pc|q35|xenfv-.*|pc-[01]\..*")


class Facts:
    """What one QEMU said."""

    def __init__(self, command, wanted):
        with qemu_facts.Qemu(command) as qemu:
            self.version, self.package = qemu.version()
            self.machines = qemu.ask("query-machines")
            self.models = list(qemu_models.expansions(qemu))
        self.wanted = wanted
        self.properties = qemu_facts.all_properties(command, wanted)
        self.source = f"QMP, QEMU {self.version} {self.package}".strip()


def vendor(facts, tables):
    """Whose QEMU it is, or None."""
    for row in tables[VENDORS].rows:
        if fnmatch.fnmatchcase(facts.package or NONE, row["package"]):
            return row["vendor"]
    return None


def vendors(facts, tables):
    if vendor(facts, tables) is None:
        yield VENDORS, {"package": facts.package, "vendor": "mine", "source": facts.source}, \
            f"nobody is known to call a package '{facts.package}': say whose it is for 'mine'"


def clock(facts, machine, row, tables):
    """An upstream machine type that doesn't keep to the table."""
    family, version = machine_clock.split(machine["name"])
    release = ".".join(facts.version.split(".")[:2])
    if not row:
        values = machine_clock.row(family, version, facts.source)
        row = dict(zip(tables[MACHINES].columns, values))
        yield row, f"{machine['name']} isn't in the table"
    changed = {}
    if machine.get("deprecated") and newer(row["deprecated_in"], release):
        changed["deprecated_in"], changed["deprecated"] = release, NONE
    if row["removed_in"] != NONE and not newer(row["removed_in"], release):
        changed["removed_in"], changed["removed"] = NONE, NONE
    if changed:
        yield ({**row, **changed, "source": facts.source},
               f"{machine['name']} is deprecated already" if "deprecated" in changed else
               f"{machine['name']} is still there")


def gone(facts, rows):
    """Upstream's machine types that ought to be there."""
    release = ".".join(facts.version.split(".")[:2])
    have = {machine["name"] for machine in facts.machines}
    for (family, version), row in rows.items():
        due = row["removed_in"] == NONE or newer(row["removed_in"], release)
        if due and not newer(version, release) and f"{family}-{version}" not in have:
            yield {**row, "removed_in": release, "removed": NONE, "source": facts.source}, \
                f"{family}-{version} is gone"


def machine_types(facts, tables):
    """Machine types that are new, deprecated or gone otherwise than the tables say."""
    rows, whose = {}, vendor(facts, tables) or "mine"
    for row in tables[MACHINES].rows:
        rows.setdefault((row["family"], row["version"]), row)
    upstream = [machine for machine in facts.machines if machine_clock.split(machine["name"])]
    for machine in upstream:
        row = rows.get(machine_clock.split(machine["name"]))
        for found, why in clock(facts, machine, row, tables):
            yield MACHINES, found, why
    if upstream and whose in ("upstream", "debian"):
        for row, why in gone(facts, rows):
            yield MACHINES, row, why
    for machine in facts.machines:
        name = machine["name"]
        known = any(row["vendor"] == whose and fnmatch.fnmatchcase(name, row["name"])
                    for row in tables[DOWNSTREAM].rows)
        if known or PLAIN.fullmatch(name):
            continue
        row = {"vendor": whose, "name": name, "upstream": NONE, "steady": "yes",
               "differs": "unknown", "source": facts.source}
        alias = f" (alias {machine['alias']})" if machine.get("alias") else ""
        yield DOWNSTREAM, row, f"{name} of {whose} isn't in the table{alias}"


def cpu_models(facts, tables, features, names):
    """Models that differ from libvirt's of the name otherwise than the table says."""
    for name, properties in facts.models:
        _, both, more, less = qemu_models.difference(name, properties, features, names)
        found = tables[MODELS].find(name=name)
        if any((row["in_libvirt"], row["more"], row["less"]) == (both, more, less)
               for row in found):
            continue
        row = {"name": name, "in_libvirt": both, "qemu": facts.version, "more": more, "less": less,
               "source": facts.source}
        yield MODELS, row, f"{name} holds something else" if found else f"{name} is new"


def unknown_features(facts, spellings):
    """Properties that models set and the dictionary has no name for."""
    return sorted({prop for _, properties in facts.models for prop in properties} - spellings)


def wanted(tables, folder):
    """Names of the types to look at."""
    listed = [row["device"] for row in tables[DEVICES].rows]
    known = [row["device"] for row in tables[PROPERTIES].rows if row["device"] != NONE]
    names = dict.fromkeys([*qemu_facts.TYPES, *listed, *known, *qemu_facts.named_by_rules(folder)])
    return [name for name in names if name not in qemu_facts.APART]


def covers(row, version):
    """Does a row of the table of properties speak of a version?"""
    return not newer(row["first_in"], version) and \
        (row["last_in"] == NONE or not newer(version, row["last_in"]))


class Properties:
    """The table of properties, extended by what one QEMU says."""

    def __init__(self, facts, table):
        self.facts, self.table = facts, table
        self.rows = {}
        for row in table.rows:
            self.rows.setdefault((row["device"], row["property"]), []).append(row)
        self.looked = sorted({row["first_in"] for row in self.rows.get((NONE, NONE), ())},
                             key=version_key)
        self.versions = sorted({*self.looked, facts.version}, key=version_key)

    def stored(self, device, name, version):
        """(type, default) by the table, None where it isn't there."""
        best, seen = None, set()
        for row in self.rows.get((device, name), ()):
            key = (row["type"], row["default"], row["first_in"])
            if key in seen:
                continue
            seen.add(key)
            if covers(row, version) and \
                    (best is None or newer(row["first_in"], best["first_in"])):
                best = row
        return best and (best["type"], best["default"])

    def looked_at(self, device):
        """Versions that are known of a device, with this one."""
        return self.versions if (device, NONE) in self.rows else [self.facts.version]

    def says(self, device, name):
        """(type, default) by this QEMU."""
        properties = self.facts.properties.get(device)
        if name == NONE:
            return None if device not in self.facts.properties else ("type", NONE)
        return None if properties is None else properties.get(name)

    def changed(self, device, name):
        """Rows that the table lacks once this QEMU's word is in it."""
        def cell(version):
            if version == self.facts.version:
                return self.says(device, name)
            return self.stored(device, name, version)

        same, old, rows = ("type", "default", "first_in"), {}, {}
        versions = self.looked_at(device)
        for row in self.rows.get((device, name), ()):
            old.setdefault(tuple(row[column] for column in same), row)
        spelled = next((row["spellings"] for row in old.values()), NONE)
        for (kind, default), not_in, first, last in spans(versions, cell):
            row = {"device": device, "property": name, "type": kind, "default": default,
                   "not_in": not_in, "first_in": first, "last_in": last, "spellings": spelled,
                   "source": self.facts.source}
            rows[kind, default, first] = row
        for key, row in old.items():
            wrong = any(covers(row, version) and cell(version) != key[:2]
                        for version in versions)
            if key not in rows and wrong:
                rows[key] = {**row, "last_in": NEVER, "source": self.facts.source}
        for key, row in rows.items():
            if key not in old or old[key]["last_in"] != row["last_in"]:
                yield row

    def why(self, device, name):
        """What is new of it in this QEMU, or None: nothing."""
        what = device if name == NONE else f"{device}: {name}"
        older = [v for v in self.looked if not newer(v, self.facts.version)]
        before = self.stored(device, name, older[-1] if older else self.facts.version)
        now = self.says(device, name)
        if now == before:
            return None
        if now is None:
            return f"{what} is gone"
        if before is None:
            return f"{what} is new"
        if before[0] != now[0]:
            return f"{what} is a {now[0]} now, was a {before[0]}"
        return f"{what} has the default {now[1]} now, had {before[1]}"

    def renamed(self, device):
        """(name that is gone, name that is new and like it) of a device."""
        names = {name for owner, name in self.rows if owner == device} | \
            set(self.facts.properties.get(device) or ())
        older = [v for v in self.looked if not newer(v, self.facts.version)]
        if not older:
            return
        before = {name: self.stored(device, name, older[-1]) for name in names}
        lost = [name for name in names if before[name] and not self.says(device, name)]
        come = [name for name in names if not before[name] and self.says(device, name)]
        for name in sorted(lost):
            alike = [other for other in come if self.says(device, other) == before[name]]
            close = difflib.get_close_matches(name, alike, 1, 0.4)
            if close or len(alike) == 1:
                yield name, (close or alike)[0]


def properties(facts, tables):
    """Properties and types that are new, gone or changed."""
    table = Properties(facts, tables[PROPERTIES])
    if facts.version not in table.looked:
        row = dict.fromkeys(tables[PROPERTIES].columns, NONE)
        row.update(first_in=facts.version, source=facts.source)
        yield PROPERTIES, row, f"QEMU {facts.version} wasn't looked at"
    for device in sorted(facts.wanted):
        if device in facts.properties and facts.properties[device] is None:
            continue  # it won't tell: nothing can be said
        renamed = dict(table.renamed(device))
        names = {name for owner, name in table.rows if owner == device}
        names |= set(facts.properties.get(device) or ()) | {NONE}
        # of a type that is gone, or was never there, its properties say nothing new
        for name in sorted(names) if device in facts.properties else [NONE]:
            why = table.why(device, name)
            if why and name in renamed:
                why += f" (is it called {renamed[name]}? it has that type and default)"
            for row in table.changed(device, name):
                yield PROPERTIES, row, why
