#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""test-settings.py: settings for libvirt, Nova, oVirt, KubeVirt and Proxmox, read as they read them.

Each recorded host alone, and several sets of them. What is written must be valid: libvirt's by its
schema; nova.conf by oslo.config with Nova's own options where they are installed; a KubeVirt resource by
YAML and the fields that its published types have; Proxmox's section by a reader of its documented
grammar; a cluster by its elements, and the CPU type must be the one that another judge picks. And it
must say the same as the answer in JSON, or name in a comment what isn't said.
"""

import configparser
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

from answers_fixture import problems, validator
from dictionary_fixture import SCHEMA

SOURCE = os.path.abspath(os.environ.get("top_srcdir", ".."))
HOSTS = os.path.join(SOURCE, "tests", "hosts")
BUILT = os.path.abspath(os.environ.get("top_builddir", ".."))
CONSUMERS = ("libvirt", "libvirt-domain", "qemu", "nova", "ovirt", "kubevirt", "proxmox")
SETS = (("lab-debian12", "lab-debian13", "lab-sid"), ("haswell-e5-2650v3", "broadwell-e5-2650v4"),
        ("haswell-e5-2650v3", "cascadelake-8268"), ("cascadelake-kvm6.18", "genoa-kvm6.18"),
        ("power8-qemu7.1", "power9-qemu7.1"), ("z15-qemu8.1", "z16-qemu10.0", "z17-qemu11.0"),
        ("rome-7502", "rome-7742"), ("arm64-max-kvm7.2", "lab-debian12"))
NOVA = """
import json, sys
sys.path.insert(0, "/usr/lib/python3/dist-packages")
from oslo_config import cfg, types
names = ("virt_type", "cpu_mode", "cpu_models", "cpu_model_extra_flags", "hw_machine_type")
try:
    from nova.conf import libvirt
    options = [o for o in libvirt.libvirt_general_opts if o.name in names]
    by = "Nova's own options"
except ImportError:
    options = [cfg.StrOpt("virt_type", choices=("kvm", "lxc", "qemu", "parallels")),
               cfg.StrOpt("cpu_mode", choices=("host-model", "host-passthrough", "custom", "none")),
               cfg.ListOpt("cpu_models", default=[]),
               cfg.ListOpt("cpu_model_extra_flags", item_type=types.String(ignore_case=True), default=[]),
               cfg.ListOpt("hw_machine_type")]
    by = "options of the same types"
out = []
for path in sys.argv[1:]:
    conf = cfg.ConfigOpts()
    conf.register_opts(options, group="libvirt")
    conf([], project="nova", default_config_files=[path])
    out.append({name: conf.libvirt[name] for name in names})
