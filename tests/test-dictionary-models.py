# SPDX-License-Identifier: LGPL-2.1-or-later
"""The table of CPU models expands each name to what libvirt itself expands it to."""

import json

from dictionary_fixture import Tally, dictionary, names, read_table, recorded


def main():
    tally = Tally()
    known = names(dictionary(), "libvirt")
    models = {row["name"]: row for row in read_table("cpu-models.tsv")}
    for row in models.values():
        features = row["features"].split()
        tally.check(features == sorted(set(features)), f"{row['name']}: features sorted, once each")
        for name in features:
            tally.check(name in known, f"{row['name']}: feature '{name}' is in the dictionary")
        canonical = models.get(row["canonical"])
        tally.check(canonical is not None and canonical["canonical"] == row["canonical"] and
                    canonical["features"] == row["features"] and
                    canonical["vendor"] == row["vendor"],
                    f"{row['name']}: '{row['canonical']}' is the same model under its first name")
    with open(recorded("oracle", "models_expanded.jsonl"), encoding="utf-8") as file:
        oracle = [json.loads(line) for line in file]
    for answer in oracle:
        row = models.get(answer["model"])
        tally.check(row is not None, f"model '{answer['model']}' is in the table")
        if row is None:
            continue
        want, have = set(answer["features"]), set(row["features"].split())
        tally.check(want == have, f"{answer['model']}: lacks {sorted(want - have)}, "
                                  f"has too much {sorted(have - want)}")
        if answer["vendor"]:
            tally.check(answer["vendor"] == row["vendor"], f"{answer['model']}: vendor")
    tally.check(len(oracle) == 150, f"{len(oracle)} models in the oracle")
    tally.finish("models and their features", least=1000)


main()
