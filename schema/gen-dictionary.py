#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The one reader of schema/dictionary/*.dict.

Reads the capability dictionary, refuses what does not hold together, and writes what is asked for:
the C tables behind src/lib/model/dictionary.h, the dictionary as JSON, rows for the store, and
capbroker-capabilities(7).  The format is described in schema/dictionary/README.md.

Standard library only; runs on Python 3.9.
"""

import argparse
import os
import re
import shlex
import sys

sys.dont_write_bytecode = True  # the source folder may be anybody's

from dictionary_words import (ARCHS, EMULATORS, FITS, FLAGS, KEYS, NAMED_ROOMS, NAMESPACES, REGISTER_KEYS, RULES,
                              TYPES, UNITS, VALUES, bits_text)
from dictionary_writers import write_c, write_json, write_man, write_sql

# rooms where an id has a middle part: msr.arch-cap.rsba
ROOMS_OF_THREE = ("msr", "qemu", "vtd", "amdvi", "smmuv3")
ID = re.compile(r"[a-z][a-z0-9-]*(\.[a-z0-9][a-z0-9_-]*)+(\.[0-9])?$")
CPUID = re.compile(r"cpuid\.([0-9a-f]{1,8})\.([0-9a-f]{1,8})\.e([abcd])x$")
MSR = re.compile(r"msr\.([0-9a-f]{1,8})$")
NAMED = re.compile(r"([a-z][a-z0-9]*)\.[a-z0-9][a-z0-9-]*$")  # vtd.cap: a room and a short name
VALUES_MAX = 64
SENTENCE_MAX = 70
COLUMNS = "'ID BITS TYPE RULE SENTENCE'"


class Refusal(Exception):
    """Something in a .dict file that can't be; its text says what to do."""


class Register:
    def __init__(self, name, kind, index, subindex, part, source, place):
        self.name, self.kind, self.index, self.subindex = name, kind, index, subindex
        self.part, self.source, self.place = part, source, place
        self.defaults = {}
        self.flags = set()
        self.width = {"cpuid": 32, "kvm": 32}.get(kind, 64)
        self.owner = {}     # bit → what accounts for it
        self.vmm = 0        # bits that the kernel lets a VMM read of the raw register
        self.known = 0      # bits of entries and of `unnamed` lines
        self.unnamed = []   # (low, high, why)
        self.entries = 0

    def sort_key(self):
        kinds = ("cpuid", "msr", "kvm", "named")
        name = self.name.encode() if self.kind == "named" else b""
        return (kinds.index(self.kind), self.index, self.subindex, self.part, name)


class Section:
    """Entries that live in no register: only defaults."""

    def __init__(self, source, place):
        self.name, self.source, self.place = None, source, place
        self.defaults = {}
        self.flags = set()


class Capability:
    def __init__(self, ident, place):
        self.id, self.place = ident, place
        self.type = self.rule = self.sentence = None
        self.register = self.group = None
        self.low = self.high = 0
        self.flags = set()
        self.keys = {}
        self.names = {ns: [] for ns in NAMESPACES}
        self.needs = []

    @property
    def room(self):
        return self.id.split(".", 1)[0]

    @property
    def name(self):
        """What '*' stands for in a name: the id without its room."""
        parts = self.id.split(".", 2 if self.room in ROOMS_OF_THREE else 1)
        return parts[-1]


class Dictionary:
    def __init__(self):
        self.version = None
        self.capabilities = {}
        self.registers = {}
        self.extra_aliases = []  # (namespace, name, id, place)