print(json.dumps([by, out]))
"""
VIOMMU = {"model": "intel", "properties": {"viommu.intel.aw-bits": 39, "caching-mode": True,
                                           "intremap": True, "first-stage": False}}

failures, left_out = [], []


def check(good, what, why=""):
    if not good:
        failures.append(what)
        print("not ok %s%s" % (what, ": %s" % (why,) if why else ""))


def table(name):
    with open(os.path.join(SCHEMA, "data", name), encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file if not line.startswith("#")]
    return [dict(zip(rows[0], row)) for row in rows[1:]]


NAMES, CLUSTERS = table("consumer-names.tsv"), table("ovirt-cpus.tsv")
MODELS = {row["name"]: row for row in table("cpu-models.tsv")}


def names(consumer, kind):
    return {row["name"]: row["value"] for row in NAMES if (row["consumer"], row["kind"]) == (consumer, kind)}


def run(*arguments, text=None):
    return subprocess.run(arguments, input=text, capture_output=True, text=True, timeout=300)


def comments(text):
    """All comments in one line each, with single spaces."""
    plain = re.sub(r"\n#  ", " ", text)
    return " ".join(re.sub(r"\s+", " ", plain).split())


def said(text, name):
    """Is a name spoken of in a comment?"""
    return name in comments(text)


def delta_of(group, nameless=False):
    return [("+" if d["policy"] == "require" else "-") + d["name"] for d in group["cpu"]["delta"]
            if nameless or not d.get("nameless")]


# --- each consumer's reader ------------------------------------------------------------------------

def read_libvirt_domain(what, group, text):
    root = ElementTree.fromstring(text)
    check(root.tag == "domain", what, "is no domain")
    check(root.find("os/type").get("machine") == (group["machines"] or [None])[0], what, "machine type")
    check(root.find("os/type").get("arch", "unknown") == group["arch"], what, "architecture")
    features = [("+" if f.get("policy") == "require" else "-") + f.get("name")
                for f in root.findall("cpu/feature")]
    check(features == delta_of(group), what, features)
    for entry in group["cpu"]["delta"]:
        check(not entry.get("nameless") or said(text, entry["name"]), what, "doesn't speak of " + entry["name"])
    validate_domain(what, root)


def validate_domain(what, root):
    """By libvirt's own schema, as it is inside a whole definition."""
    if not shutil.which("virt-xml-validate"):
        if "virt-xml-validate" not in left_out:
            left_out.append("virt-xml-validate")
            print("left out: libvirt's schema (install libvirt-clients)")
        return
    root.set("type", root.get("type", "kvm"))
    for place, (tag, value) in enumerate((("name", "x"), ("memory", "65536"), ("vcpu", "1"))):
        element = ElementTree.Element(tag)
        element.text = value
        root.insert(place, element)
    with tempfile.NamedTemporaryFile("w", suffix=".xml") as file:
        file.write(ElementTree.tostring(root, encoding="unicode"))
        file.flush()
        process = run("virt-xml-validate", file.name, "domain")
    check(process.returncode == 0, what, process.stderr)


def read_nova(what, group, text, seen):
    """As an ini file; the same is read by oslo.config below."""
    parser = configparser.ConfigParser(delimiters=("=",), comment_prefixes=("#",), strict=True)
    parser.read_string(text)
    section = dict(parser["libvirt"])
    mode = group["cpu"].get("mode", "custom")
    check(parser.sections() == ["libvirt"] and section["cpu_mode"] == mode, what, section)
    flags = section.get("cpu_model_extra_flags", "")
    check([flag.strip() for flag in flags.split(",") if flag] == delta_of(group), what, flags)
    check(section.get("cpu_models") == (group["cpu"]["model"] if mode == "custom" else None), what)
    machine = "%s=%s" % (group["arch"], group["machines"][0]) if group["machines"] else None
    check(section.get("hw_machine_type") == machine, what, section)
    seen.append((what, text, section))


def nova_by_oslo(seen, folder):
    paths = []
    for number, (_, text, _) in enumerate(seen):
        paths.append(os.path.join(folder, "%d.conf" % number))
        with open(paths[-1], "w", encoding="utf-8") as file:
            file.write(text)
    process = run("/usr/bin/python3", "-c", NOVA, *paths) if os.path.exists("/usr/bin/python3") else None
    if not process or "No module named 'oslo_config'" in process.stderr:
        print("left out: nova.conf by oslo.config (install python3-oslo.config, or python3-nova)")
        return
    check(process.returncode == 0, "oslo.config reads all", process.stderr[-500:])
    by, read = json.loads(process.stdout or "[null, []]")
    print("%d nova.conf read by oslo.config, with %s" % (len(read), by))
    for (what, _, section), values in zip(seen, read):
        flags = [flag.strip() for flag in section.get("cpu_model_extra_flags", "").split(",") if flag]
        check([flag.lower() for flag in values["cpu_model_extra_flags"]] == [f.lower() for f in flags],
              what, values)
        check(values["cpu_mode"] == section["cpu_mode"] and
              (values["hw_machine_type"] or [None])[0] == section.get("hw_machine_type"), what, values)


