# SPDX-License-Identifier: LGPL-2.1-or-later
"""refresh_libvirt.py: what an installed libvirt knows that the tables don't.

Standard library only; runs on Python 3.9.
"""

import re
import subprocess
import xml.etree.ElementTree as ElementTree

import cpu_map
from tables import NONE, newer, version_key

NAMES, CPU_MODELS = "libvirt-names.tsv", "cpu-models.tsv"
TABLES = (NAMES, CPU_MODELS)


class LibvirtError(Exception):
    """Why a libvirt can't be asked."""


def virsh(uri, command, limit=60):
    try:
        run = subprocess.run(["virsh", "-q", "-c", uri, *command.split()], capture_output=True,
                             check=False, text=True, timeout=limit, stdin=subprocess.DEVNULL)
    except OSError as error:
        raise LibvirtError(f"virsh: cannot start: {error.strerror} (install libvirt's clients)") \
            from error
    except subprocess.TimeoutExpired as error:
        raise LibvirtError(f"{uri}: no answer in {limit} s (is its daemon well?)") from error
    if run.returncode:
        lines = [line.removeprefix("error: ") for line in run.stderr.splitlines() if line.strip()]
        raise LibvirtError(f"{uri}: {command}: {lines[-1] if lines else 'failed'} "
                           "(is its daemon running?)")
    return run.stdout


class Facts:
    """What one libvirt knows: its version, its CPU map, the models its capabilities name."""

    def __init__(self, uri, folder):
        found = re.search(r"Using library: libvirt (\d+\.\d+\.\d+)", virsh(uri, "version"))
        if not found:
            raise LibvirtError(f"{uri}: says no version (is it libvirt?)")
        self.version = found.group(1)
        self.map = cpu_map.Map(self.version, folder)
        self.custom = custom_models(uri)


def custom_models(uri):
    """Models that the domain capabilities name."""
    try:
        root = ElementTree.fromstring(virsh(uri, "domcapabilities"))
    except ElementTree.ParseError as error:
        raise LibvirtError(f"{uri}: domcapabilities: not XML: {error}") from error
    return [model.text for model in root.findall("./cpu/mode[@name='custom']/model") if model.text]


def looked_at(table):
    """Versions that the table was made of."""
    cells = {row[column] for row in table.rows for column in ("not_in", "first_in", "last_in")}
    return sorted(cells - {NONE}, key=version_key)


def there(row, version, before):
    """The row as it must be for a version that has the name; @before: what was looked at."""
    if row is None:
        return {"not_in": before, "last_in": NONE, "first_in": version}
    if newer(row["first_in"], version):
        not_in = row["not_in"] if newer(version, row["not_in"]) else before
        return {**row, "first_in": version, "not_in": not_in}
    if row["last_in"] != NONE and newer(version, row["last_in"]):
        return {**row, "last_in": NONE}
    return row


def missing(row, version, before):
    """The row as it must be for a version that lacks the name."""
    if newer(row["first_in"], version):
        return {**row, "not_in": version} if newer(version, row["not_in"]) else row
    if row["last_in"] == NONE and before != NONE and not newer(row["first_in"], before):
        return {**row, "last_in": before}
    return row


def names(facts, tables):
    """Names that are known, or not, otherwise than the table says."""
    rows = {}
    for row in tables[NAMES].rows:
        rows.setdefault((row["kind"], row["name"]), row)
    looked = looked_at(tables[NAMES])
    before = max((v for v in looked if newer(facts.version, v)), key=version_key, default=NONE)
    newest = newer(facts.version, looked[-1] if looked else NONE)
    source = f"cpu_map of libvirt {facts.version}"
    for kind in ("removal", "feature", "model"):
        known = list(dict.fromkeys(facts.map.names(kind)))
        if kind == "model":
            known += [name for name in facts.custom if name not in known]
        for name in known:
            row = rows.get((kind, name))
            right = there(row, facts.version, before)
            if right != row:
                yield NAMES, {**right, "kind": kind, "name": name, "source": source}, \
                    f"{kind} {name}: libvirt {facts.version} has it"
        for (other, name), row in rows.items():
            right = missing(row, facts.version, before)
            if other == kind and name not in known and right != row and \
                    (newest or newer(row["first_in"], facts.version)):
                yield NAMES, {**right, "source": source}, \
                    f"{kind} {name}: libvirt {facts.version} lacks it"


def models(facts, tables):
    """Models that are new, or that a libvirt newer than the table expands otherwise."""
    table, rows = tables[CPU_MODELS], {}
    for row in table.rows:
        rows.setdefault(row["name"], row)
    for name in facts.map.models:
        old = rows.get(name)
        first = old["first_libvirt"] if old else facts.version
        if old and newer(first, facts.version):
            first = facts.version
        row = dict(zip(table.columns, facts.map.row(name, first)))
        if not old:
            yield CPU_MODELS, row, f"model {name} isn't in the table"
            continue
        made_of = re.search(r"libvirt (\S+)", old["source"])
        current = made_of and not newer(facts.version, made_of.group(1))
        differ = [c for c in table.columns if c not in ("source", "first_libvirt")
                  and row[c] != old[c]]
        if differ and not current:
            yield CPU_MODELS, row, f"model {name}: {', '.join(differ)} changed"
