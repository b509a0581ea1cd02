# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes tests/hosts/NAME/{profile.json,README} of recorded facts.

usage: make-hosts.py [--tool MAKE-PROFILE] [--output DIR] DATA [NAME…]

DATA is the folder of recorded data that hosts_recipes.py speaks of.  Each recipe names files of
it; what isn't in a form that the program reads (libvirt's cache of QEMU's capabilities, lscpu) is
turned into one that it does, or into facts.  The same data gives the same bytes.
"""

import argparse
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

from dictionary_fixture import SCHEMA, TOP, dictionary
from hosts_recipes import RECIPES

RECORDINGS = os.path.join(TOP, "tests", "recordings")
EMULATOR = "/usr/bin/qemu-system-x86_64"
# When the facts were put together; a fixed time, so that nothing changes from run to run.
TIME = "2026-11-01T00:00:00Z"
WIDTH = 1000


# --- what the program reads ---------------------------------------------------------------------

class Inputs:
    """The files of one host, in the order they are read, as copies under telling names."""

    def __init__(self, data, folder):
        self.data, self.folder, self.files, self.facts = data, folder, [], []
        self.base = None  # a document that the files' one is added to
        self.emulator = EMULATOR

    def path(self, *parts):
        return os.path.join(self.data, *parts)

    def add(self, name, text):
        # A folder each: a name carries a scope, and two files may have the same one.
        path = os.path.join(self.folder, str(len(self.files)))
        os.mkdir(path)
        path = os.path.join(path, name)
        with open(path, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        self.files.append(path)

    def copy(self, name, *parts):
        with open(self.path(*parts), encoding="utf-8") as file:
            self.add(name, file.read())

    def reply(self, name, value):
        self.add(name, json.dumps({"return": value}))


def replies(text):
    """The JSON documents that stand after each other in a text."""
    decoder, at = json.JSONDecoder(), 0
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        value, at = decoder.raw_decode(text, at)
        yield value


def qemu_of(inputs, lab):
    """Version and machine types of the QEMU, and version of the libvirt, of a lab host."""
    folder = ("truth", "libvirt", "hosts", lab)
    inputs.copy("qmp-kvm-none-query-version.json", *folder, "qmp-tcg-none-query-version.json")
    inputs.copy("qmp-kvm-none-query-machines.json", *folder, "qmp-tcg-none-query-machines.json")
    inputs.copy("virsh-version.txt", *folder, "virsh-version.txt")


def registers(table, processor):
    """(register, value) of a processor in a table of recordings/."""
    with open(os.path.join(RECORDINGS, table), encoding="utf-8") as file:
        for line in file:
            if line.startswith(processor + "\t"):
                _, register, value, _ = line.split("\t")
                yield register, int(value, 16)


def msrs_of(processor):
    """<msr> lines of a processor's registers, as recordings/msrs.tsv has them."""
    for number, value in registers("msrs.tsv", processor):
        yield (f"<msr index='{number}' edx='{value >> 32:#010x}' "
               f"eax='{value & 0xffffffff:#010x}'/>\n")


def machine(inputs, name, processor=None):
    """A real machine's CPUID and MSRs, and what QEMU made of them there, from libvirt's tests."""
    with open(inputs.path("libvirt-cputestdata", f"x86_64-cpuid-{name}.xml"),
              encoding="utf-8") as file:
        text = file.read()
    if processor:
        text = text.replace("</cpudata>", "".join(msrs_of(processor)) + "</cpudata>")
    inputs.add("cpudata.xml", text)
    path = inputs.path("libvirt-cputestdata", f"x86_64-cpuid-{name}.json")
    if not os.path.exists(path):
        return
    with open(path, encoding="utf-8") as file:
        for reply in replies(file.read()):
            value = reply["return"]
            inputs.reply("qmp-kvm-none-query-cpu-definitions.json" if isinstance(value, list) else
                         "qmp-kvm-none-query-cpu-model-expansion-full-base.json", value)


