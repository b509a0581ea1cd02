#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Try on a real libvirt what it does with values, attributes and elements of domain XML.

    try-libvirt-grammar.py --output FILE [--root FOLDER] [--words FILE]… [--only ATTRIBUTE]
                           --schema FOLDER… SAMPLE.xml…

The schema lists more and less than libvirt's parser looks at.  So each attribute that any of the
schemas lists is given values that are none, those that are listed anywhere, and words of --words
(one a line), within samples of domain XML that have the element, and defined by a libvirt embedded
in virsh: the machine's own, or that of another root file system (--root: run by unshare and
chroot).  Nothing is started.  FILE gets a row for each try: path, attribute (#text: the element's
text; #element: the element; #child: the names of those in it), context, value, outcome (refused,
accepted, known: refused for something else; kept, dropped, crashed, unclear), error.
make-libvirt-grammar.py reads it.

"refused": the error names the value and is that of a value which nobody knows.

Standard library only; runs on Python 3.9.
"""

import argparse
import copy
import os
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

from libvirt_schema import CHILD, TEXT, Content, Schema, plain_elements, plain_path

BOGUS = "bogusvalue"
ELEMENT = "#element"
NUMBERS = ("-1", "0", "1", "010", "0x10", "1.5", "5000000000", "99999999999999999999", "12abc")
CONTEXTS = 24  # samples with different words around an attribute, at most
WORD_CONTEXTS = 3  # the same for words that no schema lists for it
BATCH = 400
CONF = ('stdio_handler = "file"\nsecurity_driver = "none"\nnamespaces = []\n'
        'cgroup_controllers = []\nuser = "+0"\ngroup = "+0"\n')


class Libvirt:
    """Defines XML in an embedded libvirt."""

    def __init__(self, root):
        self.root = root or ""
        self.folder = tempfile.mkdtemp(prefix="cb-", dir=self.root + "/tmp")
        self.inside = self.folder[len(self.root):]
        os.mkdir(os.path.join(self.folder, "etc"))
        with open(os.path.join(self.folder, "etc", "qemu.conf"), "w", encoding="utf-8") as file:
            file.write(CONF)
        self.version = re.search(r"libvirt ([\d.]+)", self.virsh("version\n")).group(1)

    def virsh(self, commands):
        command = ["virsh", "-q", "-c", "qemu:///embed?root=" + self.inside]
        if self.root:
            script = ('mount --bind /proc "$0/proc" && mount --bind /dev "$0/dev" && '
                      'exec chroot "$0" "$@"')
            command = ["unshare", "--mount", "sh", "-c", script, self.root] + command
        done = subprocess.run(command, input=commands, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False, timeout=1800,
                              encoding="utf-8", errors="replace", env=dict(os.environ, LC_ALL="C"))
        return done.stdout

    def batch(self, texts, dump):
        """Defines texts one after the other; [answer or None where virsh died]."""
        commands = []
        for i, text in enumerate(texts):
            with open(os.path.join(self.folder, f"{i}.xml"), "w", encoding="utf-8") as file:
                file.write(text)
            commands.append(f"define {self.inside}/{i}.xml")
            if dump:
                commands.append("dumpxml --inactive t")
            commands.append(f'echo @end""{i}@')
        printed = self.virsh("\n".join(commands) + "\n")
        answers = []
        for i in range(len(texts)):
            before, mark, printed = printed.partition(f"@end{i}@")
            answers.append(before if mark else None)
        return answers

    def define(self, texts, dump=False):
        """[None where libvirt took it (the XML it keeps with @dump), else its error]."""
        results = []
        while len(results) < len(texts):
            todo = texts[len(results):len(results) + BATCH]
            for answer in self.batch(todo, dump):
                if answer is None:
                    results.append("crashed")
                    break
                error = re.search(r"^error: (?!Failed to define)(.*)", answer, re.M)
                found = re.search(r"<domain .*</domain>", answer, re.S)
                if error:
                    results.append("error: " + error.group(1))
                else:
                    results.append(found.group(0) if dump and found else None)
            print(f"\r{len(results)}/{len(texts)} ", end="", file=sys.stderr, flush=True)
        return results


def strip_names(root):
    """Leaves out namespaces: their elements, attributes and declarations."""
    for node in root.iter():
        for child in list(node):
            if not isinstance(child.tag, str) or child.tag.startswith("{") or ":" in child.tag:
                node.remove(child)
        for name in list(node.attrib):
            if name.startswith("{") or ":" in name:
                del node.attrib[name]


def adapt(root):
    """A sample as this machine's kind of libvirt may take it: its emulator, x86, one name."""
    strip_names(root)
    root.attrib.pop("id", None)
    if root.get("type") not in ("kvm", "qemu"):
        root.set("type", "qemu")
    for name in ("uuid", "name", "seclabel", "metadata"):
        for node in root.findall(name):
            root.remove(node)
    ElementTree.SubElement(root, "name").text = "t"
    ElementTree.SubElement(root, "uuid").text = "4a0c1d1e-0000-4000-8000-000000000001"
    os_type = root.find("os/type")
    if os_type is not None:
        machine = os_type.get("machine") or ""
        os_type.text = "hvm"
        os_type.set("arch", "x86_64")
        os_type.set("machine", "q35" if "q35" in machine else "pc")
    for emulator in root.findall("devices/emulator"):
        root.find("devices").remove(emulator)


