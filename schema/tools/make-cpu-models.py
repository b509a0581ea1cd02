#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Write schema/data/cpu-models.tsv and libvirt-names.tsv from libvirt's CPU maps.

    make-cpu-models.py --models FILE --names FILE [--since FILE] VERSION=FOLDER…

Each FOLDER is a cpu_map as libvirt installs it, VERSION the libvirt it came with.  A model's
features are those of the newest map that has it, expanded.  Run again whenever a newer libvirt is at hand;
the maps themselves are not kept, only what they say.

Standard library only; runs on Python 3.9.
"""

import argparse
import fnmatch
import sys

import cpu_map
import tables


def seen(maps, has):
    """(newest version looked at that lacks it before it came, first that has it)."""
    lacking = None
    for one in maps:
        if has(one):
            return lacking, one.version
        lacking = one.version
    raise AssertionError("in no map")


def models_in_order(maps):
    """Newest map's order, older names that it dropped at the end."""
    names = list(maps[-1].models)
    for one in reversed(maps[:-1]):
        names += [name for name in one.models if name not in names]
    return names


def write_models(path, maps):
    rows = []
    for name in models_in_order(maps):
        newest = [one for one in maps if name in one.models][-1]
        first = seen(maps, lambda m, name=name: name in m.models)[1]
        rows.append(newest.row(name, first))
    tables.write(path, [
        "cpu-models.tsv: named x86 processor models. Written by schema/tools/make-cpu-models.py.",
        "features: what libvirt means by the name, expanded. added, removed: what QEMU's model of",
        "that name gained or lost after libvirt had fixed its own; not in (or out of) features.",
        "canonical: the name it is only another word for. decode: whom libvirt names so. partial:",
        "what check='partial' does since 11.x: compare libvirt's features, or ask QEMU's blockers.",
    ], ("name", "vendor", "canonical", "first_libvirt", "signatures", "decode", "partial", "added", "removed",
        "features", "source"), rows)


class Since:
    """libvirt-names-since.tsv: since when names are known, where a map doesn't tell."""

    def __init__(self, name, maps):
        self.rows = []
        self.models = {one.version: set(one.models) for one in maps}
        if name:
            with open(name, encoding="utf-8") as file:
                self.rows = [tuple(line.rstrip("\n").split("\t")) for line in file
                             if line.strip() and line[0] != "#"][1:]

    def narrow(self, kind, name, lacking, first):
        """(not_in, first_in, source or None), narrowed by the first row that fits."""
        for row_kind, names, known_in, not_in, first_in, source in self.rows:
            if kind != row_kind or not fnmatch.fnmatchcase(name, names) or not lacking:
                continue
            if known_in != "-" and name.rpartition("-v")[0] not in self.models.get(known_in, ()):
                continue
            after = not_in if not_in != "-" else lacking
            before = first_in if first_in != "-" else first
            key = tables.version_key
            if key(lacking) <= key(after) < key(before) <= key(first):
                return after, before, source
        return lacking, first, None


def write_names(path, maps, since):
    rows = []
    source = "cpu_map of libvirt " + ", ".join(one.version for one in maps)
    # removals are few and asked for most: first
    for kind in ("removal", "feature", "model"):
        names = []
        for one in maps:
            names += [name for name in one.names(kind) if name not in names]
        for name in names:
            lacking, first = seen(maps, lambda m, name=name, kind=kind: name in m.names(kind))
            last = [one.version for one in maps if name in one.names(kind)][-1]
            gone = "-" if last == maps[-1].version else last
            lacking, first, told = since.narrow(kind, name, lacking, first)
            rows.append((kind, name, lacking or "-", first, gone, told or source))
    tables.write(path, [
        "libvirt-names.tsv: which libvirt knows which name. Written by "
        "schema/tools/make-cpu-models.py.",
        "not_in: the newest release looked at that does not know the name yet; first_in: the",
        "oldest that does; last_in: the newest that still did, where a later one dropped it.",
        "A libvirt between not_in and first_in may know it or not. removal: that the feature is",
        "gone from some models (cpu-models.tsv, removed); until then it is part of them.",
    ], ("kind", "name", "not_in", "first_in", "last_in", "source"), rows)


def main():
    parser = argparse.ArgumentParser(description="Write the tables of CPU models and libvirt's "
                                     "names from CPU maps.")
    parser.add_argument("--models", required=True, metavar="FILE")
    parser.add_argument("--names", required=True, metavar="FILE")
    parser.add_argument("--since", metavar="FILE")
    parser.add_argument("maps", nargs="+", metavar="VERSION=FOLDER")
    arguments = parser.parse_args()
    maps = []
    for argument in arguments.maps:
        version, equals, folder = argument.partition("=")
        if not equals or not version.replace(".", "").isdigit():
            sys.exit(f"'{argument}': write VERSION=FOLDER, as 11.3.0=/usr/share/libvirt/cpu_map")
        try:
            maps.append(cpu_map.Map(version, folder))
        except cpu_map.MapError as error:
            sys.exit(str(error))
    maps.sort(key=lambda one: tables.version_key(one.version))
    write_models(arguments.models, maps)
    write_names(arguments.names, maps, Since(arguments.since, maps))


if __name__ == "__main__":
    main()