class Reader:
    """Reads .dict files line by line; every refusal is kept with its file and line."""

    def __init__(self):
        self.dictionary = Dictionary()
        self.refusals = []
        self.group = None   # the Register or Section in force
        self.holder = None  # what an indented line belongs to

    def refuse(self, place, text):
        self.refusals.append(f"{place}: {text}")

    def read(self, path):
        self.group = self.holder = None
        name = os.path.basename(path)
        try:
            with open(path, encoding="utf-8") as file:
                lines = file.read().splitlines()
        except (OSError, UnicodeDecodeError) as error:
            self.refuse(name, f"cannot be read: {error}")
            return
        for number, line in enumerate(lines, 1):
            place = f"{name}:{number}"
            try:
                self.read_line(line.rstrip(), place)
            except Refusal as refusal:
                self.refuse(place, refusal)

    def read_line(self, line, place):
        if not line or line.startswith("#"):
            return
        if line[0] in " \t":
            self.read_attributes(line.strip(), place)
            return
        self.holder = None
        word, _, rest = line.partition(" ")
        rest = rest.strip()
        reader = {"register": self.read_register, "section": self.read_section,
                  "reserved": self.read_reserved, "unnamed": self.read_unnamed,
                  "alias": self.read_alias, "dictionary": self.read_version}.get(word)
        if reader:
            reader(rest, place)
        else:
            self.read_capability(line, place)

    def read_version(self, rest, place):
        if not re.match(r"\d{4}\.\d+$", rest):
            raise Refusal(f"'{rest}' is no version: write it as 'dictionary 2026.1'")
        if self.dictionary.version:
            raise Refusal("a second version: keep one 'dictionary' line")
        self.dictionary.version = rest

    def read_register(self, rest, place):
        name, _, source = rest.partition(" ")
        self.group = self.holder = None
        self.group = self.add_register(name, source.strip(), place)
        self.holder = self.group

    def add_register(self, name, source, place):
        if not source:
            raise Refusal(f"register '{name}' has no source: name the manual and its section")
        cpuid, msr = CPUID.match(name), MSR.match(name)
        if cpuid:
            register = Register(name, "cpuid", int(cpuid[1], 16), int(cpuid[2], 16), cpuid[3],
                                source, place)
        elif msr:
            register = Register(name, "msr", int(msr[1], 16), 0, "", source, place)
        elif self.is_named(name):
            register = Register(name, "named", 0, 0, "", source, place)
        else:
            raise Refusal(f"'{name}' is no register: write cpuid.LEAF.SUBLEAF.eax or msr.NUMBER, "
                          "numbers in lower-case hexadecimal without 0x, or one of "
                          f"{', '.join(NAMED_ROOMS)} with a short name, as vtd.cap")
        first = self.dictionary.registers.get(name)
        if first:
            raise Refusal(f"register '{name}' is already at {first.place}: put the bits there")
        self.dictionary.registers[name] = register
        return register

    @staticmethod
    def is_named(name):
        named = NAMED.match(name)
        return named and named[1] in NAMED_ROOMS

    def read_section(self, rest, place):
        if not rest:
            self.group = None
            raise Refusal("a section without a source: name what its entries come from")
        self.group = self.holder = Section(rest, place)

    def bits_of_line(self, rest, place, word):
        if not isinstance(self.group, Register):
            raise Refusal(f"'{word}' outside a register: put it below a 'register' line")
        bits, _, why = rest.partition(" ")
        low, high = self.field(bits)
        self.claim(low, high, f"{word} at {place}")
        return low, high, why.strip()

    def read_reserved(self, rest, place):
        self.bits_of_line(rest, place, "reserved")

    def read_unnamed(self, rest, place):
        low, high, why = self.bits_of_line(rest, place, "unnamed")
        if not why:
            raise Refusal("'unnamed' without a reason: say what the bits are, or use 'reserved'")
        self.group.unnamed.append((low, high, why))
        self.group.known |= mask(low, high)

    def read_alias(self, rest, place):
        words = rest.split()
        if len(words) != 3 or words[0] not in NAMESPACES:
            raise Refusal(f"write 'alias NAMESPACE NAME ID', NAMESPACE one of "
                          f"{', '.join(NAMESPACES)}")
        self.dictionary.extra_aliases.append((*words, place))

    def field(self, bits):
        match = re.match(r"(\d{1,2})(?:-(\d{1,2}))?$", bits)
        if not match:
            raise Refusal(f"'{bits}' are no bits: write 5 or 0-7")
        low = int(match[1])
        high = int(match[2]) if match[2] else low
        if high < low:
            raise Refusal(f"bits {bits} run backwards: write {high}-{low}")
        if high >= self.group.width:
            raise Refusal(f"bits {bits} do not fit '{self.group.name}', which has "
                          f"{self.group.width} bits")
        return low, high

    def claim(self, low, high, what):
        for bit in range(low, high + 1):
            if bit in self.group.owner:
                raise Refusal(f"bit {bit} of '{self.group.name}' is already taken by "
                              f"{self.group.owner[bit]}: give each bit once")
        for bit in range(low, high + 1):
            self.group.owner[bit] = what

    def read_capability(self, line, place):
        words = line.split(None, 4)
        if len(words) < 4:
            raise Refusal(f"a line of {len(words)} words: write {COLUMNS}")
        ident, bits, ctype, rule = words[:4]
        capability = Capability(ident, place)
        if not ID.match(ident):
            raise Refusal(f"'{ident}' is no id: write ROOM.NAME in lower case, as cpu.avx2")
        first = self.dictionary.capabilities.get(ident)
        if first:
            raise Refusal(f"duplicate id '{ident}', first at {first.place}: "
                          "an id is never given twice")
        if ctype not in TYPES:
            raise Refusal(f"unknown type '{ctype}' (use {', '.join(TYPES)})")
        if rule not in RULES:
            raise Refusal(f"unknown rule '{rule}' (use {', '.join(RULES)})")
        if rule not in FITS[ctype]:
            raise Refusal(f"rule '{rule}' does not fit type '{ctype}' "
                          f"(use {', '.join(FITS[ctype])})")
        if len(words) < 5:
            raise Refusal(f"'{ident}' has no sentence: write {COLUMNS}")
        capability.type, capability.rule, capability.sentence = ctype, rule, words[4]
        self.check_sentence(capability)
        if self.group is None:
            raise Refusal(f"'{ident}' has no source: put it below a 'register' or 'section' line")
        self.place_capability(capability, bits, place)
        self.dictionary.capabilities[ident] = self.holder = capability

    @staticmethod
    def check_sentence(capability):
        sentence = capability.sentence
        if len(sentence) > SENTENCE_MAX:
            raise Refusal(f"the sentence of '{capability.id}' has {len(sentence)} characters: "
                          f"say it in {SENTENCE_MAX}")
        if sentence.endswith("."):
            raise Refusal(f"the sentence of '{capability.id}' ends in a full stop: leave it out")

    def place_capability(self, capability, bits, place):
        capability.group = self.group
        if isinstance(self.group, Section):
            if bits.startswith("#") and bits[1:].isdigit():
                self.add_extension(capability, int(bits[1:]), place)
            elif bits != "-":
                raise Refusal(f"bits {bits} outside a register: write '-', or '#N' for a KVM "
                              "extension")
            return
        low, high = self.field(bits)
        if capability.type == "bool" and low != high:
            raise Refusal(f"'{capability.id}' is a bool of {high - low + 1} bits: a bool has one")
        held = ("string", "ranges") if self.group.kind == "named" else ("string", "set", "ranges")
        if capability.type in held:
            raise Refusal(f"'{capability.id}' is a {capability.type}, which no register holds")
        if capability.type == "pair" and (low, high) != (0, 63):
            raise Refusal(f"'{capability.id}' is a pair: it takes the bits 0-63 of an MSR")
        self.claim(low, high, f"'{capability.id}' at {place}")
        capability.register, capability.low, capability.high = self.group, low, high
        self.group.known |= mask(low, high)
        self.group.entries += 1

    def add_extension(self, capability, number, place):
        name = f"kvm.{number}"
        first = self.dictionary.registers.get(name)
        if first:
            raise Refusal(f"KVM extension {number} is already taken at {first.place}: "
                          "give each once")
        register = Register(name, "kvm", number, 0, "", self.group.source, place)
        register.known, register.entries = mask(0, 31), 1
        self.dictionary.registers[name] = register
        capability.register, capability.low, capability.high = register, 0, 31

    def read_attributes(self, line, place):
        holder = self.holder
        if holder is None:
            raise Refusal("an attribute line that belongs to nothing: put it below an entry, "
                          "a 'register' or a 'section' line")
        try:
            words = shlex.split(line)
        except ValueError as error:
            raise Refusal(f"attributes can't be split ({error}): close the quotes") from error
        for word in words:
            self.read_attribute(holder, word)

    def read_attribute(self, holder, word):
        if word in FLAGS:
            holder.flags.add(word)
            return
        key, equals, value = word.partition("=")
        own = isinstance(holder, Capability)
        allowed = KEYS if own else REGISTER_KEYS
        if not equals or key not in allowed:
            raise Refusal(f"unknown attribute '{word}' (use {', '.join(FLAGS)}, "
                          f"{', '.join(key + '=' for key in allowed)})")
        if not value:
            raise Refusal(f"attribute '{key}' without a value")
        if key == "width":
            self.set_width(holder, value)
            return
        store = holder.keys if own else holder.defaults
        if key in store:
            raise Refusal(f"attribute '{key}' given twice: join the values by commas")
        store[key] = value

    @staticmethod
    def set_width(holder, value):
        if not isinstance(holder, Register) or holder.kind != "named":
            raise Refusal("width= belongs below the line of a register that has a name, as vtd.cap")
        if value not in ("8", "16", "32", "64") or holder.owner:
            raise Refusal(f"width={value}: write 8, 16, 32 or 64, before the first field")
        holder.width = int(value)