class Place:
    """An element of a sample."""

    def __init__(self, sample, path, index):
        self.sample, self.path, self.index = sample, path, index
        self.nodes = self.chain(sample.root)

    def chain(self, root):
        """From the device, or what stands below <domain>, down to the element."""
        steps, nodes = self.index, [root]
        for step in steps:
            nodes.append(nodes[-1][step])
        return nodes

    def context(self):
        """The words around that decide how libvirt reads it: types and models from top down."""
        words = []
        for level, node in enumerate(reversed(self.nodes[1:])):
            for name in ("type", "model", "mode"):
                words.append("../" * level + f"@{name}={node.get(name, '-')}")
        return " ".join(words)

    def around(self, attribute):
        """The context without what is said of the attribute itself."""
        return " ".join(word for word in self.context().split()
                        if not word.startswith(f"@{attribute}="))

    def changed(self, attribute, value):
        """The sample's text with the attribute set, or None to leave it as it is."""
        root = copy.deepcopy(self.sample.root)
        node = self.chain(root)[-1]
        if attribute == TEXT:
            node.text = value
        elif attribute == CHILD:
            ElementTree.SubElement(node, value)
        elif value is not None:
            node.set(attribute, value)
        return ElementTree.tostring(root, encoding="unicode")


class Sample:
    def __init__(self, file, root):
        self.file, self.root, self.error = file, root, None
        self.places = []

    def find_places(self):
        def walk(node, path, index):
            self.places.append(Place(self, plain_path("/".join(path)), index))
            for i, child in enumerate(node):
                name = child.tag
                walk(child, path if path and path[-1] == name else path + [name], index + [i])
        walk(self.root, [], [])


def read_samples(files):
    samples = []
    for file in files:
        try:
            root = ElementTree.parse(file).getroot()
        except (OSError, ElementTree.ParseError):
            continue
        if root.tag != "domain":
            continue
        adapt(root)
        samples.append(Sample(os.path.basename(file), root))
    return samples


