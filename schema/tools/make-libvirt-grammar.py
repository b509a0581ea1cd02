#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Write schema/data/libvirt-grammar.tsv: what of domain XML each libvirt version knows.

    make-libvirt-grammar.py --output FILE [--tried FILE]… [--since FILE] VERSION=FOLDER…

Each FOLDER holds the schemas that libvirt VERSION installs; --tried is what try-libvirt-grammar.py
wrote for one of these versions; --since is libvirt-since.tsv, which dates what is known exactly.
What was tried goes before what the schemas list.  Prints what differs between the versions and
isn't in --since.

Standard library only; runs on Python 3.9.
"""

import argparse
import collections
import fnmatch
import re
import sys

from libvirt_schema import CHILD, Schema, plain_elements

ELEMENT = "#element"
BOGUS = "bogusvalue"
KNOWN = ("accepted", "known")
# errors about where an attribute stands, whatever it says
MISPLACED = re.compile(r"\bonly\b|not allowed|not supported|does not support|cannot be|[Mm]issing|"
                       r"either secret|Unable to find|No PCI|already|extra |'unknown'")
# what a schema's pattern for more than a number takes one of
NOT_NUMBERS = ("0-3", "1,2", "^1", "g", "00:01", "*", "1:2", "0000:00:00.0")
HEADER = """\
# SPDX-License-Identifier: LGPL-2.1-or-later
# libvirt-grammar.tsv: which elements, attributes and values of domain XML each libvirt knows.
# Written by schema/tools/make-libvirt-grammar.py; README.md here says what the columns mean.
"""
COLUMNS = ("path", "attribute", "when", "values", "how", "not_in", "first_in", "last_in", "side",
           "source")


def version_key(version):
    return tuple(int(part) for part in version.split("."))


def release_before(version):
    """libvirt's releases are X.0.0 to X.10.0."""
    major, minor, _ = version_key(version)
    return f"{major}.{minor - 1}.0" if minor else f"{major - 1}.10.0"


def names_value(error, attribute, value):
    """Does libvirt's parser say that it is this value of this attribute that it refuses?"""
    return f"Invalid value for attribute '{attribute}' in element" in error and \
        f": '{value}'." in error


class Tried:
    """What one attribute did in the places it was tried in."""

    def __init__(self, name):
        self.name = name
        self.sure = set()  # (context, version) where refusing a word is the parser's own doing
        self.bogus = {}   # (context, version) → outcome of a word that nobody knows
        self.values = {}  # (context, version) → {value: outcome}
        self.kept = {}    # version → {True, False}

    def add(self, version, context, value, outcome, error):
        """Notes one try's outcome; errors about something else say nothing."""
        if names_value(error, self.name, value):
            outcome = "refused"
            self.sure.add((context, version))
        if outcome in ("kept", "dropped"):
            self.kept.setdefault(version, set()).add(outcome == "kept")
        elif value == BOGUS:
            if outcome == "refused" and BOGUS not in error.lower() and MISPLACED.search(error):
                outcome = "unclear"
            self.bogus[context, version] = "refused" if outcome == "crashed" else outcome
        elif value != "-" or outcome != "unclear":
            self.values.setdefault((context, version), {})[value] = outcome


def read_tried(files):
    tried = {}
    for name in files:
        with open(name, encoding="utf-8") as file:
            for line in file:
                version, path, attribute, *rest = line.rstrip("\n").split("\t")
                tried.setdefault((path, attribute), Tried(attribute)).add(version, *rest)
    return tried


class Since:
    """libvirt-since.tsv: rows (path, attribute, values, since, side, source); the first that fits."""

    def __init__(self, name):
        self.rows, self.used = [], set()
        if not name:
            return
        with open(name, encoding="utf-8") as file:
            for line in file:
                if line.strip() and not line.startswith("#") and not line.startswith("path\t"):
                    self.rows.append(tuple(line.rstrip("\n").split("\t")))

    def find(self, path, attribute, value):
        if attribute == CHILD:
            path, attribute, value = f"{path}/{value}", "-", "-"
        for row in self.rows:
            if fnmatch.fnmatchcase(path, row[0]) and fnmatch.fnmatchcase(attribute, row[1]) and \
                    (row[2] == "*" or value in row[2].split()):
                self.used.add(row)
                return row[3:]
        return None