def cpuid(inputs, name):
    """CPUID, and what feature MSRs msrs.tsv has of the same dump, in a form that holds both."""
    if not any(registers("msrs.tsv", name)):
        inputs.copy("cpuid.txt", "cpuid-instlatx64", f"{name}.txt")
        return
    rows = ["<cpudata arch='x86'>\n"]
    with open(inputs.path("cpuid-instlatx64", f"{name}.txt"), encoding="utf-8") as file:
        for line in file:
            words = line.split()
            if len(words) == 6 and not line.startswith("#"):
                rows.append("<cpuid " + " ".join(
                    f"{key}='0x{word}'" for key, word in
                    zip(("eax_in", "ecx_in", "eax", "ebx", "ecx", "edx"), words)) + "/>\n")
    inputs.add("cpudata.xml", "".join([*rows, *msrs_of(name), "</cpudata>\n"]))


def replayed(folder):
    """What capbroker-probe makes of a recording."""
    return json.loads(subprocess.run(["capbroker-probe", "--replay", folder], check=True,
                                     capture_output=True, text=True).stdout)


def recording(inputs, name):
    """A recording of ours: its document is what the rest adds to."""
    inputs.base = replayed(os.path.join(RECORDINGS, name))


def unpatched(inputs, name):
    """The same recording of a POWER host, had its firmware been too old to tell of weaknesses."""
    folder = os.path.join(inputs.folder, "unpatched")
    shutil.copytree(os.path.join(RECORDINGS, name), folder)
    path = os.path.join(folder, "ioctl", "kvm.json")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    said = re.compile(r'("KVM_PPC_GET_CPU_CHAR":\s*\{"data": )"[0-9a-f]+"')
    with open(path, "w", encoding="utf-8") as file:
        file.write(said.sub(r'\1"%s"' % ("0" * 64), text))
    inputs.base = replayed(folder)


def kvm_registers(inputs, processor):
    """Registers that KVM gives guests, as KVM would be heard to say them; nothing of others."""
    cpuid_rows, msrs = {}, {}
    for register, value in registers("kvm.tsv", processor):
        kind, *words = register.split(".")
        if kind == "msr":
            msrs[int(words[0], 16)] = value
        else:
            row = cpuid_rows.setdefault((int(words[0], 16), int(words[1], 16)), {})
            row[words[2]] = value
    entries = [struct.pack("<7I12x", leaf, subleaf, 1,
                           *(row.get(part, 0) for part in ("eax", "ebx", "ecx", "edx")))
               for (leaf, subleaf), row in cpuid_rows.items()]
    answers = {"KVM_GET_SUPPORTED_CPUID 128": struct.pack("<II", len(entries), 0)
               + b"".join(entries).ljust(128 * 40, b"\0"),
               "KVM_GET_MSR_FEATURE_INDEX_LIST 128":
               struct.pack(f"<I{len(msrs)}I", len(msrs), *msrs).ljust(4 + 128 * 4, b"\0")}
    answers |= {f"KVM_GET_MSRS {number:#x}": struct.pack("<IIIIQ", 1, 0, number, 0, value)
                for number, value in msrs.items()}
    calls = {name: {"data": data.hex(), "rc": int(name.startswith("KVM_GET_MSRS"))}
             for name, data in answers.items()}
    folder = os.path.join(inputs.folder, "recording")
    os.makedirs(os.path.join(folder, "ioctl"))
    with open(os.path.join(folder, "ioctl", "kvm.json"), "w", encoding="utf-8") as file:
        json.dump({"calls": calls | {"KVM_GET_API_VERSION": {"rc": 12}}, "open": {}}, file)
    with open(os.path.join(folder, "uname"), "w", encoding="utf-8") as file:
        file.write("Linux (none) 6.18.30 x86_64\n")
    inputs.base = replayed(folder)
    told = {register for register, _ in registers("kvm.tsv", processor)}
    of_told = {entry["id"] for entry in dictionary()["capabilities"]
               if entry.get("register") in told}
    inputs.base["facts"] = [fact for fact in inputs.base["facts"] if fact["id"] in of_told]
    inputs.base["probe"]["sources"] = [{"name": "kvm", "state": "ok", "view": "kvm",
                                        "complete": False}]


