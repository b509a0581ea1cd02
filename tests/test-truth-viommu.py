#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""test-truth-viommu.py: recorded starts with VFIO devices, DMA maps and moves, predicted.

Each start becomes a definition (viommu_truth.py) that is judged against the recorded kernel with the
QEMU of that version; qemu_starts must be what happened.  Of DMA maps the kernel's ranges, as the
profile has them, must say which work; through an enabled virtual IOMMU, dma_works must not be ok
where a map failed.  Exit 77 where the recordings aren't beside the source tree.
"""

import collections
import json
import os
import subprocess
import sys
import tempfile

from start_fixture import Broker
from viommu_truth import QEMUS, TRUTH, definition, host, ranges_of, rows

TOP = os.environ.get("top_srcdir", os.path.join(os.path.dirname(__file__), ".."))
MOST_UNKNOWN, MOST_FALSE_BLOCKS = 0.02, 0.01


class Fleet:
    """Every recorded kernel with every QEMU, known to one broker."""

    def __init__(self, folder):
        self.broker, self.folder, self.profiles = Broker("capbroker", folder), folder, {}
        for variant in sorted(os.listdir(os.path.join(TRUTH, "hosts"))):
            for version in QEMUS:
                profile = host(variant, version, TOP)
                name = profile["host"]["name"]
                self.profiles[name] = profile
                path = os.path.join(folder, name + ".json")
                with open(path, "w", encoding="utf-8") as file:
                    json.dump(profile, file)
                process = self.broker.run("import", "--name", name, path)
                if process.returncode:
                    sys.exit("import of %s: %s" % (name, process.stderr))

    def judge(self, row):
        path = os.path.join(self.folder, "guest.xml")
        try:
            text = definition(row["machine"], row["args"])
        except ValueError as error:  # counts as what isn't known
            return {"qemu_starts": "unknown", "dma_works": "unknown", "findings": [
                {"check": "-", "text": str(error), "verdict": "unknown"}]}
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        process = self.broker.run("--json", "check", path, "--to",
                                  "%s-%s" % (row["host_variant"], row["inner_qemu"]))
        if process.returncode == 2:
            return {"qemu_starts": "block", "findings": [
                {"check": "xml", "text": process.stderr, "verdict": "block"}]}
        return json.loads(process.stdout)["verdicts"][0]


def words(row):
    return "%s on %s, %s %s" % (row["inner_qemu"], row["host_variant"], row["machine"],
                                " ".join(row["args"]))


def why(verdict):
    return "; ".join("%(verdict)s %(check)s: %(text)s" % f for f in verdict["findings"]) or "-"


def judge_starts(fleet):
    table, bad, all_rows = collections.Counter(), collections.Counter(), rows("starts.jsonl")
    for row in all_rows:
        verdict = fleet.judge(row)
        said = {"warn": "ok"}.get(verdict["qemu_starts"], verdict["qemu_starts"])
        happened = "started" if row["started"] else "refused"
        table[said, happened] += 1
        if said == "unknown" or (said == "ok") != row["started"]:
            bad[said] += 1
            print("%s: said %s, %s: %s\n  %s\n  %s" % (row["id"], said, happened, words(row),
                                                    row["message"][:200], why(verdict)))
    for (said, happened), n in sorted(table.items()):
        print("starts: said %-8s %-8s %4d" % (said, happened, n))
    return not (bad["ok"] or bad["unknown"] > MOST_UNKNOWN * len(all_rows) or
                bad["block"] > MOST_FALSE_BLOCKS * len(all_rows))


def inside(ranges, first, length):
    return any(a <= first and first + length - 1 <= b for a, b in ranges)


def address_of(variant):
    with open(os.path.join(TRUTH, "hosts", variant, "host.json"), encoding="utf-8") as file:
        return json.load(file)["bdf"]


def judge_maps(fleet):
    wrong = total = 0
    for row in rows("dma.jsonl"):
        if row.get("iova") is None:
            continue
        ranges = ranges_of(fleet.profiles[row["host_variant"] + "-7.2"],
                           address_of(row["host_variant"]))
        first, length = int(row["iova"], 0), row["len"]
        if first % 4096 or length % 4096:
            continue  # refused whatever the ranges are
        total += 1
        if ranges is None or inside(ranges, first, length) != row["ok"]:
            wrong += 1
            print("map: %s" % row)
    print("maps: %d, %d wrong" % (total, wrong))
    return total > 0 and not wrong


def kept(row):
    """Addresses that a guest keeps free: AMD's driver those for HyperTransport."""
    return "amd-iommu" in row["viommu"] and 0xfd00000000 <= int(row["iova"], 0) < 1 << 40


