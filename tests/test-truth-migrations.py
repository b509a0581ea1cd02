#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""test-truth-migrations.py: migrations that really happened between three libvirts, each predicted
from the recorded files of both hosts and the guest's live definition alone, by the program itself.

Prints verdict against what happened, by pair and phase. Fails where an ok or warn failed for a reason
in scope; where more than 2 % were blocked and worked safely, or one that EXPLAINED doesn't say why; where
more than 2 % are unknown; where something changed in silence and no block or hazard said so; where the
message of a failure belongs to checks (move-messages.tsv) of which the verdict named none with a block.
truth-out-of-scope.tsv lists what isn't ours to judge, by error text.
Options: --all (print every row that disagrees, with all findings), --quiet.
"""

import argparse
import collections
import json
import os
import re
import subprocess
import sys
import tempfile

SRCDIR = os.environ.get("srcdir", os.path.dirname(os.path.abspath(__file__)))
DATA = os.environ.get("CAPBROKER_SHARED_DATA", os.path.join(SRCDIR, "..", "..", "shared", "data"))
TRUTH = os.path.join(DATA, "truth", "libvirt")
MOVES = os.path.join(TRUTH, "migrations")
RECORDED = {"a": "a", "b": "b", "c": "a", "d": "d"}  # c is a's twin, with files of a
PHASES = ["source-begin", "dst-prepare", "cpu-check-prepare", "cpu-check", "dst-qemu-start", "state-load"]
MOST_BLOCKED, MOST_UNKNOWN = 0.02, 0.02

# Blocks of guests that moved safely: what a finding must say, and why it is right to block. One that no
# row needs any more fails the test.
EXPLAINED = []

# What the recording calls a silent difference and no guest can see.
UNSEEN = [
    re.compile(r"cmdline -machine: dropped \[\] added \['hpet=on'\]"),  # written out, and QEMU's default
    re.compile(r"cmdline -machine: dropped \['hpet=on'\] added \[\]"),
    re.compile(r"cmdline -smp: dropped \[\] added \['clusters=1'\]"),
    re.compile(r"cmdline -smp: dropped \['clusters=1'\] added \[\]"),
]


def capbroker(database, *arguments):
    run = subprocess.run(["capbroker", "--db", database, "--json", *arguments], check=False,
                         stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    return run.returncode, run.stdout, run.stderr


def import_hosts(database):
    for name, recorded in RECORDED.items():
        folder = os.path.join(TRUTH, "hosts", recorded)
        files = sorted(os.path.join(folder, file) for file in os.listdir(folder))
        code, _, err = capbroker(database, "import", "--name", name, *files)
        if code:
            sys.exit(f"importing {folder}: {err}")


def verdicts_of(database, xml_file, source):
    """host → (verdict, [finding]); a file that can't be read is blocked everywhere, as libvirt's."""
    code, out, err = capbroker(database, "check", os.path.join(MOVES, xml_file), "--from", source, "--to", "all")
    if code == 2:
        return {host: ("block", [{"check": "(refused)", "verdict": "block", "effect": "fails-safely",
                                  "text": err.strip()}]) for host in RECORDED}
    answer = json.loads(out)
    if answer["question"] != "migrate":
        sys.exit(f"{xml_file}: asked {answer['question']}, not migrate")
    return {v["host"]: (v["migrate"], v["findings"]) for v in answer["verdicts"]}


def patterns_of(name):
    rows = []
    with open(os.path.join(SRCDIR, name), encoding="utf-8") as file:
        for line in file:
            if line.strip() and not line.startswith(("#", "pattern\t")):
                pattern, meaning = line.rstrip("\n").split("\t")
                rows.append((re.compile(pattern), meaning))
    return rows


def scope_of(row, patterns):
    if row["ok"]:
        return None
    return next((reason for pattern, reason in patterns if pattern.search(row["error"] or "")), None)


def judged_rows(database):
    with open(os.path.join(MOVES, "results.jsonl"), encoding="utf-8") as file:
        rows = [row for row in map(json.loads, file) if row["started_on_source"]]
    known = {}
    for row in rows:
        key = row["live_xml_file"], row["from"]
        if key not in known:
            known[key] = verdicts_of(database, *key)
        row["verdict"], row["findings"] = known[key][row["to"]]
    return rows


def silent(row):
    """What changed in silence, but for what no guest sees."""
    return [text for text in row.get("silent_diff") or []
            if not any(pattern.fullmatch(text) for pattern in UNSEEN)]


def warned(row):
    return row["verdict"] == "block" or any(
        f["effect"] == "hazard" and f["verdict"] in ("warn", "block") for f in row["findings"])


def unnamed(row, messages):
    """The checks of which one should have been named with a block, where none was."""
    blocks = {f["check"] for f in row["findings"] if f["verdict"] == "block"}
    wanted = next((set(checks.split()) for pattern, checks in messages
                   if pattern.search(row["error"] or "")), None)
    if wanted is None:
        return "no pattern fits the message"
    return None if wanted & blocks else "named %s, not %s" % (
        " ".join(sorted(blocks)) or "nothing", " or ".join(sorted(wanted)))


def explanation(row):
    return next((i for i, (pattern, _) in enumerate(EXPLAINED) if any(
        f["verdict"] == "block" and re.search(pattern, f["text"]) for f in row["findings"])), None)


def disagrees(row, messages, used):
    """Why a row needs a look, or None."""
    if row["verdict"] == "unknown":
        return "unknown"
    if row["ok"]:
        if silent(row):
            return None if warned(row) else "SILENT"
        if row["verdict"] != "block":
            return None
        i = explanation(row)
        used.add(i)
        return "FALSE BLOCK" if i is None else "explained block"
    if row["scope"]:
        return None
    if row["verdict"] != "block":
        return "FALSE OK"
    return "OTHER CAUSE" if unnamed(row, messages) else None


def print_row(row, kind, messages, full):
    print(f"{kind}: {row['id']} {row['from']} to {row['to']} ({row['accel']}): {row['verdict']} | "
          f"{'moved' if row['ok'] else row['phase'] + ': ' + row['error'][:200]}"
          f"{' | ' + '; '.join(silent(row))[:200] if silent(row) else ''}")
    if kind == "OTHER CAUSE":
        print("    " + unnamed(row, messages))
    for f in row["findings"]:
        if full or f["verdict"] == row["verdict"]:
            print(f"    {f['verdict']} {f['check']} ({f['effect']}) {f['text'][:160]}")


def table(rows):
    columns = ["ok", "silent"] + PHASES + ["out of scope"]
    found = collections.Counter()
    for row in rows:
        what = "out of scope" if row["scope"] else ("silent" if silent(row) else "ok") if row["ok"] else row["phase"]
        found[f"{row['from']}->{row['to']}", row["verdict"], what] += 1
        found["all", row["verdict"], what] += 1
    print("pair verdict  " + "".join(f"{c:>18}" for c in columns))
    for pair in sorted({key[0] for key in found}, key=lambda p: (p == "all", p)):
        for verdict in ("ok", "warn", "unknown", "block"):
            counts = [found[pair, verdict, c] for c in columns]
            if any(counts):
                print(f"{pair:4} {verdict:9}" + "".join(f"{n:18}" for n in counts))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--quiet", action="store_true")
    options = parser.parse_args()

    if not os.path.isdir(MOVES):
        print(f"skipped: {MOVES} isn't here (recorded migrations are kept beside the source tree)")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        database = os.path.join(folder, "truth.db")
        import_hosts(database)
        rows = judged_rows(database)
    scopes, messages = patterns_of("truth-out-of-scope.tsv"), patterns_of("move-messages.tsv")
    kinds, used = collections.Counter(), set()
    for row in rows:
        row["scope"] = scope_of(row, scopes)
    table(rows)
    for reason, n in collections.Counter(row["scope"] for row in rows if row["scope"]).most_common():
        print(f"out of scope: {n:4} {reason}")
    for row in rows:
        kind = disagrees(row, messages, used)
        kinds[kind] += 1
        if kind and not options.quiet:
            print_row(row, kind, messages, options.all)
    obsolete = [text for i, (_, text) in enumerate(EXPLAINED) if i not in used]
    for text in obsolete:
        print(f"no move needs this explanation any more: {text}")

    n, blocks = len(rows), sum(row["verdict"] == "block" for row in rows)
    blocked = kinds["FALSE BLOCK"] + kinds["explained block"]
    print(f"{n} moves, {sum(not row['ok'] for row in rows)} failed, {sum(bool(silent(row)) for row in rows)} changed "
          f"in silence: {kinds['FALSE OK']} false ok, {kinds['SILENT']} silent and untold, {blocked} of {blocks} blocks "
          f"worked safely ({kinds['FALSE BLOCK']} unexplained), {kinds['unknown']} unknown, "
          f"{kinds['OTHER CAUSE']} failures of another cause")
    return int(any([kinds["FALSE OK"], kinds["SILENT"], kinds["FALSE BLOCK"], kinds["OTHER CAUSE"], obsolete,
                    blocked > MOST_BLOCKED * blocks, kinds["unknown"] > MOST_UNKNOWN * n]))


if __name__ == "__main__":
    sys.exit(main())
