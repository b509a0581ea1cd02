# SPDX-License-Identifier: LGPL-2.1-or-later
"""Recorded hosts that keep their recording give the profile that is kept beside it. REGENERATE=1
writes those anew."""

import glob
import json
import os
import time

from hosts_fixture import HOSTS
from probe_fixture import VALGRIND, check, done, skip
from recording_fixture import replay, write_profile

# Replays take milliseconds each; this is only for one that waits for something.
MOST_SECONDS = 2

folders = sorted(os.path.dirname(path) for path in glob.glob(os.path.join(HOSTS, "*",
                                                                         "recording.json")))
if not folders:
    skip("no host in tests/hosts has a recording (tests/lab/record-guests.py makes them)")


def difference(said, kept):
    """Where two profiles differ, in a line."""
    for key in sorted(set(said) | set(kept)):
        if said.get(key) == kept.get(key):
            continue
        if not isinstance(said.get(key), list) or not isinstance(kept.get(key), list):
            return "%s: %.200s, kept is %.200s" % (key, said.get(key), kept.get(key))
        for one in said[key]:
            if one not in kept[key]:
                return "%s: new: %.300s" % (key, one)
        return "%s: not any more: %.300s" % (key, [o for o in kept[key] if o not in said[key]])
    return "order"


for folder in folders:
    name = os.path.basename(folder)
    start = time.monotonic()
    said = replay(folder)
    taken = time.monotonic() - start
    check(VALGRIND or taken < MOST_SECONDS, f"{name}: a replay of {taken:.1f} s")
    if os.environ.get("REGENERATE"):
        write_profile(folder, said)
    with open(os.path.join(folder, "profile.json"), encoding="utf-8") as file:
        kept = json.load(file)
    check(said == kept, f"{name}: {'' if said == kept else difference(said, kept)}")
print(f"{len(folders)} recordings replayed")
done()