def read_kubevirt(what, group, text):
    try:
        import yaml
    except ImportError:
        if "yaml" not in left_out:
            left_out.append("yaml")
            print("left out: KubeVirt's resource by a reader of YAML (install python3-yaml)")
        return
    doc = yaml.safe_load(text)
    check((doc["apiVersion"], doc["kind"]) == ("kubevirt.io/v1", "KubeVirt"), what)
    conf = doc["spec"]["configuration"]
    check(set(conf) <= {"cpuModel", "obsoleteCPUModels", "architectureConfiguration"}, what, set(conf))
    check(conf["cpuModel"] == group["cpu"].get("mode", group["cpu"]["model"]), what, conf["cpuModel"])
    obsolete = conf.get("obsoleteCPUModels", {})
    check(all(isinstance(k, str) and isinstance(v, bool) for k, v in obsolete.items()), what, obsolete)
    check(not obsolete.get(conf["cpuModel"]), what, "its own model is obsolete")
    usual = names("kubevirt", "obsolete")
    check(not obsolete or {k for k, v in obsolete.items() if v} == set(usual) - {conf["cpuModel"]}, what)
    for arch, value in conf.get("architectureConfiguration", {}).items():
        check(arch in ("amd64", "arm64", "s390x") and list(value) == ["machineType"], what, value)
        check(value["machineType"] in group["machines"], what, value)
    for flag in delta_of(group):
        check("mode" in group["cpu"] or said(text, flag), what, "doesn't speak of " + flag)


PROXMOX = {
    "flags": re.compile(r"[+-][a-zA-Z0-9\-_.]+(;[+-][a-zA-Z0-9\-_.]+)*"),
    "phys-bits": re.compile(r"host|[89]|[1-5][0-9]|6[0-4]"),
    "hidden": re.compile(r"[01]"), "reported-model": re.compile(r"[\w-]+"),
}


def sections(text):
    """Proxmox's section files: a header, indented properties, an empty line ends a section."""
    found, current = {}, None
    for line in text.split("\n"):
        if re.match(r"\s*#", line):
            continue
        header, entry = re.match(r"(\S+):\s*(\S+)\s*$", line), re.match(r"\s+(\S+)(\s+(.*\S))?\s*$", line)
        if header:
            current = found.setdefault(header.group(2), {"type": header.group(1)})
        elif entry and current is not None:
            check(entry.group(1) not in current, "Proxmox's section", "said twice: " + entry.group(1))
            current[entry.group(1)] = entry.group(3)
        elif not line.strip():
            current = None
        else:
            check(False, "Proxmox's section", "not understood: " + line)
    return found


def read_proxmox(what, group, text, qemu):
    found = sections(text)
    check(len(found) == 1, what, found)
    (name, section), = found.items()
    check(re.fullmatch(r"[A-Za-z0-9_.-]+", name) and section.pop("type") == "cpu-model", what, name)
    for key, value in section.items():
        check(key in PROXMOX and PROXMOX[key].fullmatch(value), what, (key, value))
    models = names("proxmox", "model")
    model = section.get("reported-model")
    check(model in models and group["cpu"]["model"] in (model, model + "-v1"), what, model)
    vendor = models.get(model)
    check(vendor in ("-", group["vendor"]), what, vendor)
    # the very flags of QEMU's arguments
    cpu = qemu[qemu.index("-cpu") + 1].split(",")[1:-1]
    flags = [flag[0] == "+" and flag[1:] + "=on" or flag[1:] + "=off"
             for flag in section.get("flags", "").split(";") if flag]
    check(flags == cpu, what, flags)
    bits = group["capabilities"].get("cpu.phys-bits")
    check(section.get("phys-bits") == (str(bits) if bits else None), what, section)


def given(group, row):
    """What the engine's type would give guests, or None where some host can't."""
    model = MODELS.get(row["model"])
    if not model or model["vendor"] not in ("-", group["vendor"]) or group["arch"] not in ("x86_64", "i686"):
        return None
    has = {name.replace("_", "-") for name in group["cpu"]["features"]}
    has |= {"vmx", "svm"} | ({"ssbd"} if has & {"amd-ssbd", "virt-ssbd"} else set())
    flags = [] if row["flags"] == "-" else row["flags"].split()
    off = {flag[1:] for flag in flags if flag[0] == "-"}
    asks = {name for name in model["features"].split() if name not in off and not name.startswith("vmx-")}
    wanted = {name.replace("_", "-") for name in asks | {f[1:] for f in flags if f[0] == "+"}}
    wanted |= {flag.replace("_", "-") for flag in row["host_flags"].split()}
    return len(asks) + sum(flag[0] == "+" for flag in flags) if wanted <= has else None