def judge_guests(fleet):
    """Guests that switched their virtual IOMMU on and mapped: one answer for all maps of a start."""
    starts, table, wrong = {}, collections.Counter(), 0
    for row in rows("viommu_dma.jsonl"):
        starts.setdefault(row["start_id"], []).append(row)
    for first in starts.values():
        if any("dma-translation=off" in arg for arg in first[0]["args"]):
            continue  # the guest can't switch it on: nothing was mapped, nothing shown
        verdict = fleet.judge(first[0])
        works = all(row["ok"] for row in first if row["iova"] is not None and
                    not kept(row))
        started = first[0]["started"]
        right = (verdict["dma_works"] in ("ok", "warn")) == works if started else \
            verdict["qemu_starts"] == "block"
        table["dma_works %s, %s" % (verdict["dma_works"], "worked" if works and started else
                                    "failed" if started else "refused")] += 1
        if not right:
            wrong += 1
            print("dma: %s\n  %s" % (words(first[0]), why(verdict)))
    for text, n in sorted(table.items()):
        print("guests: %-40s %4d" % (text, n))
    return not wrong


def plain(visible):
    """A virtio IOMMU's state `bypass` travels with the guest: it is the source's."""
    return {name: {key: one for key, one in value.items() if key != "bypass"}
            if isinstance(value, dict) else value for name, value in visible.items()}


def silent(row):
    """Registers or configuration that differ: from what was, or from what the target's own are."""
    before, after, source = (plain(row["guest_visible_" + when] or {}) for when in
                             ("before", "after", "src"))
    return any(before.get(name) != value or source.get(name, value) != value
               for name, value in after.items())


def only_esrtps(row):
    """All that differs is CAP.ESRTPS: every QEMU does what it says (vtd_handle_gcmd_srtp())."""
    before, after = row["guest_visible_before"] or {}, row["guest_visible_after"] or {}
    return {name for name in after if before.get(name) != after[name]} == {"intel_cap"} and \
        int(before["intel_cap"], 0) ^ int(after["intel_cap"], 0) == 1 << 63


def moves(fleet, all_rows):
    """The lines that judge-move takes."""
    for number, row in enumerate(all_rows):
        names = []
        for side, qemu, machine in (("src", row["src_qemu"], row["machine"]),
                                    ("dst", row["dst_qemu"], row.get("dst_machine") or
                                     row["machine"])):
            names.append(os.path.join(fleet.folder, "%d-%s.xml" % (number, side)))
            with open(names[-1], "w", encoding="utf-8") as file:
                file.write(definition(machine, ["-m", "64M"] + row[side + "_args"]))
        yield "\t".join([os.path.join(fleet.folder, "none-%s.json" % row["src_qemu"]),
                         os.path.join(fleet.folder, "none-%s.json" % row["dst_qemu"]), *names])


def judge_moves(fleet):
    all_rows, table, wrong = rows("migrate.jsonl"), collections.Counter(), 0
    process = subprocess.run(["./judge-move"], input="\n".join(moves(fleet, all_rows)) + "\n",
                             capture_output=True, text=True, check=False)
    answers = process.stdout.splitlines()
    if len(answers) != len(all_rows):
        sys.exit("judge-move: %d answers for %d rows: %s" % (len(answers), len(all_rows),
                                                             process.stderr))
    for row, answer in zip(all_rows, answers):
        said, text = answer.split("\t")
        kind = "refused" if not row["accepted"] else "ESRTPS alone" if only_esrtps(row) else \
            "differs in silence" if silent(row) else "looks equal"
        table[kind, said] += 1
        # what differs where nobody can look is worse than it looks, never better
        right = {"refused": said == "block", "differs in silence": said == "block",
                 "ESRTPS alone": said in ("warn", "block"),
                 "looks equal": said == "ok" or (said == "block" and
                                                 row["src_args"] != row["dst_args"])}[kind]
        if not right:
            wrong += 1
            print("move %s: said %s (%s), %s: %s" % (row["id"], said, text, kind, json.dumps(row)))
    for (kind, said), n in sorted(table.items()):
        print("moves: %-20s said %-8s %4d" % (kind, said, n))
    return not wrong


def main():
    if not os.path.isdir(TRUTH):
        print("SKIP: %s isn't here (recordings are kept beside the source tree)" % TRUTH)
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        fleet = Fleet(folder)
        good = [judge_starts(fleet), judge_maps(fleet), judge_guests(fleet),
                judge_moves(fleet)]
    sys.exit(0 if all(good) else 1)


main()
