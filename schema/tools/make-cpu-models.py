#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Write schema/data/cpu-models.tsv and libvirt-names.tsv from libvirt's CPU maps.

    make-cpu-models.py --models FILE --names FILE VERSION=FOLDER…

Each FOLDER is a cpu_map as libvirt installs it, VERSION the libvirt it came with.  A model's
features are those of the newest map that has it, expanded.  Run again whenever a newer libvirt is at hand;
the maps themselves are not kept, only what they say.

Standard library only; runs on Python 3.9.
"""

import argparse
import os
import sys
import xml.etree.ElementTree as ElementTree


def version_key(version):
    return tuple(int(part) for part in version.split("."))


class Map:
    """One libvirt's x86 CPU map."""

    def __init__(self, version, folder):
        self.version, self.folder = version, folder
        self.models = {}    # name → element, in the map's order
        self.features = []  # names, in the map's order
        index = self.parse("index.xml")
        for arch in index.findall("arch"):
            if arch.get("name") == "x86":
                for include in arch.iter("include"):
                    self.include(include.get("filename"))
        if not self.models or not self.features:
            sys.exit(f"{folder}: no x86 CPU map (name a folder with index.xml)")

    def parse(self, name):
        path = os.path.join(self.folder, name)
        try:
            return ElementTree.parse(path).getroot()
        except (OSError, ElementTree.ParseError) as error:
            sys.exit(f"{path}: cannot read: {error}")

    def include(self, name):
        root = self.parse(name)
        self.features += [element.get("name") for element in root.findall("feature")]
        for element in root.findall("model"):
            self.models[element.get("name")] = element

    def parent(self, name):
        element = self.models[name].find("model")
        return None if element is None else element.get("name")

    def own_features(self, name, attribute):
        """Features marked added='yes' or removed='yes' by the model or what it is made of."""
        parent = self.parent(name)
        found = set(self.own_features(parent, attribute)) if parent else set()
        found |= {feature.get("name") for feature in self.models[name].findall("feature")
                  if feature.get(attribute) == "yes"}
        return sorted(found)

    def removals(self):
        """Features that any model lost, as far as this map says so."""
        return sorted({name for model in self.models for name in self.own_features(model, "removed")})

    def expand(self, name):
        """The set libvirt means by a name: what was added later or removed is not in it."""
        parent = self.parent(name)
        features = set(self.expand(parent)) if parent else set()
        for feature in self.models[name].findall("feature"):
            if feature.get("added") == "yes":
                continue
            if feature.get("removed") == "yes":
                features.discard(feature.get("name"))
            else:
                features.add(feature.get("name"))
        return sorted(features)

    def vendor(self, name):
        element = self.models[name].find("vendor")
        if element is not None:
            return element.get("name")
        parent = self.parent(name)
        return self.vendor(parent) if parent else None

    def canonical(self, name):
        """What the name is only another word for, else the name itself."""
        parent = self.parent(name)
        if parent and not self.models[name].findall("feature"):
            return self.canonical(parent)
        return name

    def signatures(self, name):
        """family/model[/steppings] that make libvirt choose the model."""
        found = ["/".join(filter(None, (element.get("family"), element.get("model"),
                                        element.get("stepping"))))
                 for element in self.models[name].findall("signature")]
        parent = self.parent(name)
        return found or (self.signatures(parent) if parent else [])

    def decodes(self, name):
        element = self.models[name].find("decode")
        if element is None:
            return "host,guest"
        return ",".join(who for who in ("host", "guest") if element.get(who) == "on")


def seen(maps, has):
    """(newest version looked at that lacks it before it came, first that has it)."""
    lacking = None
    for cpu_map in maps:
        if has(cpu_map):
            return lacking, cpu_map.version
        lacking = cpu_map.version
    raise AssertionError("in no map")


def cell(words):
    return " ".join(words) if words else "-"


def write_table(path, comments, header, rows):
    with open(path, "w", encoding="utf-8") as file:
        file.write("# SPDX-License-Identifier: LGPL-2.1-or-later\n")
        for comment in comments:
            file.write(f"# {comment}\n")
        file.write("\t".join(header) + "\n")
        for row in rows:
            file.write("\t".join(row) + "\n")


def models_in_order(maps):
    """Newest map's order, older names that it dropped at the end."""
    names = list(maps[-1].models)
    for cpu_map in reversed(maps[:-1]):
        names += [name for name in cpu_map.models if name not in names]
    return names


def write_models(path, maps):
    rows = []
    for name in models_in_order(maps):
        newest = [cpu_map for cpu_map in maps if name in cpu_map.models][-1]
        first = seen(maps, lambda cpu_map, name=name: name in cpu_map.models)[1]
        rows.append((name, newest.vendor(name) or "-", newest.canonical(name), first,
                     cell(newest.signatures(name)), newest.decodes(name) or "-",
                     cell(newest.own_features(name, "added")),
                     cell(newest.own_features(name, "removed")),
                     cell(newest.expand(name)), f"libvirt {newest.version} cpu_map"))
    write_table(path, [
        "cpu-models.tsv: named x86 processor models. Written by schema/tools/make-cpu-models.py.",
        "features: what libvirt means by the name, expanded. added, removed: what QEMU's model of",
        "that name gained or lost after libvirt had fixed its own; not in (or out of) features.",
        "canonical: the name it is only another word for. decode: whom libvirt names so.",
    ], ("name", "vendor", "canonical", "first_libvirt", "signatures", "decode", "added", "removed",
        "features", "source"), rows)


def write_names(path, maps):
    rows = []
    # removals are few and asked for most: first
    kinds = (("removal", lambda cpu_map: cpu_map.removals()),
             ("feature", lambda cpu_map: cpu_map.features),
             ("model", lambda cpu_map: list(cpu_map.models)))
    source = "cpu_map of libvirt " + ", ".join(cpu_map.version for cpu_map in maps)
    for kind, names_of in kinds:
        names = []
        for cpu_map in maps:
            names += [name for name in names_of(cpu_map) if name not in names]
        for name in names:
            lacking, first = seen(maps, lambda m, name=name, of=names_of: name in of(m))
            last = [cpu_map.version for cpu_map in maps if name in names_of(cpu_map)][-1]
            gone = "-" if last == maps[-1].version else last
            rows.append((kind, name, lacking or "-", first, gone, source))
    write_table(path, [
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
    parser.add_argument("maps", nargs="+", metavar="VERSION=FOLDER")
    arguments = parser.parse_args()
    maps = []
    for argument in arguments.maps:
        version, equals, folder = argument.partition("=")
        if not equals or not version.replace(".", "").isdigit():
            sys.exit(f"'{argument}': write VERSION=FOLDER, as 11.3.0=/usr/share/libvirt/cpu_map")
        maps.append(Map(version, folder))
    maps.sort(key=lambda cpu_map: version_key(cpu_map.version))
    write_models(arguments.models, maps)
    write_names(arguments.names, maps)


if __name__ == "__main__":
    main()