def of_arch(inputs, arch):
    """The host isn't x86-64, and its emulator isn't either."""
    inputs.emulator = EMULATOR.replace("x86_64", arch)


def cache(inputs, name):
    """A QEMU as libvirt's cache of capabilities has it, read as it is."""
    inputs.copy("qemucaps.xml", "libvirt-qemucaps", f"caps_{name}.xml")


def capabilities(inputs, *parts):
    inputs.copy("capabilities.xml", *parts)


def cpuinfo(inputs, arch, *parts):
    """What a kernel of another architecture says of its processors."""
    folder = os.path.join(inputs.folder, "recording")
    os.makedirs(os.path.join(folder, "proc"))
    shutil.copy(inputs.path(*parts), os.path.join(folder, "proc", "cpuinfo"))
    with open(os.path.join(folder, "uname"), "w", encoding="utf-8") as file:
        file.write(f"Linux (none) unknown #1 {arch}\n")
    inputs.base = replayed(folder)
    inputs.base["facts"] = [fact for fact in inputs.base["facts"] if fact["id"] != "host.kernel"]
    inputs.base["fingerprint"].pop("kernel")
    for name in ("dictionary", "version"):
        inputs.base["probe"].pop(name)
    inputs.base["probe"]["sources"] = [{"name": "kernel", "state": "partial", "view": "kernel",
                                        "complete": False}]


def replies_of(inputs, name):
    """Replies of a QEMU that we keep ourselves."""
    folder = os.path.join(RECORDINGS, name)
    for file in sorted(os.listdir(folder)):
        with open(os.path.join(folder, file), encoding="utf-8") as reply:
            inputs.add(file, reply.read())


def domcapabilities(inputs, *parts):
    inputs.copy("domcapabilities.xml", *parts)


def wanted(file):
    """Of one lab host's files, those that bear on CPUs, machine types and devices; q35 stands for
    all of libvirt's answers, which are long and alike."""
    if file.startswith("domcapabilities"):
        return file.endswith("-q35.xml")
    if file.startswith("qmp-"):
        return "-device-list-properties-" in file or file.endswith((
            "query-version.json", "query-machines.json", "query-kvm.json",
            "query-cpu-definitions.json", "full-host.json", "full-max.json",
            "qom-list-types-device.json"))
    return file in ("capabilities.xml", "virsh-version.txt")


def lab_host(inputs, name):
    """What was asked of one of the three lab hosts, libvirt's XML first."""
    folder = inputs.path("truth", "libvirt", "hosts", name)
    files = {file: file for file in os.listdir(folder)}
    with open(os.path.join(folder, "identical.tsv"), encoding="utf-8") as file:
        for line in file:
            twin, _, original = line.rstrip("\n").partition("\t")
            if "-expansion-" in twin:
                files.setdefault(twin, original)
    order = {"capabilities.xml": 0, "virsh-version.txt": 3}
    for file in sorted(filter(wanted, files), key=lambda f: (order.get(f, 1 + f.endswith("n")), f)):
        inputs.copy(file, "truth", "libvirt", "hosts", name, files[file])


# --- IOMMUs --------------------------------------------------------------------------------------

# Of the kernel's own: what it keeps, and that it remaps interrupts, as in our lab.
MSI = "0x00000000fee00000 0x00000000feefffff msi\n"
HYPERTRANSPORT = "0x000000fd00000000 0x000000ffffffffff reserved\n"
# Two network adapters as our lab has them (82574L), each a group of its own.
ADAPTERS = {"vendor": "0x8086", "device": "0x10d3", "class": "0x020000"}
FUNCTIONS = ("0000:01:00.0", "0000:02:00.0")


