# SPDX-License-Identifier: LGPL-2.1-or-later
"""libvirt_schema.py: what libvirt's RELAX NG schema of domain XML lists, as paths.

Elements are paths below <domain> ("devices/disk/driver"), whatever choice they stand in; an
element that holds itself (backingStore in backingStore) stands once.  Attributes and texts have
values where the schema enumerates them, and the names of its data types where it doesn't.
"""

import os
import sys
import xml.etree.ElementTree as ElementTree

RNG = "{http://relaxng.org/ns/structure/1.0}"
TEXT = "#text"
CHILD = "#child"  # stands for the names of the elements in an element
CONTAINERS = ("interleave", "optional", "zeroOrMore", "oneOrMore", "choice", "group", "mixed",
              "list", "define", "start", "grammar")


class Content:
    """What an attribute, or an element's text, may say."""

    def __init__(self):
        self.values = set()  # enumerated
        self.types = set()   # data types: "unsignedInt", "pattern:[0-9]+", "text"

    def add(self, other):
        self.values |= other.values
        self.types |= other.types


class Schema:
    """One libvirt's schema: self.elements is {path: {attribute or TEXT: Content}}."""

    def __init__(self, folder):
        self.folder, self.defines, self.elements = folder, {}, {}
        if not os.path.isfile(os.path.join(folder, "domain.rng")):
            sys.exit(f"{folder}: no domain.rng (name a folder of libvirt's schemas)")
        self.read("domain.rng", set())
        self.depth = []
        self.walk_parts(self.defines["domain"], None, ())

    def read(self, name, seen):
        if name in seen:
            return
        seen.add(name)
        path = os.path.join(self.folder, name)
        try:
            root = ElementTree.parse(path).getroot()
        except (OSError, ElementTree.ParseError) as error:
            sys.exit(f"{path}: cannot read: {error}")
        for node in root.iter():
            if node.tag == RNG + "include":
                self.read(node.get("href"), seen)
            elif node.tag == RNG + "define":
                self.defines.setdefault(node.get("name"), []).append(node)

    def content(self, node, content, stack=()):
        """Values and types below an attribute or an element; nested elements are left out."""
        for child in node:
            tag = child.tag.replace(RNG, "")
            if tag == "value":
                content.values.add(child.text or "")
            elif tag == "data":
                param = child.find(RNG + "param[@name='pattern']")
                pattern = "pattern:" + param.text if param is not None else None
                content.types.add(pattern or child.get("type"))
            elif tag == "text":
                content.types.add("text")
            elif tag == "ref":
                name = child.get("name")
                if name not in stack:
                    for define in self.defines.get(name, ()):
                        self.content(define, content, stack + (name,))
            elif tag in CONTAINERS:
                self.content(child, content, stack)

    def walk_parts(self, parts, path, stack):
        for part in parts:
            self.walk(part, path, stack)

    def walk(self, node, path, stack):
        """Adds what stands in a pattern to the element at @path (None: above <domain>)."""
        tag = node.tag.replace(RNG, "") if isinstance(node.tag, str) else ""
        if tag == "element":
            self.element(node, path, stack)
        elif tag == "attribute":
            self.attribute(node, path)
        elif tag in ("value", "data", "text"):
            content = Content()
            self.content([node], content)
            if tag != "data" or content.types != {None}:
                self.elements[path].setdefault(TEXT, Content()).add(content)
        elif tag == "ref":
            if ("ref", node.get("name"), path) not in stack:
                self.walk_parts(self.defines.get(node.get("name"), ()), path,
                                stack + (("ref", node.get("name"), path),))
        elif tag in CONTAINERS:
            self.walk_parts(list(node), path, stack)

    def names(self, node):
        """The names of an element or attribute: its own, or those of a choice of names."""
        if node.get("name"):
            return [node.get("name")]
        first = node[0] if len(node) else None
        if first is None or first.tag == RNG + "anyName":
            return []
        return [name.text for name in first.iter(RNG + "name")]

    def attribute(self, node, path):
        content = Content()
        self.content(node, content)
        if not content.values and not content.types:
            content.types.add("text")
        for name in self.names(node):
            if path is not None and ":" not in name:
                self.elements[path].setdefault(name, Content()).add(content)

    def element(self, node, path, stack):
        if node.get("ns") or ("element", id(node)) in stack:
            return
        for name in self.names(node):
            if ":" in name:
                continue
            if path is None:
                below = ""
            elif path.split("/")[-1] == name:
                below = path  # holds itself
            else:
                below = f"{path}/{name}" if path else name
            self.elements.setdefault(below, {})
            self.walk_parts(list(node), below, stack + (("element", id(node)),))


NESTED = ("backingStore", "dataStore", "mirror")


def plain_path(path):
    """The path as the table has it: what holds a disk's image stands at one place, however deep.

    libvirt reads all of these by one function.
    """
    parts = path.split("/")
    for i in range(len(parts) - 1, -1, -1):
        if parts[i] in NESTED:
            return "/".join(["devices", "disk"] + parts[i:])
    return path


def plain_elements(schema):
    """The schema's elements by plain_path(), each with the names of those in it."""
    merged = {}
    for path, attributes in schema.elements.items():
        into = merged.setdefault(plain_path(path), {})
        for name, content in attributes.items():
            into.setdefault(name, Content()).add(content)
    for path in list(merged):
        up, _, name = path.rpartition("/")
        if path and up in merged:
            merged[up].setdefault(CHILD, Content()).values.add(name)
    return merged
