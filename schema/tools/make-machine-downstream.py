#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Write schema/data/machine-types-downstream.tsv and qemu-vendors.tsv: distributions' machine types.

    make-machine-downstream.py --types FILE --vendors FILE

A distribution's release is one line below: the QEMU it came with is the upstream version that its
machine types were made of.  What they change beyond that is known of few.

Standard library only; runs on Python 3.9.
"""

import argparse

import tables

# Ubuntu release: the QEMU it came with
UBUNTU = {
    "trusty": "2.0", "utopic": "2.1", "vivid": "2.2", "wily": "2.3", "xenial": "2.5",
    "yakkety": "2.6", "zesty": "2.8", "artful": "2.10", "bionic": "2.11", "cosmic": "2.12",
    "disco": "3.1", "eoan": "4.0", "focal": "4.2", "groovy": "5.0", "hirsute": "5.2",
    "impish": "6.0", "jammy": "6.2", "kinetic": "7.0", "lunar": "7.2", "mantic": "8.0",
    "noble": "8.2", "oracular": "9.0", "plucky": "9.2", "questing": "10.1", "resolute": "10.2",
}
# those that were never a q35 type
UBUNTU_NO_Q35 = ("trusty", "utopic", "vivid", "wily")
UBUNTU_HPB = ("bionic", "cosmic", "disco", "eoan", "focal", "groovy", "hirsute", "impish", "jammy",
              "kinetic", "lunar", "mantic")
UBUNTU_MAXCPUS = ("jammy", "mantic")
UBUNTU_V2 = {
    ("pc-i440fx", "noble"): "ARCH_CAPABILITIES corrected (Launchpad 2131822)",
    ("pc-q35", "noble"): "ARCH_CAPABILITIES corrected (Launchpad 2131822)",
    ("pc-i440fx", "questing"): "made of 10.1, which the type without -v2 was not",
}
UBUNTU_UNSTEADY = {
    "trusty": "on Ubuntu 15.10 and 16.04 it was what that QEMU's newest type is",
    "utopic": "on Ubuntu 15.10 and 16.04 it was what that QEMU's newest type is",
    "wily": "a mix of 2.3 and 2.4, which releases mixed differently",
}
UBUNTU_SOURCE = "Ubuntu Server documentation, QEMU machine types; machine list of Ubuntu's 8.2.2"
UBUNTU_BUGS = "Launchpad 1641532, 1829868"

# Red Hat's type: the QEMU that release came with
REDHAT_Q35 = {
    "7.3.0": "2.6", "7.4.0": "2.9", "7.5.0": "2.10", "7.6.0": "2.12", "8.0.0": "3.1",
    "8.1.0": "4.1", "8.2.0": "4.2", "8.3.0": "5.1", "8.4.0": "5.2", "8.5.0": "6.0", "8.6.0": "6.2",
    "9.0.0": "6.2", "9.2.0": "7.2", "9.4.0": "8.2", "9.6.0": "9.1", "9.8.0": "10.1",
    "10.0.0": "9.1", "10.2.0": "10.1",
}
# made of 1.5.3 with much that came later
REDHAT_OLD = ("7.0.0", "7.1.0", "7.2.0")
REDHAT_PC = {"7.3.0": "2.6", "7.4.0": "2.9", "7.5.0": "2.10", "7.6.0": "2.12"}
REDHAT_6 = ("6.0.0", "6.1.0", "6.2.0", "6.3.0", "6.4.0", "6.5.0", "6.6.0")
REDHAT_SOURCE = "machine lists of qemu-kvm in EL 7.1, 8.0, 8.6, 9.8; QEMU of that release"

TYPES = ("vendor", "name", "upstream", "steady", "differs", "source")
TYPES_COMMENTS = (
    "machine-types-downstream.tsv: machine types as distributions have them. Written by",
    "schema/tools/make-machine-downstream.py.",
    "name: may hold * and [0-9]. upstream: the type it was made of; = the one of that name; - not",
    "known. steady: whether all of the vendor's releases give a guest the same by that name.",
    "differs: none (known to be the upstream type in effect), unknown, or what is known of it.",
)
VENDORS = ("package", "vendor", "source")
VENDORS_COMMENTS = (
    "qemu-vendors.tsv: whose QEMU it is, by what query-version calls the package (qemu.package).",
    "Written by schema/tools/make-machine-downstream.py. package: may hold *; the first that fits.",
    "An empty package, written -, is a QEMU built from upstream's sources.",
)
VENDOR_ROWS = (
    ("*ubuntu*", "ubuntu", "query-version of Ubuntu's QEMU: Debian 1:8.2.2+ds-0ubuntu1.16"),
    ("Debian *", "debian", "query-version of Debian 12, 13, sid"),
    ("*pve-qemu-kvm*", "proxmox", "package names"),
    ("pve-*", "proxmox", "package names"),
    ("*.el[0-9]*", "redhat", "package names: qemu-kvm-8.2.0-11.el9_4"),
    ("qemu-kvm-*", "redhat", "package names"),
    ("*.fc[0-9]*", "fedora", "package names: qemu-8.2.2-1.fc40"),
    ("*SUSE*", "suse", "package names"),
    ("v[0-9]*", "upstream", "a build from git"),
    ("-", "upstream", "query-version of a build from a release"),
)


def ubuntu():
    for release, version in UBUNTU.items():
        for family in ("pc-i440fx", "pc-q35"):
            if family == "pc-q35" and release in UBUNTU_NO_Q35:
                continue
            steady = "no" if release in UBUNTU_UNSTEADY else "yes"
            name, upstream = f"{family}-{release}", f"{family}-{version}"
            differs = UBUNTU_UNSTEADY.get(release, "unknown")
            source = UBUNTU_BUGS if steady == "no" else UBUNTU_SOURCE
            yield "ubuntu", name, upstream, steady, differs, source
            variants = [("-hpb", "host-phys-bits=on")] if release in UBUNTU_HPB else []
            if release in UBUNTU_MAXCPUS:
                variants += [("-maxcpus", "up to 1024 processors"),
                             ("-hpb-maxcpus", "host-phys-bits=on, up to 1024 processors")]
            if (family, release) in UBUNTU_V2:
                variants += [("-v2", UBUNTU_V2[family, release])]
            for suffix, what in variants:
                yield "ubuntu", name + suffix, upstream, "yes", what, UBUNTU_SOURCE


def redhat():
    for version in REDHAT_6:
        yield "redhat", f"rhel{version}", tables.NONE, "yes", "unknown", REDHAT_SOURCE
    for version in REDHAT_OLD:
        for family in ("pc-i440fx", "pc-q35"):
            yield ("redhat", f"{family}-rhel{version}", tables.NONE, "yes", "unknown",
                   REDHAT_SOURCE)
    for family, versions in (("pc-i440fx", REDHAT_PC), ("pc-q35", REDHAT_Q35)):
        for version, upstream in versions.items():
            yield ("redhat", f"{family}-rhel{version}", f"{family}-{upstream}", "yes", "unknown",
                   REDHAT_SOURCE)


def others():
    for family in ("pc-i440fx", "pc-q35", "pseries", "s390-ccw-virtio", "virt"):
        name = f"{family}-[0-9]*"
        yield "upstream", name, "=", "yes", "none", "by definition"
        # of other families what is common to all of them was compared
        yield ("debian", name, "=", "yes", "none",
               "compat-props of pc-q35 in Debian's QEMU 10.0.13 against upstream's source")
        yield ("ubuntu", name, "=", "yes", "unknown",
               "Ubuntu Server documentation: migration across vendors is not supported")
        if family.startswith("pc"):
            yield ("proxmox", f"{family}-[0-9]*+pve*", tables.NONE, "yes", "unknown",
                   "Proxmox VE documentation: +pveN is a change of its own to upstream's type")


def main():
    parser = argparse.ArgumentParser(description="Write the tables of distributions' machine "
                                     "types.")
    parser.add_argument("--types", required=True, metavar="FILE")
    parser.add_argument("--vendors", required=True, metavar="FILE")
    arguments = parser.parse_args()
    tables.write(arguments.types, TYPES_COMMENTS, TYPES, [*ubuntu(), *redhat(), *others()])
    tables.write(arguments.vendors, VENDORS_COMMENTS, VENDORS, VENDOR_ROWS)


if __name__ == "__main__":
    main()