def listed(inputs, table, *values):
    """A register that is in none of the table's rows was never read on a machine."""
    with open(inputs.path("iommu", table), encoding="utf-8") as file:
        if not any(set(values) <= set(line.rstrip("\n").split("\t")) for line in file):
            sys.exit(f"make-hosts.py: {' '.join(values)} is in no row of {table}")


def with_unit(inputs, name, attributes, options, reserved):
    """A unit with the registers, before adapters: what the kernel would show, replayed."""
    folder = os.path.join(inputs.folder, "iommu")
    files = {"uname": "Linux (none) 6.18.30 x86_64\n", "proc/cmdline": options + "\n",
             "irq-chips": "IR-IO-APIC\nIR-PCI-MSI-\n"}
    files |= {f"sys/class/iommu/{name}/{key}": text + "\n" for key, text in attributes.items()}
    links = []
    for group, address in enumerate(FUNCTIONS, 1):
        path = f"sys/bus/pci/devices/{address}"
        files |= {f"{path}/{key}": text + "\n" for key, text in ADAPTERS.items()}
        files |= {f"sys/class/iommu/{name}/devices/{address}": "",
                  f"sys/kernel/iommu_groups/{group}/devices/{address}": "",
                  f"sys/kernel/iommu_groups/{group}/reserved_regions": reserved,
                  f"sys/kernel/iommu_groups/{group}/type": "DMA-FQ\n"}
        links += [{"path": f"link:/{path}/{key}", "target": f"../../{target}"} for key, target in
                  (("iommu_group", group), ("driver", "vfio-pci"), ("iommu", name))]
    files["meta.jsonl"] = "".join(json.dumps(link) + "\n" for link in links)
    for path, text in files.items():
        write(os.path.join(folder, path), text)
    told = replayed(folder)
    read = {"amdvi", "iommu", "pci", "vtd"}
    inputs.base = {"facts": [fact for fact in told["facts"] if fact["id"].startswith("iommu.")],
                   "iommus": told["iommus"], "devices": told["devices"],
                   "probe": {"sources": [source for source in told["probe"]["sources"]
                                         if source["name"] in read and source["state"] == "ok"]}}


def vtd(inputs, cap, ecap, options):
    """A VT-d unit of vtd_registers.tsv, and the kernel's options for it."""
    listed(inputs, "vtd_registers.tsv", cap, ecap)
    with_unit(inputs, "dmar0", {"intel-iommu/cap": cap, "intel-iommu/ecap": ecap,
                                "intel-iommu/version": "1:0"}, options, MSI)


def amdvi(inputs, efr, efr2):
    """An AMD unit of amdvi_features.tsv."""
    listed(inputs, "amdvi_features.tsv", efr, efr2)
    with_unit(inputs, "ivhd0", {"amd-iommu/features": f"{efr}:{efr2}"}, "quiet", MSI + HYPERTRANSPORT)


# --- libvirt's cache of what a QEMU told it -----------------------------------------------------

def property_value(element):
    kind, value = element.get("type"), element.get("value")
    return value == "true" if kind == "boolean" else int(value) if kind == "number" else value


def expansion(cpu, migratable):
    """What the host's CPU gives, with what can't migrate or without it."""
    props = {}
    for element in cpu.findall("property"):
        value = property_value(element)
        if value is True and migratable and element.get("migratable") != "yes":
            value = False
        props[element.get("name")] = value
    props["migratable"] = migratable
    return {"model": {"name": "base", "props": props}}


def machines_of(root, kind):
    for element in root.findall("machine"):
        if element.get("type") == kind and element.get("name") != "none":
            entry = {"name": element.get("name"), "cpu-max": int(element.get("maxCpus", "0")),
                     "deprecated": element.get("deprecated") == "yes"}
            if element.get("alias"):
                entry["alias"] = element.get("alias")
            if element.get("default") == "yes":
                entry["is-default"] = True
            yield entry