class Trier:
    def __init__(self, libvirt, samples, elements, words, only):
        self.libvirt, self.elements, self.words = libvirt, elements, words
        self.only = only
        self.samples = samples
        self.rows = []
        texts = [ElementTree.tostring(s.root, encoding="unicode") for s in samples]
        for sample, error in zip(samples, libvirt.define(texts)):
            sample.error = error
        good = sum(s.error is None for s in samples)
        print(f"\nlibvirt {libvirt.version}: {good} of {len(samples)} samples accepted",
              file=sys.stderr)
        self.by_path = {}
        for sample in sorted(samples, key=lambda s: (s.error is not None, len(texts[0]))):
            sample.find_places()
            for place in sample.places:
                self.by_path.setdefault(place.path, []).append(place)

    def places(self, path, attribute):
        """Elements to try an attribute in: those that have it first, one of each context."""
        found, contexts = [], set()
        places = self.by_path.get(path, ())
        for has in (True, False):
            for place in places:
                node = place.nodes[-1]
                here = attribute in node.attrib
                if attribute == TEXT:
                    here = bool((node.text or "").strip())
                elif attribute == CHILD:
                    here = len(node) > 0
                context = place.around(attribute)
                if here != has or context in contexts or (attribute == TEXT and len(node)):
                    continue
                contexts.add(context)
                found.append(place)
        return found[:CONTEXTS]

    def add(self, key, context, value, outcome, error):
        self.rows.append((*key, context, value, outcome, error or "-"))

    def run(self, tries):
        """tries: (key, place, value); returns the errors."""
        return self.libvirt.define([place.changed(key[1], value) for key, place, value in tries])

    def try_bogus(self):
        """Which attributes, in which places, refuse a word that nobody knows."""
        tries = []
        for path in sorted(self.elements):
            for attribute, content in sorted(self.elements[path].items()):
                if self.only not in (None, attribute):
                    continue
                if not content.values and content.types <= {"text"}:
                    continue
                for place in self.places(path, attribute):
                    tries.append(((path, attribute), place, BOGUS))
        refusing = []
        for (key, place, value), error in zip(tries, self.run(tries)):
            outcome = "accepted"
            if error == "crashed":
                outcome = "crashed"
            elif error and error != place.sample.error:
                outcome = "refused"
                refusing.append((key, place, error))
            elif error:
                outcome = "unclear"
            self.add(key, place.around(key[1]), value, outcome, error)
        return refusing

    def candidates(self, key, words_too):
        content = self.elements[key[0]][key[1]]
        values = sorted(content.values | {""} if key[1] != CHILD else content.values)
        if content.types - {"text"}:
            values += [n for n in NUMBERS if n not in values]
        lists = [words for words in self.words if len(content.values & words) >= 2]
        for words in lists if words_too else ():
            values += sorted(words - set(values))
        if key[1] == CHILD:
            values = [v for v in values if re.fullmatch(r"[A-Za-z][\w-]*", v)]
        return values

    def try_values(self, refusing):
        tries, bogus, times = [], [], {}
        for key, place, error in refusing:
            times[key] = times.get(key, 0) + 1
            for value in self.candidates(key, times[key] <= WORD_CONTEXTS):
                tries.append((key, place, value))
                bogus.append(error)
        for (key, place, value), no, error in zip(tries, bogus, self.run(tries)):
            if error is None:
                outcome = "accepted"
            elif error == "crashed":
                outcome = "crashed"
            elif same_refusal(error, value, no):
                outcome = "refused"
            else:
                outcome = "known"  # another error than that of a word nobody knows
            self.add(key, place.around(key[1]), value, outcome, error)


    def try_kept(self, keys):
        """Which of these attributes and elements the definition still has after libvirt read it."""
        tries = []
        for path, attribute in keys:
            if self.only not in (None, attribute):
                continue
            for place in self.by_path.get(path, ())[:CONTEXTS * 4]:
                node = place.nodes[-1]
                if place.sample.error:
                    continue
                if attribute == ELEMENT or attribute in node.attrib or \
                        attribute == TEXT and (node.text or "").strip():
                    tries.append(((path, attribute), place))
        texts = [ElementTree.tostring(p.sample.root, encoding="unicode") for _, p in tries]
        for (key, place), answer in zip(tries, self.libvirt.define(texts, dump=True)):
            if not answer or not answer.startswith("<domain"):
                self.add(key, place.around(key[1]), "-", "unclear", answer)
                continue
            found = Sample("", ElementTree.fromstring(answer))
            found.find_places()
            nodes = [p.nodes[-1] for p in found.places if p.path == key[0]]
            kept = any(key[1] == ELEMENT or key[1] in node.attrib or
                       key[1] == TEXT and (node.text or "").strip() for node in nodes)
            self.add(key, place.around(key[1]), "-", "kept" if kept else "dropped", None)


def same_refusal(error, value, bogus_error):
    """Is it the error of a value that nobody knows?"""
    return error == bogus_error.replace(BOGUS, value)


def read_schemas(folders):
    """({path: {attribute: Content}} of them all, [what only some of them have])."""
    schemas = [plain_elements(Schema(folder)) for folder in folders]
    elements, differing = {}, []
    for schema in schemas:
        for path, attributes in schema.items():
            into = elements.setdefault(path, {})
            for name, content in attributes.items():
                into.setdefault(name, Content()).add(content)
    for path, attributes in sorted(elements.items()):
        if not all(path in schema for schema in schemas):
            differing.append((path, ELEMENT))
        for name in sorted(set(attributes) - {CHILD}):
            if not all(path not in schema or name in schema[path] for schema in schemas):
                differing.append((path, name))
    return elements, differing


def main():
    parser = argparse.ArgumentParser(description="Try values of domain XML on a real libvirt.")
    parser.add_argument("--output", required=True)
    parser.add_argument("--root")
    parser.add_argument("--only", help="try one attribute's name alone")
    parser.add_argument("--words", action="append", default=[])
    parser.add_argument("--schema", action="append", required=True)
    parser.add_argument("samples", nargs="+")
    args = parser.parse_args()
    elements, differing = read_schemas(args.schema)
    words = []
    for name in args.words:
        with open(name, encoding="utf-8") as file:
            words += [set(line.split()) for line in file]
    libvirt = Libvirt(args.root)
    trier = Trier(libvirt, read_samples(args.samples), elements, words, args.only)
    trier.try_values(trier.try_bogus())
    trier.try_kept(differing)
    shutil.rmtree(libvirt.folder)
    with open(args.output, "w", encoding="utf-8") as file:
        for row in trier.rows:
            file.write("\t".join((libvirt.version,) + tuple(" ".join(f.split()) for f in row)) + "\n")


if __name__ == "__main__":
    main()
