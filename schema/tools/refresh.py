#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""capbroker-refresh: compare an installed QEMU and libvirt with the tables of facts about versions.

Prints the rows that are missing from the tables, or that say something else, as they can be
appended to a site's own files in /etc/capbroker/data; with --write it appends them.  See
capbroker-refresh(1).

Standard library only; runs on Python 3.9.
"""

import argparse
import os
import shutil
import sys

# Filled in where it is built.
DATADIR, SYSCONFDIR = "@pkgdatadir@", "@sysconfdir@"
HERE = os.path.dirname(os.path.realpath(__file__))
# What the other programs look for first, too.
NAMED = os.environ.get("CAPBROKER_DATADIR") or (os.path.dirname(HERE) if "@" in DATADIR else DATADIR)
sys.path.insert(0, os.path.join(NAMED, "tools"))

# pylint: disable=wrong-import-position
import cpu_map
import qemu_facts
import qemu_models
import refresh_libvirt
import refresh_qemu
import tables
# pylint: enable=wrong-import-position

PROGRAMS = ("qemu-system-x86_64", "/usr/libexec/qemu-kvm", "qemu-kvm")
EXIT_NONE, EXIT_MISSING, EXIT_ERROR = 0, 1, 2


def fail(message):
    """One line, and the exit status."""
    line = "".join(c if c.isprintable() else " " for c in str(message))
    print(f"capbroker-refresh: {line}", file=sys.stderr)
    sys.exit(EXIT_ERROR)


def dictionary():
    """Where the dictionary is: among the data, or in a built tree beside this script."""
    path = os.path.join(NAMED, "dictionary.json")
    return path if os.path.exists(path) else os.path.join(HERE, "dictionary.json")


class Report:
    """The rows that were found, by table."""

    def __init__(self, loaded):
        self.loaded, self.found = loaded, {}

    def add(self, results):
        for name, row, why in results:
            lines = self.found.setdefault(name, {})
            lines.setdefault(self.loaded[name].line(row), why)

    def rows(self):
        return sum(len(lines) for lines in self.found.values())

    def text(self, lines):
        """Lines with what each is for above it."""
        before = None
        for line, why in lines.items():
            if why and why != before:
                yield f"# {why}"
            before = why
            yield line

    def print(self, site):
        for name in sorted(self.found):
            print(f"# {os.path.join(site, name)}")
            if not os.path.exists(os.path.join(site, name)):
                print("\t".join(self.loaded[name].columns))
            for line in self.text(self.found[name]):
                print(line)

    def write(self, site):
        os.makedirs(site, exist_ok=True)
        for name in sorted(self.found):
            path, lines = os.path.join(site, name), list(self.text(self.found[name]))
            tables.append(path, self.loaded[name].columns, lines)
            print(f"{path}: {len(self.found[name])} rows added")


def ask_qemu(command, loaded, report, arguments):
    facts = refresh_qemu.Facts(command, refresh_qemu.wanted(loaded, arguments.data))
    report.add(refresh_qemu.vendors(facts, loaded))
    report.add(refresh_qemu.machine_types(facts, loaded))
    report.add(refresh_qemu.properties(facts, loaded))
    if not arguments.dictionary and not os.path.exists(dictionary()):
        print(f"capbroker-refresh: {dictionary()}: not there, so CPU models aren't compared (give "
              "--dictionary, or build capbroker)", file=sys.stderr)
        return
    names, spellings = qemu_models.read_names(arguments.dictionary or dictionary())
    features = {row["name"]: set(row["features"].split())
                for row in reversed(loaded["cpu-models.tsv"].rows)}
    report.add(refresh_qemu.cpu_models(facts, loaded, features, names))
    unknown = refresh_qemu.unknown_features(facts, spellings)
    if unknown:
        print(f"capbroker-refresh: {command}: CPU features that the dictionary has no entry for: "
              f"{' '.join(unknown)} (kept under these names, as lower-safe)", file=sys.stderr)


def ask_libvirt(uri, loaded, report, arguments):
    facts = refresh_libvirt.Facts(uri, arguments.cpu_map)
    report.add(refresh_libvirt.names(facts, loaded))
    report.add(refresh_libvirt.models(facts, loaded))


def load_tables(arguments):
    names = refresh_qemu.TABLES + refresh_libvirt.TABLES
    return {name: tables.load(name, arguments.data, arguments.site) for name in names}


def parse():
    site = "/etc" if "@" in SYSCONFDIR else SYSCONFDIR
    parser = argparse.ArgumentParser(
        prog="capbroker-refresh",
        description="Compare an installed QEMU and libvirt with capbroker's tables, and print the "
        "rows that are missing.", epilog="Exit status: 0 nothing is missing (or it was written), "
        "1 rows are missing, 2 usage or error.")
    parser.add_argument("qemu", nargs="*", metavar="QEMU",
                        help="a QEMU to ask, with arguments apart by spaces (default: the one "
                        "that is installed)")
    parser.add_argument("--connect", action="append", metavar="URI",
                        help="a libvirt to ask; 'none' for none (default: qemu:///system where "
                        "virsh is installed and no QEMU is named)")
    parser.add_argument("--cpu-map", default="/usr/share/libvirt/cpu_map", metavar="DIR",
                        help="libvirt's CPU map (default: %(default)s)")
    parser.add_argument("--data", default=os.path.join(NAMED, "data"), metavar="DIR",
                        help="the tables to compare with (default: %(default)s)")
    parser.add_argument("--site", default=os.path.join(site, "capbroker", "data"), metavar="DIR",
                        help="the site's own rows (default: %(default)s)")
    parser.add_argument("--dictionary", metavar="FILE",
                        help=f"the dictionary as JSON (default: {dictionary()})")
    parser.add_argument("--write", action="store_true",
                        help="append the rows to the site's files")
    return parser.parse_args()


def whom(arguments):
    """(QEMUs, libvirts) to ask."""
    qemus, uris = list(arguments.qemu), [u for u in arguments.connect or () if u != "none"]
    if not qemus and not uris:
        qemus = [program for program in PROGRAMS if shutil.which(program)][:1]
        if arguments.connect is None and shutil.which("virsh"):
            uris = ["qemu:///system"]
    if not qemus and not uris:
        fail("nobody to ask: no QEMU in PATH, no virsh (name a QEMU, or --connect URI)")
    return qemus, uris


def main():
    arguments = parse()
    try:
        qemus, uris = whom(arguments)
        loaded = load_tables(arguments)
        report = Report(loaded)
        for command in qemus:
            try:
                ask_qemu(command, loaded, report, arguments)
            except qemu_facts.QemuError as error:
                fail(f"{command}: {error}")
        for uri in uris:
            ask_libvirt(uri, loaded, report, arguments)
        if arguments.write:
            report.write(arguments.site)
            return EXIT_NONE
        report.print(arguments.site)
        sys.stdout.flush()
    except (tables.TableError, cpu_map.MapError, refresh_libvirt.LibvirtError) as error:
        fail(error)
    except (OSError, ValueError) as error:
        fail(f"{getattr(error, 'filename', None) or 'refresh'}: {error}")
    return EXIT_MISSING if report.rows() else EXIT_NONE


if __name__ == "__main__":
    sys.exit(main())
