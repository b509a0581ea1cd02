#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""test-truth-starts.py: starts that really happened on three libvirts, each predicted from the
recorded files of its host alone, by the program itself.

Prints verdict against outcome, by phase, and each disagreement with the finding and libvirt's own
words. Fails where an ok or warn didn't start for a reason in scope, where more than 2 % of the
blocks started, where more than 5 % of the verdicts are unknown, or where 10 % and more of the rows
are out of scope. truth-out-of-scope.tsv lists what isn't ours to judge, by error text.
Options: --rows PATTERN (error texts to look at), --all (print every row that disagrees), --quiet.
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
HOSTS = ("a", "b", "d")


def capbroker(database, *arguments):
    run = subprocess.run(["capbroker", "--db", database, "--json", *arguments], check=False,
                         stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    return run.returncode, run.stdout, run.stderr


def import_hosts(database):
    for name in HOSTS:
        folder = os.path.join(TRUTH, "hosts", name)
        files = sorted(os.path.join(folder, file) for file in os.listdir(folder))
        code, _, err = capbroker(database, "import", "--name", name, *files)
        if code:
            sys.exit(f"importing {folder}: {err}")


def verdicts_of(database, xml_file):
    """host → (verdict, [finding]); a file that can't be read is blocked everywhere, as libvirt's."""
    code, out, err = capbroker(database, "check", os.path.join(TRUTH, "starts", xml_file), "--to", "all")
    if code == 2:
        return {host: ("block", [{"check": "(refused)", "verdict": "block", "text": err.strip()}])
                for host in HOSTS}
    return {v["host"]: (v["start"], v["findings"]) for v in json.loads(out)["verdicts"]}


def out_of_scope():
    rows = []
    with open(os.path.join(SRCDIR, "truth-out-of-scope.tsv"), encoding="utf-8") as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                pattern, reason = line.rstrip("\n").split("\t")
                rows.append((re.compile(pattern), reason))
    return rows


def scope_of(row, patterns):
    if row["ok"]:
        return None
    text = f"{row['error'] or ''} {row.get('qemu_log') or ''}"
    return next((reason for pattern, reason in patterns if pattern.search(text)), None)


def judge_rows(database):
    with open(os.path.join(TRUTH, "starts", "results.jsonl"), encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    judged = {}
    for row in rows:
        name = row["xml_file"]
        if name not in judged:
            judged[name] = verdicts_of(database, name)
        row["verdict"], row["findings"] = judged[name][row["host"]]
    return rows


def disagrees(row):
    """Why a row needs a look, or None."""
    if row["verdict"] in ("ok", "warn"):
        return None if row["ok"] or row["scope"] else "FALSE OK"
    if row["verdict"] == "unknown":
        return "unknown"
    return "FALSE BLOCK" if row["ok"] else None


def print_row(row, kind):
    bad = [f for f in row["findings"] if f["verdict"] == row["verdict"]] or row["findings"]
    first = bad[0] if bad else {"check": "-", "text": "-"}
    print(f"{kind}: {row['xml_file']} on {row['host']} ({row['accel']}): {row['verdict']} "
          f"({first['check']}) {first['text'][:160]} | "
          f"{'started' if row['ok'] else row['phase'] + ': ' + (row['error'] or '')[:200]}")


def table(rows):
    outcomes = collections.Counter((row["verdict"], row["phase"] if not row["ok"] else "ok")
                                   for row in rows)
    phases = ["ok", "parse", "cpu-check", "qemu-start", "other"]
    print("verdict  " + "".join(f"{phase:>12}" for phase in phases))
    for verdict in ("ok", "warn", "unknown", "block"):
        print(f"{verdict:9}" + "".join(f"{outcomes[verdict, phase]:12}" for phase in phases))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--quiet", action="store_true")
    options = parser.parse_args()

    if not os.path.isdir(TRUTH):
        print(f"skipped: {TRUTH} isn't here (recorded starts are kept beside the source tree)")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        database = os.path.join(folder, "truth.db")
        import_hosts(database)
        rows = judge_rows(database)
    patterns = out_of_scope()
    for row in rows:
        row["scope"] = scope_of(row, patterns)

    table(rows)
    scoped = collections.Counter(row["scope"] for row in rows if row["scope"])
    for reason, n in scoped.most_common():
        print(f"out of scope: {n:4} {reason}")
    kinds = collections.Counter()
    shown = collections.Counter()
    for row in rows:
        kind = disagrees(row)
        kinds[kind] += 1
        if not kind or options.quiet or (options.rows and not re.search(options.rows, row["error"] or "")):
            continue
        shown[kind] += 1
        if options.all or kind != "unknown" or shown[kind] <= 20:
            print_row(row, kind)

    n = len(rows)
    blocks = sum(row["verdict"] == "block" for row in rows)
    failed = [kinds["FALSE OK"] > 0, 50 * kinds["FALSE BLOCK"] > blocks, 20 * kinds["unknown"] > n,
              10 * sum(scoped.values()) >= n]
    print(f"{n} starts: {kinds['FALSE OK']} false ok, {kinds['FALSE BLOCK']} of {blocks} blocks started, "
          f"{kinds['unknown']} unknown ({100 * kinds['unknown'] / n:.1f} %), "
          f"{sum(scoped.values())} out of scope ({100 * sum(scoped.values()) / n:.1f} %)")
    return int(any(failed))


if __name__ == "__main__":
    sys.exit(main())
