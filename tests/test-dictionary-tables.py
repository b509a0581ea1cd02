# SPDX-License-Identifier: LGPL-2.1-or-later
"""The tables of schema/data: whole, consistent, and right about the machine lists known."""

import json
import re

from dictionary_fixture import Tally, dictionary, names, read_table, recorded

DATE = re.compile(r"\d{4}-(0[1-9]|1[0-2])(-\d\d)?$")
ORACLE = "11.3.0"  # the libvirt that answered the oracle's questions
# the fleet of the recorded truth
HOSTS = {"a": ("7.2", "9.0.0"), "b": ("10.0", "11.3.0"), "d": ("11.1", "12.8.0")}


def key(version):
    return tuple(int(part) for part in version.split("."))


def check_names(tally, known):
    rows = read_table("libvirt-names.tsv")
    tally.check(len({(row["kind"], row["name"]) for row in rows}) == len(rows), "each name once")
    for row in rows:
        tally.check(row["kind"] in ("feature", "model", "removal"), f"{row['name']}: kind")
        tally.check(row["not_in"] == "-" or key(row["not_in"]) < key(row["first_in"]),
                    f"{row['name']}: lacking before having")
        if row["kind"] != "model":
            tally.check(row["name"] in known, f"feature '{row['name']}' is in the dictionary")
    models = {row["name"]: row["first_libvirt"] for row in read_table("cpu-models.tsv")}
    for row in rows:
        if row["kind"] == "model":
            # the maps that were read say it, or release notes that narrow them
            seen, told = models.get(row["name"], "0"), "release notes" in row["source"]
            tally.check(seen == row["first_in"] or (told and key(row["first_in"]) < key(seen)),
                        f"model '{row['name']}'")
    removed = {name for row in read_table("cpu-models.tsv") for name in row["removed"].split()}
    tally.check({row["name"] for row in rows if row["kind"] == "removal"} == removed - {"-"},
                "all that models lost, and since when")


def check_differences(tally, entries):
    """A difference is an obligation, or a name that the oracle's libvirt did not have yet."""
    first = {row["name"]: row["first_in"] for row in read_table("libvirt-names.tsv")
             if row["kind"] == "feature"}
    for row in read_table("arithmetic-differences.tsv"):
        found = [entry for entry in entries["capabilities"]
                 if entry["id"].split(".")[-1] == row["feature"]]
        newer = key(first.get(row["feature"], "0")) > key(ORACLE)
        tally.check(len(found) == 1 and (found[0]["rule"] == "higher-safe" or newer),
                    f"{row['feature']}: neither an obligation nor newer than libvirt {ORACLE}")


def check_qemu_models(tally, known):
    table = {row["name"]: set(row["features"].split()) for row in read_table("cpu-models.tsv")}
    for row in read_table("qemu-cpu-models.tsv"):
        more, less = (set(row[side].split()) - {"-"} for side in ("more", "less"))
        tally.check((row["name"] in table) == (row["in_libvirt"] == "yes"), row["name"])
        ours = table.get(row["name"], set())
        tally.check(more <= set(known) and not more & ours, f"{row['name']}: more is more")
        tally.check(less <= ours, f"{row['name']}: less is less")


def check_machines(tally):
    rows = {f"{row['family']}-{row['version']}": row for row in read_table("machine-types.tsv")}
    for name, row in rows.items():
        dates = [row["released"], row["deprecated"], row["removed"]]
        tally.check(all(map(DATE.match, dates)) and dates == sorted(dates), f"{name}: {dates}")
    for host, (version, _) in HOSTS.items():
        path = recorded("truth", "libvirt", "hosts", host, "qmp-tcg-none-query-machines.json")
        with open(path, encoding="utf-8") as file:
            machines = {m["name"]: m["deprecated"] for m in json.load(file)["return"]}
        for name in machines:
            tally.check(not re.match(r"pc-(i440fx|q35)-\d", name) or name in rows,
                        f"{name} of QEMU {version} is in the table")
        for name, row in rows.items():
            there = key(row["version"])[:2] <= key(version) < key(row["removed_in"])
            tally.check((name in machines) == there, f"{name} in QEMU {version}")
            if there and name in machines:
                tally.check(machines[name] == (key(row["deprecated_in"]) <= key(version)),
                            f"{name} deprecated in QEMU {version}")


def main():
    tally = Tally()
    entries = dictionary()
    known = names(entries, "libvirt")
    check_names(tally, known)
    check_differences(tally, entries)
    check_qemu_models(tally, known)
    check_machines(tally)
    tally.finish("rows of tables", least=1000)


main()
