# SPDX-License-Identifier: LGPL-2.1-or-later
"""start_changes.py: ways to change one thing of a domain's definition, each drawn by a seed.

A change is (stratum, place, what, do): `do()` makes it, in the tree that it was listed for. Strata:

    no-attribute   an attribute is left out
    no-element     an element is left out
    value          an attribute or a text is empty, zero, negative, huge, or no word that is known
    twice          an element is said twice
    newer          an attribute that only a newer libvirt knows (libvirt-grammar.tsv)
"""

import copy

STRATA = ("no-attribute", "no-element", "value", "twice", "newer")
VALUES = ("", "0", "-1", "4294967296", "99999999999999999999", "nonsense")
KEPT = {"name", "uuid", "devices", "emulator", "domain"}  # changed, they tell nothing


class Newer:
    """Attributes that were added to domain XML, with a word that they may say."""

    def __init__(self, path):
        self.words, self.added = {}, {}
        with open(path, encoding="utf-8") as file:
            rows = [line.rstrip("\n").split("\t") for line in file if not line.startswith("#")]
        head = rows.pop(0)
        for row in rows:
            self.take(dict(zip(head, row)))

    def take(self, row):
        if row["attribute"] in ("-", "#text", "#child"):
            return
        for place in row["path"].split("|"):
            key = place, row["attribute"]
            if row["values"] != "-":
                words = [w for w in row["values"].split() if w != '""']
                self.words.setdefault(key, "2" if words[:1] and words[0][0] == "#" else
                                      words[0] if words else "2")
            elif row["not_in"] != "-" and row["last_in"] == "-":
                self.added.setdefault(place, []).append(row["attribute"])

    def of(self, place):
        return [(name, self.words.get((place, name), "on")) for name in self.added.get(place, [])]


def below(node, place=""):
    """(parent, node, place) of each element below one; the place is the path from <domain>."""
    for child in node:
        if isinstance(child.tag, str) and "}" not in child.tag:
            where = place + "/" + child.tag if place else child.tag
            yield node, child, where
            yield from below(child, where)


def set_text(node, value):
    node.text = value


def again(parent, node):
    parent.insert(list(parent).index(node), copy.deepcopy(node))


def of_values(node, place):
    changes = []
    for value in VALUES:
        for name in node.attrib:
            changes.append(("value", place, "@%s=%s" % (name, value),
                            lambda name=name, value=value: node.set(name, value)))
        if (node.text or "").strip() and not len(node):
            changes.append(("value", place, "text=" + value,
                            lambda value=value: set_text(node, value)))
    return changes


def of_element(parent, node, place, newer):
    changes = [("no-attribute", place, "@" + name, lambda name=name: node.attrib.pop(name))
               for name in node.attrib]
    changes.append(("no-element", place, "", lambda: parent.remove(node)))
    changes += of_values(node, place)
    changes.append(("twice", place, "", lambda: again(parent, node)))
    changes += [("newer", place, "@%s=%s" % (name, value),
                 lambda name=name, value=value: node.set(name, value))
                for name, value in newer.of(place) if name not in node.attrib]
    return changes


def changes_of(domain, newer, within=None):
    """All changes of a definition, or of a part of it (an element below it) and what is in it."""
    inside = None if within is None else set(map(id, within.iter()))
    return [change for parent, node, place in below(domain)
            if node.tag not in KEPT and (inside is None or id(node) in inside)
            for change in of_element(parent, node, place, newer)]


def change_one(rng, domain, stratum, newer, within=None):
    """Makes one change of a stratum, elsewhere where the part has none; returns what it was."""
    for part in (within, None):
        choices = [c for c in changes_of(domain, newer, part) if c[0] == stratum]
        if choices:
            _, place, what, do = rng.choice(choices)
            do()
            return place + what
    return "nothing"
