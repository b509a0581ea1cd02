# SPDX-License-Identifier: LGPL-2.1-or-later
"""Counts the dictionary's entries that some recorded host has, and prints the rest's number.

An entry is fired by a fact that is known and says something: a bool that is true, a number, a name.
With -v, the ids that nothing fires.  Fails where recorded hosts fire fewer than they used to.
"""

import glob
import json
import os
import sys

from dictionary_fixture import SKIP, TOP, dictionary

LEAST = 450


def fired(value):
    """Ids of facts that say something, anywhere in a profile."""
    if isinstance(value, dict):
        if "id" in value and value.get("state") == "known" and \
                value.get("value") not in (None, False, "", []):
            yield value["id"]
        for item in value.values():
            yield from fired(item)
    elif isinstance(value, list):
        for item in value:
            yield from fired(item)


def main():
    hosts = sorted(glob.glob(os.path.join(TOP, "tests", "hosts", "*", "profile.json")))
    if not hosts:
        print("skipped: no recorded host below tests/hosts")
        return SKIP
    ids = {entry["id"] for entry in dictionary()["capabilities"]
           if "qemu-option" not in entry["flags"]}
    found = set()
    for path in hosts:
        with open(path, encoding="utf-8") as file:
            found.update(fired(json.load(file)))
    silent = sorted(ids - found)
    print(f"{len(ids)} entries, {len(ids) - len(silent)} fired by {len(hosts)} recorded hosts, "
          f"{len(silent)} by none (-v lists them); {len(found - ids)} facts not in the dictionary")
    if "-v" in sys.argv[1:]:
        print("\n".join(silent))
    if len(ids) - len(silent) < LEAST:
        print(f"at least {LEAST} used to be fired")
        return 1
    return 0


sys.exit(main())
