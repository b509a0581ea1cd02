# SPDX-License-Identifier: LGPL-2.1-or-later
"""What gen-dictionary.py makes of the dictionary that it read: C tables, JSON, rows, a man page."""

import json
import re

from dictionary_words import CPU_ROOMS, EMULATORS, FLAGS, NAMESPACES, ROOMS, RULES, TYPES, VALUES, WORDS, bits_text


def c_string(text):
    if text is None:
        return "NULL"
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def c_constant(prefix, word):
    return prefix + word.upper().replace("-", "_")


def ordered(dictionary):
    capabilities = sorted(dictionary.capabilities.values(), key=lambda c: c.id.encode())
    registers = sorted((r for r in dictionary.registers.values() if r.entries),
                       key=lambda r: r.sort_key())
    return capabilities, registers


def c_register(register):
    kind = {"cpuid": "REG_CPUID", "msr": "REG_MSR", "kvm": "REG_KVM_EXTENSION",
            "named": "REG_NAMED"}[register.kind]
    part = f"'{register.part}'" if register.part else "0"
    return (f"\t{{ {c_string(register.name)}, {kind}, 0x{register.index:x}, "
            f"0x{register.subindex:x}, {part}, {register.width}, 0x{register.known:x}, "
            f"0x{register.vmm:x},\n\t  {c_string(register.source)} }},")


def c_capability(capability, number, bit, register, index):
    keys = capability.keys
    flags = " | ".join(FLAGS[word] for word in FLAGS if word in capability.flags)
    who = " | ".join(EMULATORS[word] for word in EMULATORS
                     if word in keys.get("emulated-by", "").split(","))
    labels = f"labels_{number}" if "labels" in keys else "NULL"
    needs = f"needs_{number}" if capability.needs else "no_needs"
    values = keys.get("values", "")
    plus = int(values[1:]) if values.startswith("+") else 0
    times = int(values[1:]) if values.startswith("*") else 1
    listed = f"values_{number}" if values and not VALUES.match(values) else "NULL"
    if capability.type == "bool" and capability.room in CPU_ROOMS:
        flags += " | CAP_OF_CPU"
    names = ", ".join(c_string(plain(capability.names[ns][0]) if capability.names[ns] else None)
                      for ns in NAMESPACES)
    return [
        f"\t[{number}] = {{",
        f"\t\t.id = {c_string(capability.id)},",
        f"\t\t.type = {c_constant('CAP_', capability.type)},",
        f"\t\t.rule = {c_constant('RULE_', capability.rule)},",
        f"\t\t.flags = {flags},",
        f"\t\t.emulated_by = {who or 0},",
        f"\t\t.bit = {bit},",
        f"\t\t.reg = {register},",
        f"\t\t.low = {capability.low},",
        f"\t\t.high = {capability.high},",
        f"\t\t.unit = {c_string(keys.get('unit'))},",
        f"\t\t.security = {c_string(keys.get('security'))},",
        f"\t\t.labels = {labels},",
        f"\t\t.plus = {plus},",
        f"\t\t.times = {times},",
        f"\t\t.values = {listed},",
        f"\t\t.needs = {needs},",
        f"\t\t.arch = {c_string(keys.get('arch'))},",
        f"\t\t.level = {c_string(keys.get('level'))},",
        f"\t\t.promised = {c_string(keys.get('promised'))},",
        f"\t\t.gate = {index[keys['gate']] if 'gate' in keys else -1},",
        f"\t\t.names = {{ {names} }},",
        f"\t\t.sentence = {c_string(capability.sentence)},",
        f"\t\t.source = {c_string(keys['source'])},",
        "\t},",
    ]


def plain(name):
    """A name without the family whose it is."""
    return name.rpartition("/")[2]


def c_lists(capabilities, index):
    out = ["static const uint16_t no_needs[] = { 0xffff };"]
    for number, capability in enumerate(capabilities):
        if capability.needs:
            needs = ", ".join(str(index[ident]) for ident in capability.needs)
            out.append(f"static const uint16_t needs_{number}[] = {{ {needs}, 0xffff }};")
        if "labels" in capability.keys:
            labels = ", ".join(c_string(word) for word in capability.keys["labels"].split(","))
            out.append(f"static const char *const labels_{number}[] = {{ {labels}, NULL }};")
        values = capability.keys.get("values", "+0")
        if not VALUES.match(values):
            words = ", ".join(c_string(None if word == "-" else word) for word in values.split(","))
            out.append(f"static const char *const values_{number}[] = {{ {words} }};")
    return out