class Span:
    """The versions that know something: not_in, first_in, last_in, '-' where there is none."""

    def __init__(self, versions, known):
        """@known: {version: bool}; versions that it doesn't have weren't looked at."""
        seen = [v for v in versions if v in known]
        first = next((v for v in seen if known[v]), None)
        self.not_in = self.first_in = self.last_in = "-"
        if first is None:
            self.not_in = seen[-1] if seen else "-"
            return
        self.first_in = first
        before = [v for v in seen if version_key(v) < version_key(first)]
        if before:
            self.not_in = before[-1]
        having = [v for v in seen if known[v]]
        if having[-1] != seen[-1]:
            self.last_in = having[-1] + "<" + seen[seen.index(having[-1]) + 1]

    def date(self, since):
        """@since: a release, or "A<B"; only what lies between the versions looked at dates it."""
        if since == "-" or self.not_in == "-" or self.first_in == "-":
            return False
        after, _, first = since.rpartition("<")
        after = after or release_before(first)
        if version_key(self.not_in) <= version_key(after) and \
                version_key(first) <= version_key(self.first_in):
            self.first_in, self.not_in = first, after
            return True
        return False

    def fields(self):
        return (self.not_in, self.first_in, self.last_in)

    def differs(self):
        return self.not_in != "-" or self.last_in != "-"


def outcomes_in(tried, context, version):
    """Each value's outcome; one that wasn't tried here goes by what it was elsewhere."""
    outcomes = dict(tried.values.get((context, version), {}))
    for (_, other), values in tried.values.items():
        if other == version:
            for value, outcome in values.items():
                if outcome in KNOWN:
                    outcomes.setdefault(value, outcome)
    return outcomes


def contexts_of(tried):
    return sorted({context for context, _ in tried.bogus})


def signature(tried, context, version, values):
    """How an attribute is read in a place: "free", "unclear", or the values it knows there."""
    bogus = tried.bogus.get((context, version), "unclear")
    if bogus != "refused":
        return "free" if bogus == "accepted" else None
    if (context, version) not in tried.values:
        return None
    outcomes = outcomes_in(tried, context, version)
    known = frozenset(v for v in values if outcomes.get(v) in KNOWN)
    if known or (context, version) in tried.sure:
        return known
    return None  # refuses all: something else is wrong there


def group_contexts(tried, versions, values):
    """[(when, contexts)]: places that read the attribute alike, told apart by one word; or None."""
    contexts = contexts_of(tried)
    signatures = {c: {v: signature(tried, c, v, values) for v in versions} for c in contexts}

    def alike(group):
        for version in versions:
            if len({signatures[c][version] for c in group} - {None}) > 1:
                return False
        return True

    if alike(contexts):
        return [("-", contexts)]
    words = sorted({word.split("=")[0] for c in contexts for word in c.split()},
                   key=lambda w: (w.count("../"), ["type", "model", "mode"].index(w.split("@")[1])))
    for word in words:
        groups = collections.defaultdict(list)
        for context in contexts:
            said = dict(w.split("=", 1) for w in context.split())
            groups[said.get(word, "-")].append(context)
        if len(groups) > 1 and all(alike(group) for group in groups.values()):
            return merge_groups(word, groups, signatures, versions)
    return None