def read_ovirt(what, group, text):
    root = ElementTree.fromstring(re.sub("<!--.*?-->", "", text, flags=re.S).strip())
    tags = [element.tag for element in root.iter()]
    check(tags == ["cluster", "cpu", "architecture", "type", "version", "major", "minor"], what, tags)
    level = "%s.%s" % (root.findtext("version/major"), root.findtext("version/minor"))
    chosen = [row for row in CLUSTERS if (row["level"], row["name"]) == (level, root.findtext("cpu/type"))]
    check(len(chosen) == 1 and chosen[0]["arch"] == root.findtext("cpu/architecture"), what, level)
    lists = {name: [m for m in value.split() if m in group["machines"]]
             for name, value in names("ovirt", "machines").items()}
    levels = sorted((name for name, value in lists.items() if value), key=lambda v: v.split(".")[1].zfill(2))
    check(level == (levels[-1] if levels else max(lists)), what, level)
    if group["arch"] == "x86_64":
        most = [given(group, row) for row in CLUSTERS if row["level"] == level]
        check(given(group, chosen[0]) == max(n for n in most if n is not None), what, chosen)


# --- over hosts ------------------------------------------------------------------------------------

def written(group):
    """consumer → (usable, text), of a group's JSON."""
    process = run(os.path.join(BUILT, "tests", "write-setting"), text=json.dumps(group))
    parts = re.split(r"^=== (\S+) (usable|none)\n", process.stdout, flags=re.M)[1:]
    return {parts[i]: (parts[i + 1] == "usable", parts[i + 2]) for i in range(0, len(parts), 3)}


def by_command(database, hosts, groups):
    """The command writes the same, and each of several groups under a comment."""
    for name in CONSUMERS:
        what = "%s by --format %s" % (" ".join(hosts), name)
        process = run("capbroker", "--db", database, "baseline", "--format", name, *hosts)
        # what a full check would refuse on one of them is asked for with a partial one, which the plain answer
        # doesn't tell (test-start-baseline.py and the lab start them)
        full = process.stdout.replace(" check='partial'", " check='full'")
        parts = [(usable, text.replace(" check='partial'", " check='full'"))
                 for usable, text in (written(group)[name] for group in groups)]
        check(process.returncode == (0 if all(usable for usable, _ in parts) else 3), what, process.stderr)
        check(all(text in full for _, text in parts), what, "not what its JSON makes of it")
        check(len(groups) > 1 or full == parts[0][1], what, "more than its JSON makes of it")
        for group in groups if len(groups) > 1 else ():
            head = "%s %s, %d hosts" % (group["arch"], group["vendor"], group["hosts_n"])
            check(said(process.stdout, head), what, "no comment: " + head)


READERS = {"libvirt-domain": read_libvirt_domain, "kubevirt": read_kubevirt, "ovirt": read_ovirt}


def one_set(database, hosts, held_by, seen, counts):
    doc = json.loads(run("capbroker", "--db", database, "--json", "baseline", *hosts).stdout)
    check(not problems(held_by, doc), "%s: schema" % (hosts,), problems(held_by, doc)[:1])
    for group in doc["baselines"]:
        texts = written(group)
        check(sorted(texts) == sorted(CONSUMERS), "%s: consumers" % (hosts,), sorted(texts))
        for name, (usable, text) in texts.items():
            what = "%s for %s" % (" ".join(hosts), name)
            counts[name, usable] = counts.get((name, usable), 0) + 1
            for comment in re.findall(r"^#.*|<!--(?:.|\n)*?-->", text, re.M):
                check(all(len(line) <= 80 for line in comment.split("\n")), what, "too wide: " + comment)
            if not usable:
                check(re.fullmatch(r"(#.*\n|<!--(.|\n)*?-->\n)+", text), what, text)
            elif name == "nova":
                read_nova(what, group, text, seen)
            elif name == "proxmox":
                read_proxmox(what, group, text, texts["qemu"][1].split())
            elif name in READERS:
                READERS[name](what, group, text)
    if len(hosts) > 1:
        by_command(database, hosts, doc["baselines"])