def mask(low, high):
    return ((1 << (high - low + 1)) - 1) << low


class Resolver:
    """What follows from the lines together: defaults, names, needs, bits accounted for."""

    def __init__(self, reader):
        self.dictionary = reader.dictionary
        self.refuse = reader.refuse
        self.owners = {ns: {} for ns in NAMESPACES}

    def resolve(self):
        for capability in self.dictionary.capabilities.values():
            self.fill(capability)
            self.name(capability)
        for namespace, name, ident, place in self.dictionary.extra_aliases:
            capability = self.dictionary.capabilities.get(ident)
            if capability is None:
                self.refuse(place, f"alias '{name}' leads to '{ident}', which is no entry: "
                                   "correct the id")
                continue
            self.own(namespace, name, capability, place)
        self.needs()
        self.accounted()
        if not self.dictionary.version:
            self.refuse("schema/dictionary", "no version: add a line 'dictionary 2026.1'")

    def fill(self, capability):
        group, keys = capability.group, capability.keys
        in_register = capability.register is not None and capability.register is group
        for key, value in group.defaults.items():
            keys.setdefault(key, value)
        if in_register and group.kind != "named":
            keys.setdefault("libvirt", "*")
            keys.setdefault("qemu", "*")
        capability.flags |= group.flags
        if "vmm" in capability.flags:
            self.let_read(capability)
        if not capability.flags & {"offer", "sight"}:
            capability.flags.add("offer")
        if "contract=exact" in capability.flags:
            capability.flags |= {"offer", "sight"}
        if "unmigratable" in capability.flags:
            capability.flags.add("unmigratable=libvirt")
        keys.setdefault("source", group.source)
        self.check_values(capability)

    def let_read(self, capability):
        register = capability.register
        if register is None or register.kind != "named":
            self.refuse(capability.place, "'vmm' outside a register that has a name: it says which "
                                          "bits of the raw register a VMM may read")
            return
        register.vmm |= mask(capability.low, capability.high)

    def check_meanings(self, capability):
        """values=: what the numbers in a field stand for."""
        place, values = capability.place, capability.keys.get("values")
        named = capability.register is not None and capability.register.kind == "named"
        if values is None:
            if named and capability.type == "set":
                self.refuse(place, f"'{capability.id}' is a set in a register: say values= with "
                                   "the members that each number stands for, as 'a+b,a,-'")
            return
        if not named or capability.type not in ("uint", "set"):
            self.refuse(place, "values= belongs to a number or a set in a register that has a name")
        elif VALUES.match(values) and capability.type == "uint":
            return
        else:
            words = values.split(",")
            most = 1 << (capability.high - capability.low + 1)
            if len(words) != most or most > VALUES_MAX:
                self.refuse(place, f"values= names {len(words)} of {most} numbers: give each one, "
                                   "'-' where it is reserved")
            if capability.type == "uint" and not all(w == "-" or w.isdigit() for w in words):
                self.refuse(place, f"values={values}: the values of a number are numbers")

    def check_values(self, capability):
        self.check_meanings(capability)
        keys, place = capability.keys, capability.place
        for who in keys.get("emulated-by", "").split(","):
            if who and who not in EMULATORS:
                self.refuse(place, f"nobody called '{who}' emulates (use {', '.join(EMULATORS)})")
        if "unit" in keys and keys["unit"] not in UNITS:
            self.refuse(place, f"unknown unit '{keys['unit']}' (use {', '.join(UNITS)})")
        if capability.rule == "chain" and "labels" not in keys:
            self.refuse(place, f"'{capability.id}' is a chain without labels: name its levels, "
                               "least first")
        if capability.rule != "chain" and "labels" in keys:
            self.refuse(place, f"'{capability.id}' has labels but is no chain")
        if capability.rule == "immunity" and "security" not in keys:
            self.refuse(place, f"'{capability.id}' is an immunity without a class: say "
                               "security=CLASS")

    def name(self, capability):
        arch = capability.keys.get("arch")
        if arch and arch not in ARCHS:
            self.refuse(capability.place, f"unknown arch '{arch}' (use {', '.join(ARCHS)})")
        for namespace in NAMESPACES:
            value = capability.keys.get(namespace, "none")
            if value == "none":
                continue
            for pattern in value.split(","):
                for name in self.spell(namespace, pattern, capability):
                    self.own(namespace, f"{arch}/{name}" if arch else name, capability,
                             capability.place)

    @staticmethod
    def spell(namespace, pattern, capability):
        if "*" not in pattern:
            return [pattern]
        name = capability.name
        if namespace == "kernel":
            return [pattern.replace("*", re.sub("[.-]", "_", name))]
        if namespace == "qemu" and "_" in name and "arch" not in capability.keys:
            return [pattern.replace("*", name.replace("_", "-")), pattern.replace("*", name)]
        return [pattern.replace("*", name)]

    def own(self, namespace, name, capability, place):
        owner = self.owners[namespace].get(name)
        if owner:
            self.refuse(place, f"duplicate alias: {namespace} calls '{owner.id}' at {owner.place} "
                               f"'{name}' already: give each name once, or {namespace}=none")
            return
        self.owners[namespace][name] = capability
        capability.names[namespace].append(name)

    def needs(self):
        entries = self.dictionary.capabilities
        for capability in entries.values():
            for ident in filter(None, capability.keys.get("needs", "").split(",")):
                if ident not in entries:
                    self.refuse(capability.place, f"'{capability.id}' needs '{ident}', which is "
                                                  "no entry: correct the id")
                elif ident != capability.id or "needs" not in capability.group.defaults:
                    capability.needs.append(ident)
            gate = capability.keys.get("gate")
            if gate and gate not in entries:
                self.refuse(capability.place, f"'{capability.id}' has the gate '{gate}', which is "
                                              "no entry: correct the id")
        done = set()
        for capability in entries.values():
            self.walk(capability, [], done)

    def walk(self, capability, path, done):
        if capability.id in path:
            circle = path[path.index(capability.id):] + [capability.id]
            self.refuse(capability.place, f"needs run in a circle: {' -> '.join(circle)}: "
                                          "take one away")
            done.update(path)
            return
        if capability.id in done:
            return
        for ident in capability.needs:
            self.walk(self.dictionary.capabilities[ident], path + [capability.id], done)
        done.add(capability.id)

    def accounted(self):
        for register in self.dictionary.registers.values():
            if register.kind == "kvm":
                continue
            missing = [bit for bit in range(register.width) if bit not in register.owner]
            if missing:
                self.refuse(register.place,
                            f"bits {bits_text(missing)} of '{register.name}' are not accounted "
                            "for: add an entry, 'reserved BITS' or 'unnamed BITS WHY'")