def c_aliases(capabilities):
    out, tables, counts = [], [], []
    for namespace in NAMESPACES:
        rows = sorted((name.encode(), name, number) for number, capability in
                      enumerate(capabilities) for name in capability.names[namespace])
        out.append(f"static const struct cap_alias {namespace}_aliases[] = {{")
        out += [f"\t{{ {c_string(name)}, {number} }}," for _, name, number in rows]
        # a sentinel, so that a namespace without names is still an array
        out += ["\t{ NULL, 0xffff },", "};", ""]
        constant = c_constant("NS_", namespace)
        tables.append(f"\t[{constant}] = {namespace}_aliases,")
        counts.append(f"\t[{constant}] = {len(rows)},")
    out += ["const struct cap_alias *const cap_aliases[CAP_NAMESPACES] = {", *tables, "};", "",
            "const size_t cap_alias_count[CAP_NAMESPACES] = {", *counts, "};", ""]
    return out


def c_asserts():
    out = [f"static_assert(CAP_TYPES == {len(TYPES)}, \"TYPES of gen-dictionary.py\");",
           f"static_assert(RULES == {len(RULES)}, \"RULES of gen-dictionary.py\");",
           f"static_assert(CAP_NAMESPACES == {len(NAMESPACES)}, "
           "\"NAMESPACES of gen-dictionary.py\");"]
    for number, word in enumerate(TYPES):
        constant = c_constant("CAP_", word)
        out.append(f"static_assert({constant} == {number}, \"order of enum cap_type\");")
    for number, word in enumerate(RULES):
        constant = c_constant("RULE_", word)
        out.append(f"static_assert({constant} == {number}, \"order of enum cap_rule\");")
    return out


def write_c(dictionary):
    capabilities, registers = ordered(dictionary)
    index = {capability.id: number for number, capability in enumerate(capabilities)}
    place = {register.name: number for number, register in enumerate(registers)}
    bools = [number for number, c in enumerate(capabilities) if c.type == "bool"]
    bit = {number: where for where, number in enumerate(bools)}
    out = ["/* SPDX-License-Identifier: LGPL-2.1-or-later */",
           "/*",
           " * dictionary-tables.c: the capability dictionary as tables (see dictionary.h).",
           " *",
           " * Written by schema/gen-dictionary.py from schema/dictionary/; edit those.",
           " */",
           "#include <assert.h>", "", "#include \"model/dictionary.h\"", "",
           *c_asserts(), "",
           f"const char cap_dictionary_version[] = {c_string(dictionary.version)};", "",
           *c_lists(capabilities, index), "",
           "const struct cap_register cap_registers[] = {",
           *[c_register(register) for register in registers], "};", "",
           f"const size_t cap_register_count = {len(registers)};", "",
           "const struct capability cap_table[] = {"]
    for number, capability in enumerate(capabilities):
        register = place[capability.register.name] if capability.register else -1
        out += c_capability(capability, number, bit.get(number, -1), register, index)
    out += ["};", "", f"const size_t cap_count = {len(capabilities)};",
            f"static_assert(sizeof(cap_table) / sizeof(cap_table[0]) == {len(capabilities)},",
            "\t      \"cap_table\");",
            f"static_assert({len(capabilities)} < 0xffff, \"an index fits uint16_t\");", "",
            f"const size_t cap_bits = {len(bools)};", "",
            "const uint16_t cap_by_bit[] = {"]
    for start in range(0, len(bools), 12):
        out.append("\t" + ", ".join(str(n) for n in bools[start:start + 12]) + ",")
    out += ["};", "", *c_aliases(capabilities)]
    return "\n".join(out).rstrip() + "\n"


def json_capability(capability):
    keys = capability.keys
    out = {"id": capability.id, "type": capability.type, "rule": capability.rule,
           "sentence": capability.sentence, "source": keys["source"],
           "flags": [word for word in FLAGS if word in capability.flags]}
    if capability.register:
        out["register"] = capability.register.name
        out["low"], out["high"] = capability.low, capability.high
    names = {ns: [plain(name) for name in capability.names[ns]] for ns in NAMESPACES
             if capability.names[ns]}
    if names:
        out["names"] = names
    if "emulated-by" in keys:
        out["emulated_by"] = keys["emulated-by"].split(",")
    if "labels" in keys:
        out["labels"] = keys["labels"].split(",")
    if capability.needs:
        out["needs"] = capability.needs
    for key in ("arch", "unit", "gate", "level", "promised", "security", "values"):
        if key in keys:
            out[key] = keys[key]
    return out


def json_register(register):
    out = {"name": register.name, "kind": register.kind, "index": f"0x{register.index:x}",
           "known": f"0x{register.known:x}", "source": register.source}
    if register.kind == "cpuid":
        out["subindex"], out["part"] = f"0x{register.subindex:x}", f"e{register.part}x"
    if register.kind == "named":
        out["width"] = register.width
        if register.vmm:
            out["vmm"] = f"0x{register.vmm:x}"
    if register.unnamed:
        out["unnamed"] = [{"low": low, "high": high, "why": why}
                          for low, high, why in register.unnamed]
    return out


