# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is answered for the demo fleet, beside the answers of tests/expected.

REGENERATE=1 writes those anew; look at the difference before it is committed.
"""

import difflib
import json
import os
import re
import sys

from dictionary_fixture import Tally
from hosts_fixture import TESTS, Capbroker

EXPECTED = os.path.join(TESTS, "expected")
# What time, or a new row in a table that has no bearing on these answers, may change.
VOLATILE = ("age_s", "decision", "confirmed", "seen_s")


def to(guest, hosts):
    return ("check", guest, *(word for host in hosts.split() for word in ("--to", host)))


# file → command; .json files are the answers with --json, others the text for people.
ANSWERS = {
    "hosts.json": ("hosts",),
    "guests.json": ("guests",),
    "matrix.json": ("matrix",),
    "matrix.txt": ("matrix",),
    "baseline-prod.json": ("baseline", "cluster=prod"),
    "baseline-prod.txt": ("baseline", "cluster=prod"),
    "baseline-edge.json": ("baseline", "cluster=edge"),
    "baseline-lab.json": ("baseline", "cluster=lab"),
    "baseline-incoming.json": ("baseline", "cluster=incoming"),
    "baseline-prod-half.txt": ("baseline", "--coverage", "0.5", "cluster=prod"),
    "baseline-prod-half.json": ("baseline", "--coverage", "50%", "cluster=prod"),
    "tradeoff-prod.json": ("tradeoff", "cluster=prod"),
    "tradeoff-prod.txt": ("tradeoff", "cluster=prod"),
    "tradeoff-old.txt": ("tradeoff", "--pin", "avx2", "--forbid", "qemu.machine", "cluster=old"),
    "pools-prod.json": ("pools", "--max", "4", "cluster=prod"),
    "pools-prod.txt": ("pools", "--max", "4", "--min-size", "3", "--spread", "rack", "cluster=prod"),
    "baseline-rack-r3.xml": ("baseline", "--format", "libvirt", "label:rack=r3"),
    "baseline-rack-r3.args": ("baseline", "--format", "qemu", "label:rack=r3"),
    "baseline-other.json": ("baseline", "cluster=other"),
    "baseline-other.txt": ("baseline", "cluster=other"),
    "baseline-other.xml": ("baseline", "--format", "libvirt", "cluster=other"),
    "baseline-other.args": ("baseline", "--format", "qemu", "cluster=other"),
    "check-web-17.json": to("web-17", "r1n01 r2n02 r3n01 o2n01 e1n03 lab-d12 new01 new03 a1n01"),
    "check-db-tsx.json": to("db-tsx", "e1n02 e1n03 r2n01 r4n01 o2n01"),
    "check-legacy-erp.json": to("legacy-erp", "r2n01 r3n01 lab-sid a3n01 o3n01 o4n01"),
    "check-dpdk-viommu.json": to("dpdk-viommu", "r3n01 lab-d13 a1n01"),
    "check-hpc-passthrough.json": to("hpc-passthrough", "a2n02 a1n01"),
    "check-trading-tsc.json": to("trading-tsc", "r2n02 r3n01 a3n01"),
    "check-test-unchecked.json": to("test-unchecked", "r3n01 new05"),
    "check-analytics-320.json": to("analytics-320", "r2n01 r3n01 lab-sid"),
    "check-render-avx512.txt": ("check", "render-avx512", "--to", "r1n01"),
    "check-power-db.json": to("power-db", "p1n02 p2n01 r1n01"),
    "check-power-new.json": to("power-new", "p1n01 p2n01"),
    "check-z-ledger.json": to("z-ledger", "z2n01 p1n01"),
    "check-arm-build.json": to("arm-build", "v1n02 new07 l1n01"),
    "diff-microcode.json": ("diff", "e1n01", "e1n03"),
    "diff-lab.txt": ("diff", "lab-d12", "lab-d13"),
}


def steady(value):
    """An answer without what changes by itself."""
    if isinstance(value, dict):
        return {key: steady(item) for key, item in value.items() if key not in VOLATILE}
    return [steady(item) for item in value] if isinstance(value, list) else value


def answer(capbroker, name, command):
    if name.endswith(".json"):
        return json.dumps(steady(capbroker.ask(*command)), indent=1, sort_keys=True,
                          ensure_ascii=False) + "\n"
    text = capbroker.run(*command, fine=(0, 1, 3))
    text = re.sub(r"\d+ (second|minute|hour|day|week|month|year|min|s|h|d)s? ago", "… ago", text)
    return re.sub(r"(?m)^decision \w+\n", "", text)


def compare(tally, name, new):
    path = os.path.join(EXPECTED, name)
    try:
        with open(path, encoding="utf-8") as file:
            old = file.read()
    except FileNotFoundError:
        old = ""
    if new != old and os.environ.get("REGENERATE"):
        os.makedirs(EXPECTED, exist_ok=True)
        with open(path, "w", encoding="utf-8", newline="\n") as file:
            file.write(new)
        print(f"wrote {path}")
        old = new
    lines = list(difflib.unified_diff(old.splitlines(), new.splitlines(), f"expected/{name}",
                                      "answered", lineterm="", n=1))
    more = [f"… and {len(lines) - 20} lines more"] if len(lines) > 20 else []
    tally.check(new == old, "\n".join(["an answer changed (REGENERATE=1 make check accepts it)"] +
                                      lines[:20] + more))


def check_variety(tally, matrix):
    """The fleet is there to be looked at: every verdict is in it, often."""
    cells = [cell for row in matrix["cells"] for cell in row]
    for verdict in ("ok", "warn", "unknown", "block"):
        tally.check(cells.count(verdict) >= 10, f"{cells.count(verdict)} cells are '{verdict}'")


def main():
    tally = Tally()
    with Capbroker() as capbroker:
        capbroker.load_fleet()
        check_variety(tally, capbroker.ask("matrix"))
        for name, command in ANSWERS.items():
            compare(tally, name, answer(capbroker, name, command))
    left = set(os.listdir(EXPECTED)) - set(ANSWERS)
    tally.check(not left, f"expected/ has answers that nothing asks for: {sorted(left)}")
    tally.finish("answers for the demo fleet", least=len(ANSWERS))


sys.exit(main())