def merge_groups(word, groups, signatures, versions):
    """Joins the words of a place that read the attribute in the same way."""
    merged = []
    for value, group in sorted(groups.items()):
        reads = [next((signatures[c][v] for c in group if signatures[c][v] is not None), None)
                 for v in versions]
        for part in merged:
            both = [(a, b) for a, b in zip(part[0], reads) if None not in (a, b)]
            if both and all(a == b for a, b in both):
                part[0] = [b if a is None else a for a, b in zip(part[0], reads)]
                part[1].append(value)
                part[2] += group
                break
        else:
            merged.append([reads, [value], list(group)])
    return [(word + "=" + "|".join(values), contexts) for _, values, contexts in merged]


def number_class(outcomes):
    """The numbers that are taken, as a word; None where it isn't a number that is asked for."""
    def ok(text):
        return outcomes.get(text) in KNOWN
    if not ok("1") or ok("1.5") or ok("12abc"):
        return None
    word = "#int" if ok("-1") else "#uint"
    word += "" if ok("99999999999999999999") else "64" if ok("5000000000") else "32"
    word += "x" if ok("0x10") else ""
    return word + ("" if ok("0") else ">0")


def is_numeric(contents):
    """Do the schemas ask for a number, and nothing else but words?"""
    for kind in {kind for content in contents for kind in content.types}:
        if kind == "text":
            return False
        if kind.startswith("pattern:"):
            pattern = kind[len("pattern:"):]
            try:
                if any(re.fullmatch(pattern, text) for text in NOT_NUMBERS):
                    return False
            except re.error:
                return False
        elif kind == "string":
            return False
    return True