OUTPUTS = {"c": write_c, "json": write_json, "sql": write_sql, "man": write_man}


def read_dictionary(paths):
    reader = Reader()
    for path in sorted(paths, key=os.path.basename):
        reader.read(path)
    if not reader.refusals:
        Resolver(reader).resolve()
    return reader.dictionary, reader.refusals


def write_file(path, text):
    """Whole or not at all: a build that is interrupted leaves no half a table."""
    if path == "-":
        sys.stdout.write(text)
        return
    if os.path.exists(path) and not os.path.isfile(path):  # a device or a pipe stays what it is
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return
    partial = path + ".tmp"
    with open(partial, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(partial, path)


def main():
    parser = argparse.ArgumentParser(description="Read the capability dictionary, check it, and "
                                     "write what is asked for.")
    for name, what in (("c", "C tables"), ("json", "JSON"), ("sql", "rows for the store"),
                       ("man", "capbroker-capabilities(7) as RST")):
        parser.add_argument(f"--{name}", metavar="FILE", help=f"write the {what} ('-': stdout)")
    parser.add_argument("files", nargs="+", metavar="FILE.dict")
    arguments = parser.parse_args()
    dictionary, refusals = read_dictionary(arguments.files)
    if refusals:
        print("\n".join(refusals), file=sys.stderr)
        return 1
    try:
        for name, writer in OUTPUTS.items():
            path = getattr(arguments, name)
            if path:
                write_file(path, writer(dictionary))
    except OSError as error:
        print(f"gen-dictionary.py: cannot write: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