def definitions_of(root, kind):
    for element in root.findall("cpu"):
        if element.get("type") == kind:
            yield {"name": element.get("name"), "typename": element.get("typename"),
                   "deprecated": element.get("deprecated") == "yes",
                   "unavailable-features": [e.get("name") for e in element.findall("blocker")]}


def version_of(root):
    number = int(root.findtext("version"))
    return {"qemu": {"major": number // 1000000, "minor": number // 1000 % 1000,
                     "micro": number % 1000}, "package": root.findtext("package") or ""}


def qemucaps(inputs, name, cpu=True):
    """A QEMU as libvirt remembers it: version, machine types and, unless @cpu is off, its CPU."""
    root = ElementTree.parse(inputs.path("libvirt-qemucaps", f"caps_{name}.xml")).getroot()
    inputs.reply("qmp-kvm-none-query-version.json", version_of(root))
    inputs.reply("qmp-kvm-none-query-machines.json", list(machines_of(root, "kvm")))
    if not cpu:
        return
    inputs.reply("qmp-kvm-none-query-cpu-definitions.json", list(definitions_of(root, "kvm")))
    cpus = [element for element in root.findall("hostCPU") if element.get("type") == "kvm"]
    for migratable in (True, False):
        inputs.reply("qmp-kvm-none-query-cpu-model-expansion-full-base.json",
                     expansion(cpus[0], migratable))


# --- lscpu ---------------------------------------------------------------------------------------

def label_of(text):
    """The dictionary's label for what the kernel says of a vulnerability."""
    text = text[len("KVM: "):] if text.startswith("KVM: ") else text
    for start, label in (("Not affected", "not-affected"), ("Mitigation", "mitigated"),
                         ("Vulnerable", "vulnerable"), ("Processor vulnerable", "vulnerable")):
        if text.startswith(start):
            return label
    return None


def lscpu(inputs, name):
    """The kernel's view: flags, and what it says of vulnerabilities."""
    entries = {entry["id"]: entry for entry in dictionary()["capabilities"]}
    flags = {flag: entry["id"] for entry in entries.values()
             if entry["type"] == "bool" and "arch" not in entry
             for flag in entry.get("names", {}).get("kernel", [])}
    values = {}
    with open(inputs.path("lscpu-linuxhw", f"{name}.txt"), encoding="utf-8") as file:
        for line in file:
            key, colon, value = line.partition(":")
            values[key.strip()] = value.strip() if colon else ""
    for flag in values.get("Flags", "").split():
        if flag in flags:
            inputs.facts.append((flags[flag], True))
    for key, text in values.items():
        known = f"mitigation.{key[len('Vulnerability '):].lower().replace(' ', '_')}"
        if key.startswith("Vulnerability ") and known in entries and label_of(text):
            inputs.facts.append((known, entries[known]["labels"].index(label_of(text))))


def add_kernel_facts(doc, facts):
    for name, value in sorted(facts):
        doc["facts"].append({"id": name, "value": value, "state": "known", "origin": "lscpu",
                             "scope": {"view": "kernel"}})
    if facts:
        doc["probe"]["sources"].append({"name": "lscpu", "state": "ok", "complete": False})


def joined(base, doc):
    """A recording's document with what files add to it."""
    for member in ("facts", "emulators"):
        doc[member] = base.get(member, []) + doc[member]
    for member in ("iommus", "devices"):
        if member in base:
            doc[member] = base[member]
    doc["probe"]["sources"] = base.get("probe", {}).get("sources", []) + doc["probe"]["sources"]
    doc["fingerprint"] = {**base.get("fingerprint", {}), **doc["fingerprint"]}
    return doc


