# SPDX-License-Identifier: LGPL-2.1-or-later
"""cpu_map.py: libvirt's x86 CPU map as it is installed: models, features, what became of them.

Standard library only; runs on Python 3.9.
"""

import os
import xml.etree.ElementTree as ElementTree


class MapError(Exception):
    """Why a folder isn't a CPU map."""


def cell(words):
    return " ".join(words) if words else "-"


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
            raise MapError(f"{folder}: no x86 CPU map (name a folder with index.xml)")

    def parse(self, name):
        path = os.path.join(self.folder, name)
        try:
            return ElementTree.parse(path).getroot()
        except (OSError, ElementTree.ParseError) as error:
            raise MapError(f"{path}: cannot read: {error} (is it a CPU map?)") from error

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

    def partial(self, name):
        """How check='partial' is done: compared, or by QEMU's blockers. A model doesn't inherit it."""
        checks = [model.find("check") for model in self.models.values()]
        if not any(check is not None for check in checks):
            return "compare"
        check = self.models[name].find("check")
        return "compare" if check is not None and check.get("partial") == "compat" else "blockers"

    def row(self, name, first):
        """The model as a row of cpu-models.tsv; @first: the oldest libvirt known to have it."""
        return (name, self.vendor(name) or "-", self.canonical(name), first,
                cell(self.signatures(name)), self.decodes(name) or "-",
                self.partial(name), cell(self.own_features(name, "added")), cell(self.own_features(name, "removed")),
                cell(self.expand(name)), f"libvirt {self.version} cpu_map")

    def names(self, kind):
        """What libvirt-names.tsv has of it: names of a kind."""
        if kind == "removal":
            return self.removals()
        return self.features if kind == "feature" else list(self.models)