class Maker:
    def __init__(self, schemas, tried, since):
        self.versions = sorted(schemas, key=version_key)
        self.schemas, self.tried, self.since = schemas, tried, since
        self.rows, self.undated = [], []
        self.elements = {}
        for version in self.versions:
            for path, attributes in schemas[version].items():
                into = self.elements.setdefault(path, {})
                for name, content in attributes.items():
                    into.setdefault(name, {})[version] = content

    def known(self, path, attribute, listed):
        """({version: bool}, was it tried?): who knows an element or attribute."""
        kept = self.tried[path, attribute].kept if (path, attribute) in self.tried else {}
        known = {v: v in listed for v in self.versions}
        for version in self.versions:
            if version in kept:
                if listed and version in listed and True not in kept[version]:
                    return {v: v in listed for v in self.versions}, False  # tells nothing
        for version, seen in kept.items():
            known[version] = True in seen
        return known, bool(kept)

    def add(self, path, attribute, when, values, how, span, source):
        side = "-"
        if span.differs():
            since, side, where = self.since.find(path, attribute, values[0]) or ("-", "guest", "-")
            if since == "never":
                return
            if span.date(since):
                source = where
            elif span.not_in not in ("-", self.versions[0]) and values[0][:1] != "#":
                self.undated.append((path, attribute, " ".join(values), *span.fields()))
        self.rows.append((path, attribute, when, " ".join(v or '""' for v in values), how,
                          *span.fields(), side, source))

    def element(self, path):
        if not path:
            return {v: True for v in self.versions}
        listed = {v for v in self.versions if path in self.schemas[v]}
        known, was_tried = self.known(path, ELEMENT, listed)
        self.add(path, "-", "-", ["-"], "-", Span(self.versions, known),
                 "tried" if was_tried else "schema")
        return known

    def attribute(self, path, name, element_known):
        contents = self.elements[path][name]
        if name == CHILD and not self.refuses_children(path):
            return
        known, was_tried = self.known(path, name, set(contents))
        seen = {v: k for v, k in known.items() if element_known[v]}
        self.add(path, name, "-", ["-"], "-", Span(self.versions, seen),
                 "tried" if was_tried else "schema")
        if is_numeric(contents.values()):
            self.values(path, name, [v for v, k in seen.items() if k])

    def refuses_children(self, path):
        tried = self.tried.get((path, CHILD))
        return tried and "refused" in tried.bogus.values()

    def values(self, path, name, versions):
        """Rows of what the attribute's values may be, where others are refused."""
        if (path, name) not in self.tried:
            return
        tried = self.tried[path, name]
        values = sorted({v for outcomes in tried.values.values() for v in outcomes})
        groups = group_contexts(tried, versions, values)
        if groups is None:
            print(f"{path} @{name}: read differently for no word around it", file=sys.stderr)
            return
        for when, contexts in groups:
            self.group(path, name, when, contexts, versions)

    def group(self, path, name, when, contexts, versions):
        tried = self.tried[path, name]
        known, refusing = collections.defaultdict(dict), set()
        for version in versions:
            here = [c for c in contexts if tried.bogus.get((c, version)) == "refused" and
                    ((c, version) in tried.sure or
                     any(o in KNOWN for o in tried.values.get((c, version), {}).values()))]
            if not here or any(tried.bogus.get((c, version)) == "accepted" for c in contexts):
                continue
            refusing.add(version)
            outcomes = {}
            for context in here:
                for value, outcome in outcomes_in(tried, context, version).items():
                    if outcomes.get(value) not in KNOWN:
                        outcomes[value] = outcome
            word = number_class(outcomes) if "12abc" in outcomes else None
            if "12abc" in outcomes and not word:
                refusing.discard(version)  # more than words and numbers: an address, a set
                continue
            if word:
                known[word][version] = True
            for value, outcome in outcomes.items():
                number = value.lstrip("-").replace(".", "").replace("0x", "").isdigit()
                if not (word and (number or value == "12abc")):
                    known[value][version] = outcome in KNOWN
        if not refusing or not any(any(k.values()) for k in known.values()):
            return
        if any(tried.bogus.get((c, v)) == "accepted" for c in contexts
               for v in versions[versions.index(min(refusing, key=version_key)):]):
            return  # not any more
        self.spans(path, name, when, known, refusing, versions)

    def spans(self, path, name, when, known, refusing, reading):
        """One row for the values that the same versions know."""
        rows = collections.defaultdict(list)
        versions = [v for v in self.versions if v in refusing]
        for value, seen in known.items():
            if value.startswith("#"):
                seen = {v: seen.get(v, False) for v in versions}
            if any(seen.values()):
                span = Span(self.versions, seen)
                since = self.since.find(path, name, value) if span.differs() else None
                rows[span.fields() + (since,)].append(value)
        how = "refused" if versions[0] == reading[0] else "refused:" + versions[0]
        for values in rows.values():
            span = Span(self.versions, {v: known[values[0]].get(v, False) for v in versions}
                        if values[0].startswith("#") else known[values[0]])
            self.add(path, name, when, sorted(values), how, span, "tried")

    def make(self):
        for path in sorted(self.elements):
            known = self.element(path)
            for name in sorted(self.elements[path]):
                self.attribute(path, name, known)
        return join_paths(self.rows)


def join_paths(rows):
    """One row for all paths that say the same."""
    joined = {}
    for path, *rest in rows:
        joined.setdefault(tuple(rest), []).append(path)
    return sorted(("|".join(paths), *rest) for rest, paths in joined.items())


def main():
    parser = argparse.ArgumentParser(description="Write libvirt-grammar.tsv.")
    parser.add_argument("--output", required=True)
    parser.add_argument("--tried", action="append", default=[])
    parser.add_argument("--since")
    parser.add_argument("schemas", nargs="+", metavar="VERSION=FOLDER")
    args = parser.parse_args()
    schemas = {}
    for arg in args.schemas:
        version, _, folder = arg.partition("=")
        schemas[version] = plain_elements(Schema(folder))
    maker = Maker(schemas, read_tried(args.tried), Since(args.since))
    rows = maker.make()
    with open(args.output, "w", encoding="utf-8") as file:
        file.write(HEADER + "\t".join(COLUMNS) + "\n")
        for row in rows:
            file.write("\t".join(row) + "\n")
    for row in maker.undated:
        print("undated: " + "\t".join(row))
    for row in maker.since.rows:
        if row not in maker.since.used:
            print("not used: " + "\t".join(row))


if __name__ == "__main__":
    main()