def gives(entry):
    """What an emulator's entry gives a guest, whichever machine type was asked and however."""
    facts = [{key: value for key, value in fact.items() if key != "origin"}
             for fact in entry["facts"]]
    # The first entry of a path also has what the program has of devices, which bears on no feature.
    rest = {key: value for key, value in entry.items()
            if key not in ("machine", "devices", "devices_complete", "objects")}
    return json.dumps({**rest, "facts": facts}, sort_keys=True)


def fold(doc):
    """Machine types under which QEMU gives exactly the same stand once, as a probe tells them."""
    kept = []
    for entry in doc["emulators"]:
        first = next((other for other in kept if entry["view"] == "qemu" and entry["facts"] and
                      gives(other["bare"]) == gives(entry)), None)
        if first:
            first["entry"].setdefault("same_as", []).append(entry["machine"])
        else:
            kept.append({"entry": entry, "bare": dict(entry)})
    doc["emulators"] = [other["entry"] for other in kept]


# --- a document that can be read and compared line by line ---------------------------------------

def height(value):
    if isinstance(value, dict):
        return 1 + max(map(height, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(height, value), default=0)
    return 0


def lines(value, indent=0):
    """JSON with sorted keys; a fact, a machine type or a model takes one line."""
    flat = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    if height(value) == 0 or height(value) <= 2 and len(flat) <= WIDTH and indent:
        return flat
    pad = "\n" + " " * (indent + 1)
    if isinstance(value, dict):
        inner = [f"{json.dumps(key, ensure_ascii=False)}: {lines(value[key], indent + 1)}"
                 for key in sorted(value)]
        return "{" + pad + ("," + pad).join(inner) + "\n" + " " * indent + "}"
    return "[" + pad + ("," + pad).join(lines(item, indent + 1) for item in value) + \
        "\n" + " " * indent + "]"


# --- hosts ---------------------------------------------------------------------------------------

STEPS = {step.__name__: step for step in (
    qemu_of, machine, cpuid, of_arch, cache, recording, unpatched, kvm_registers, replies_of, lab_host,
    domcapabilities, capabilities, qemucaps, cpuinfo, lscpu, vtd, amdvi)}


def make_profile(tool, data, name, steps):
    with tempfile.TemporaryDirectory(prefix="capbroker-hosts-") as folder:
        inputs = Inputs(data, folder)
        for step, *arguments in steps:
            STEPS[step](inputs, *arguments)
        doc = inputs.base or {}
        if inputs.files:
            text = subprocess.run([tool, name, inputs.emulator, os.path.join(SCHEMA, "data"),
                                   *inputs.files],
                                  check=True, capture_output=True, text=True).stdout
            doc = joined(doc, json.loads(text))
    add_kernel_facts(doc, inputs.facts)
    fold(doc)
    # Several hosts of the fleet share a profile, and none is the machine it was recorded on.
    doc["host"].pop("uuid", None)
    doc["host"]["name"] = name
    for source in doc["probe"]["sources"]:
        source.pop("ms", None)
    doc["fingerprint"]["recorded"] = name
    doc["probe"]["time"] = TIME
    return lines(doc) + "\n"


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tool", default=shutil.which("make-profile") or "./make-profile",
                        help="the program make-profile, built by 'make check'")
    parser.add_argument("--output", default=os.path.join(TOP, "tests", "hosts"), metavar="DIR")
    parser.add_argument("data", metavar="DATA")
    parser.add_argument("names", nargs="*", metavar="NAME")
    args = parser.parse_args()
    unknown = set(args.names) - set(RECIPES)
    if unknown:
        sys.exit(f"make-hosts.py: no recipe for {', '.join(sorted(unknown))}")
    for name, recipe in RECIPES.items():
        if args.names and name not in args.names:
            continue
        write(os.path.join(args.output, name, "profile.json"),
              make_profile(args.tool, args.data, name, recipe["steps"]))
        write(os.path.join(args.output, name, "README"), recipe["readme"].lstrip("\n"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