def write_json(dictionary):
    capabilities, registers = ordered(dictionary)
    return json.dumps({
        "format": "capbroker.dictionary/1",
        "generated_by": "schema/gen-dictionary.py from schema/dictionary/",
        "version": dictionary.version,
        "rules": RULES,
        "registers": [json_register(register) for register in registers],
        "capabilities": [json_capability(capability) for capability in capabilities],
    }, indent=1) + "\n"


def sql_string(text):
    return "NULL" if text is None else "'" + text.replace("'", "''") + "'"


def write_sql(dictionary):
    capabilities, _ = ordered(dictionary)
    out = ["-- SPDX-License-Identifier: LGPL-2.1-or-later",
           "-- Written by schema/gen-dictionary.py from schema/dictionary/; edit those.",
           f"-- dictionary {dictionary.version}"]
    for capability in capabilities:
        values = (capability.id, capability.type, capability.rule,
                  capability.keys.get("security"), capability.sentence, capability.keys["source"])
        out.append("INSERT INTO capability (id, type, rule, security, sentence, source) VALUES "
                   f"({', '.join(sql_string(value) for value in values)});")
    return "\n".join(out) + "\n"


def rst(text):
    return re.sub(r"([\\*`|_])", r"\\\1", text)


def man_values(values):
    if values.startswith("+"):
        return f"the field plus {values[1:]}"
    if values.startswith("*"):
        return f"the field times {values[1:]}"
    return "the field's numbers stand for " + ", ".join(
        f"{number}: {word.replace('+', ' and ')}" for number, word in enumerate(values.split(","))
        if word != "-")


def man_facts(capability):
    keys = capability.keys
    facts = [f"{capability.type}, {capability.rule}"]
    flags = [word for word in FLAGS if word in capability.flags - {"offer"}]
    if "unmigratable" in flags:
        flags.remove("unmigratable=libvirt")
    facts += flags
    for key in ("arch", "unit", "gate", "level", "promised", "security", "emulated-by"):
        if key in keys:
            facts.append(f"{key} {keys[key].replace(',', ', ')}")
    if "labels" in keys:
        facts.append("levels " + " < ".join(keys["labels"].split(",")))
    if "values" in keys:
        facts.append(man_values(keys["values"]))
    if capability.needs:
        facts.append("needs " + ", ".join(capability.needs))
    for namespace in NAMESPACES:
        names = [plain(name) for name in capability.names[namespace]]
        if names and names != [capability.name]:
            facts.append(f"{namespace} calls it {', '.join(names)}")
    where = keys["source"]
    if capability.register and capability.register.kind != "kvm":
        bits = bits_text(range(capability.low, capability.high + 1))
        where += f" bit {bits}" if capability.low == capability.high else f" bits {bits}"
    return facts, where


def man_entry(capability):
    facts, where = man_facts(capability)
    sentence = capability.sentence[0].upper() + capability.sentence[1:]
    return [f"``{capability.id}``", f"    | {rst(sentence)}.",
            f"    | {rst('; '.join(facts))}", f"    | {rst(where)}", ""]


def write_man(dictionary):
    capabilities, _ = ordered(dictionary)
    title = "capbroker-capabilities"
    out = [".. SPDX-License-Identifier: LGPL-2.1-or-later",
           ".. Written by schema/gen-dictionary.py from schema/dictionary/; edit those.", "",
           "=" * len(title), title, "=" * len(title), "",
           "what capbroker knows of capabilities".center(1), "-" * 36, "",
           ":Manual section: 7", ":Manual group: capbroker", "",
           "DESCRIPTION", "===========", "",
           f"Dictionary {dictionary.version}: {len(capabilities)} capabilities. Each has an id "
           "that never changes its meaning, a type, and a rule that says how the values of two "
           "hosts meet. ``capbroker explain`` *NAME* shows one entry, under any name it goes by.",
           "", "RULES", "=====", ""]
    for rule, paragraph in RULES.items():
        out += [f"``{rule}``", f"    {rst(paragraph)}", ""]
    out += ["WORDS", "=====", ""]
    for word, meaning in WORDS.items():
        out += [f"``{word}``", f"    {rst(meaning)}", ""]
    rooms = sorted({capability.room for capability in capabilities})
    for room in rooms:
        out += [room.upper(), "=" * len(room), "", rst(ROOMS.get(room, "")), ""]
        for capability in capabilities:
            if capability.room == room:
                out += man_entry(capability)
    out += ["SEE ALSO", "========", "", "**capbroker**\\ (1), **capbroker-probe**\\ (1)"]
    return "\n".join(out) + "\n"
