#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Write schema/data/ovirt-cpus.tsv and consumer-names.tsv: which names orchestrators take.

    make-consumer-names.py --ovirt SOURCE --proxmox SOURCE --kubevirt SOURCE --cpus FILE --names FILE

Each SOURCE is a checkout of oVirt's engine, of Proxmox's qemu-server, of KubeVirt. Only facts are
taken: names of CPU types with the model and flags they stand for, models that may be reported,
machine types of a cluster's level, models that are passed over by default.

Standard library only; runs on Python 3.9.
"""

import argparse
import os
import re
import subprocess

OVIRT = "packaging/dbscripts/upgrade/pre_upgrade/0000_config.sql"
PROXMOX = "src/PVE/QemuServer/CPUConfig.pm"
OBSOLETE = "pkg/virt-handler/node-labeller/util/util.go"
MACHINES = "pkg/virt-config/virt-config.go"
ARCHITECTURES = {"AMD64": "x86_64", "AARCH64": "aarch64", "S390X": "s390x"}

CPU_COLUMNS = ("level", "rank", "arch", "name", "host_flags", "model", "flags", "source")
CPU_COMMENTS = (
    "ovirt-cpus.tsv: CPU types of oVirt's clusters. Written by schema/tools/make-consumer-names.py.",
    "level: the cluster's compatibility level. rank: the engine's order, within a maker's types.",
    "host_flags: what a host must report too. model, flags: what guests are given.",
)
NAME_COLUMNS = ("consumer", "kind", "name", "value", "source")
NAME_COMMENTS = (
    "consumer-names.tsv: which names orchestrators take. Written by schema/tools/make-consumer-names.py.",
    "proxmox model: may be reported-model; value: the vendor it sets, - the host's. ovirt machines: a",
    "cluster level's machine types, the engine's choice is the first that a host has. kubevirt obsolete:",
    "models it passes over where nothing is set. kubevirt machines: patterns it takes, of an architecture.",
)


def show(tree, path):
    """A file of a checkout, or of a bare repository."""
    plain = os.path.join(tree, path)
    if os.path.exists(plain):
        with open(plain, encoding="utf-8") as file:
            return file.read()
    return subprocess.run(["git", "-C", tree, "show", "HEAD:" + path], check=True, text=True,
                          capture_output=True).stdout


def dated(tree, project, path):
    date = subprocess.run(["git", "-C", tree, "log", "-1", "--format=%cs"], check=True, text=True,
                          capture_output=True).stdout.strip()
    return "%s of %s: %s" % (project, date, path)


def settings_of(text, option):
    """{level: value}: what a function call of the engine's SQL sets last."""
    call = re.compile(r"select fn_db_(?:add|update)_config_value\('%s',\s*((?:'[^']*'\s*(?:\|\|)?\s*)+),"
                      r"\s*'([0-9.]+)'\)" % option)
    return {level: "".join(re.findall("'([^']*)'", value)) for value, level in call.findall(text)}


def ovirt_cpus(text, source):
    for level, value in sorted(settings_of(text, "ServerCPUList").items()):
        for entry in filter(None, (part.strip() for part in value.split(";"))):
            rank, name, host, guest, arch = (part.strip() for part in entry.split(":"))
            model, _, flags = guest.partition(",")
            host = [flag for flag in host.split(",") if not flag.startswith("model_")]
            yield (level, rank, arch, name, " ".join(host), model, flags.replace(",", " ") or "-", source)


def names(arguments):
    text, source = show(arguments.ovirt, OVIRT), dated(arguments.ovirt, "oVirt engine", "ClusterEmulatedMachines")
    for level, value in sorted(settings_of(text, "ClusterEmulatedMachines").items()):
        yield "ovirt", "machines", level, value.replace(",", " "), source
    text = show(arguments.proxmox, PROXMOX)
    block = re.search(r"# Intel CPUs(.*?)aarch64 => \{", text, re.S).group(1)
    source = dated(arguments.proxmox, "Proxmox qemu-server", "CPUConfig.pm")
    vendors = {"GenuineIntel": "Intel", "AuthenticAMD": "AMD", "default": "-"}
    for name, vendor in re.findall(r"^\s*'?([\w-]+)'? => '(%s)'" % "|".join(vendors), block, re.M):
        yield "proxmox", "model", name, vendors[vendor], source
    text = show(arguments.kubevirt, OBSOLETE)
    block = re.search(r"DefaultObsoleteCPUModels = map\[string\]bool\{(.*?)\n\}", text, re.S).group(1)
    source = dated(arguments.kubevirt, "KubeVirt", "DefaultObsoleteCPUModels")
    for name in re.findall(r'"([\w-]+)":\s*true', block):
        yield "kubevirt", "obsolete", name, "-", source
    source = dated(arguments.kubevirt, "KubeVirt", "virt-config.go")
    for arch, value in re.findall(r'Default(\w+)EmulatedMachines\s*=\s*"([^"]+)"',
                                  show(arguments.kubevirt, MACHINES)):
        yield "kubevirt", "machines", ARCHITECTURES[arch], value.replace(",", " "), source


def write(path, columns, comments, rows):
    with open(path, "w", encoding="utf-8") as file:
        file.write("# SPDX-License-Identifier: LGPL-2.1-or-later\n")
        file.writelines("# %s\n" % line for line in comments)
        file.writelines("\t".join(row) + "\n" for row in (columns, *rows))


def main():
    parser = argparse.ArgumentParser()
    for option in ("--ovirt", "--proxmox", "--kubevirt", "--cpus", "--names"):
        parser.add_argument(option, required=True)
    arguments = parser.parse_args()
    source = dated(arguments.ovirt, "oVirt engine", "ServerCPUList")
    write(arguments.cpus, CPU_COLUMNS, CPU_COMMENTS,
          list(ovirt_cpus(show(arguments.ovirt, OVIRT), source)))
    write(arguments.names, NAME_COLUMNS, NAME_COMMENTS, list(names(arguments)))


if __name__ == "__main__":
    main()