def viommu(database):
    """A group with a virtual IOMMU, which levels can have, and what each consumer makes of it."""
    group = json.loads(run("capbroker", "--db", database, "--json", "baseline", *SETS[0]).stdout)["baselines"][0]
    texts = {name: text for name, (_, text) in written(dict(group, viommu=VIOMMU)).items()}
    root = ElementTree.fromstring(texts["libvirt-domain"])
    driver = root.find("devices/iommu/driver")
    check(dict(driver.attrib) == {"aw_bits": "39", "caching_mode": "on", "intremap": "on"}, "libvirt's iommu",
          driver.attrib)
    check(root.find("features/ioapic").get("driver") == "qemu", "an I/O APIC that remaps")
    check("first-stage=off" in comments(texts["libvirt-domain"]), "libvirt's comment")
    validate_domain("a domain with an IOMMU", root)
    check("kernel-irqchip=split" in texts["qemu"] and
          "-device intel-iommu,aw-bits=39,caching-mode=on,intremap=on\n" in texts["qemu"], "QEMU's", texts["qemu"])
    check(said(texts["qemu"], "not set: first-stage"), "QEMU's comment")
    check("hw_viommu_model=intel" in texts["nova"] and said(texts["nova"], "aw-bits=39"), "Nova's", texts["nova"])
    check("viommu=intel,aw-bits=39" in comments(texts["proxmox"]), "Proxmox's", texts["proxmox"])
    for name in ("ovirt", "kubevirt"):
        one = dict(group, cpu=dict(group["cpu"], model="Nehalem", features=MODELS["Nehalem"]["features"].split()))
        text = written(dict(one, viommu=VIOMMU))[name][1]
        check(said(text, "a virtual IOMMU of model intel"), name, text)


def bad_groups():
    program = os.path.join(BUILT, "tests", "write-setting")
    cpu = {"model": "qemu64", "features": ["sse"], "delta": []}
    for bad in ({}, {"arch": "x86_64"}, {"arch": 3, "cpu": cpu}, {"arch": "x86_64", "cpu": []},
                {"arch": "x86_64", "cpu": dict(cpu, delta=[{"name": "a", "policy": "force"}])},
                {"arch": "x86_64", "cpu": dict(cpu, features=[3])}, {"arch": "x86_64", "cpu": dict(cpu, model=3)},
                {"arch": "x86_64", "cpu": cpu, "machines": "q35"}, {"arch": "x86_64", "cpu": cpu, "viommu": "intel"},
                {"arch": "x86_64", "cpu": cpu, "capabilities": []}):
        process = run(program, text=json.dumps(bad))
        check(process.returncode == 2 and "wrong type" in process.stderr, "refused: %s" % bad, process.stderr)
    evil = {"arch": "x86_64", "vendor": "a'<b", "machines": ["q'35&"], "features": [],
            "cpu": dict(cpu, model="m<!--", delta=[{"name": "x'>", "policy": "require"}], accel="kvm")}
    root = ElementTree.fromstring(written(evil)["libvirt-domain"][1])
    check(root.find("os/type").get("machine") == "q'35&" and root.findtext("cpu/model") == "m<!--",
          "XML is escaped")


def main():
    folders = sorted(name for name in os.listdir(HOSTS) if os.path.isfile(os.path.join(HOSTS, name, "profile.json")))
    held_by, seen, counts = validator(), [], {}
    with tempfile.TemporaryDirectory() as folder:
        database = os.path.join(folder, "settings.db")
        process = run("capbroker", "--db", database, "import",
                      *(os.path.join(HOSTS, name, "profile.json") for name in folders))
        check(process.returncode == 0, "import", process.stderr)
        for hosts in [(name,) for name in folders] + list(SETS):
            one_set(database, hosts, held_by, seen, counts)
        nova_by_oslo(seen, folder)
        viommu(database)
        bad_groups()
    for name in CONSUMERS:
        print("%-15s %d settings, %d times none" % (name, counts.get((name, True), 0), counts.get((name, False), 0)))
        check(counts.get((name, True), 0) >= 8, "settings for %s are tried" % name)
    print("%d wrong" % len(failures))
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
