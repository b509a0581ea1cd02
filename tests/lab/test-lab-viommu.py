#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""test-lab-viommu.py: predict, then really start, seeded guests with an assigned device.

usage: test-lab-viommu.py [--seed N] [--count N] [--keep FILE] [HOST@QEMU...]

Guests of the lab (guests.tsv) are booted as hosts, two at a time. The probe of each claims a
device; from its profile, with the recorded QEMUs of lab-debian12, lab-debian13 and lab-sid, each
drawn guest is judged (viommu_draw.py); then it is started inside, by those very QEMUs, with the
device. "Started" is what answers query-status. In the same boots the kernel is asked to map pages
at the edges of the ranges that the profile tells of, and at each address that a verdict says can't
be mapped; some guests switch their Intel IOMMU on and map there themselves: all must be as told.

Fails where a guest that was said to start is refused, where more than 1 % are blocked and start,
more than 2 % are unknown, or less than 30 % are refused; and on any wrong mapping.
"""

import argparse
import collections
import concurrent.futures
import json
import os
import random
import re
import sys
import tempfile

import vtd_maps
from guest_fixture import Lab, table
from lab_fixture import TESTS, emulators
from viommu_boot import Boot, overlay
from viommu_draw import draw

sys.path.insert(0, TESTS)
from start_fixture import Broker  # noqa: E402
from viommu_truth import definition, ranges_of, with_qemu  # noqa: E402

TOP = os.path.dirname(TESTS)
LEAST_A_BOOT = 20
# Hosts, and how many of the guests each gets beside that least.
HOSTS = [("intel-39@11.1", 3), ("intel-48@11.1", 3), ("amd@11.1", 3),
         ("intel-first-stage@11.1", 3), ("intel-48-sm@11.1", 2), ("virtio-unsafe@11.1", 2),
         ("intel-unsafe@11.1", 2), ("amd@7.2", 1), ("intel-48-cm@11.1", 1),
         ("intel-no-remapping@11.1", 0), ("none@11.1", 0)]
QEMUS = ["7.2"] * 5 + ["10.0"] * 7 + ["11.1"] * 8
PAGE = 4096
MSI = (0xfee00000, 0xfeefffff)
# Where hosts end or have holes, whatever a profile says.
PLACES = [0, 1 << 20, MSI[0], MSI[1] + 1, 1 << 32, 0xfd00000000, 1 << 40] + [
    1 << bits for bits in (36, 38, 39, 42, 44, 46, 47, 48, 52, 57)] + [(1 << 64) - PAGE]
LIMITS = {"false": 0.01, "unknown": 0.02, "refused": 0.3}


# Guests that are always among those of a host, and map pages by an Intel IOMMU when they have
# started: (QEMU, properties, what the verdict must say of DMA, and why it is so where the host's
# ranges aren't the reason). "late": the IOMMU comes behind the device on the command line.
TOUCHING = {
    "intel-39@11.1": [("7.2", "aw-bits=48", "block", "ranges"), ("7.2", "aw-bits=39", "ok", ""),
                      ("11.1", "aw-bits=39", "ok", "")],
    "intel-48@11.1": [("10.0", "aw-bits=48", "ok", ""),
                      ("7.2", "aw-bits=48,snoop-control=on", "block", "dies"),
                      ("10.0", "aw-bits=48,snoop-control=on", "block", "dies"),
                      ("11.1", "aw-bits=48,snoop-control=on", "block", "dies")],
    "intel-48-cm@11.1": [("7.2", "aw-bits=48", "block", "late"),
                         ("11.1", "aw-bits=39", "block", "late")],
    "intel-first-stage@11.1": [("7.2", "aw-bits=48", "block", "ranges")],
    "amd@11.1": [("11.1", "aw-bits=48", "block", "ranges"), ("10.0", "aw-bits=39", "ok", "")],
}


def fixed(host, address):
    guests = []
    for qemu, properties, dma, because in TOUCHING.get(host, []):
        devices = ["intel-iommu,caching-mode=on," + properties,
                   "vfio-pci,host=%s,addr=%02x.0" % (address, vtd_maps.SLOT)]
        if because == "late":
            devices.reverse()
        guests.append({"qemu": qemu, "machine": "pc-q35-7.2,kernel-irqchip=split",
                       "bits": int(properties[8:10]), "dma": dma, "because": because,
                       "args": ["-m", "64M", "-device", devices[0], "-device", devices[1]],
                       "kind": {"model": "intel-iommu", "memory": "plain", "order": "touched",
                                "backend": "container"}})
    return guests


def touching(guest):
    """A drawn guest, that maps pages too where it has an Intel IOMMU before its device."""
    if (guest["kind"]["model"], guest["kind"]["order"]) != ("intel-iommu", "first"):
        return guest
    width = re.search(r"aw-bits=(39|48)\b", words(guest))
    args = [arg + ",addr=%02x.0" % vtd_maps.SLOT if arg.startswith("vfio-pci") else arg
            for arg in guest["args"]]
    return {**guest, "args": args, "bits": int(width[1]) if width else 39, "because": None,
            "dma": "any" if width else "narrow"}


def edges_of(ranges, told):
    """Pages to map: on both sides of each edge, and two at once across each of a range's."""
    own = [edge for first, last in ranges or [] for edge in (first, last + 1)]
    firsts = {place + step for place in PLACES + told + own for step in (-PAGE, 0)}
    pages = [(first, PAGE) for first in firsts if 0 <= first <= (1 << 64) - PAGE]
    return sorted(pages + [(edge - PAGE, 2 * PAGE) for edge in own if 0 < edge < 1 << 64])


def told_address(verdict):
    for finding in verdict["findings"]:
        found = re.search(r"the guest may map 0x([0-9a-f]+)", finding["text"])
        if found:
            return int(found[1], 16)
    return None


def words(guest):
    return "%s -machine %s %s" % (guest["qemu"], guest["machine"], " ".join(guest["args"]))


class Host:
    """One boot: its guests, what was said of them and what happened."""

    def __init__(self, name, count, seed, folder):
        self.name, self.folder = name, os.path.join(folder, name)
        self.count, self.rng = count, random.Random("%d %s" % (seed, name))
        self.guests, self.wrong, self.edges, self.maps = [], [], [], {}
        self.ranges = None

    def draw(self, address, qemus):
        self.guests = fixed(self.name, address)
        while len(self.guests) < self.count:
            self.guests.append(touching(draw(self.rng, self.rng.choice(qemus), address)))

    def predict(self, profile):
        os.makedirs(self.folder + ".db")
        broker = Broker("capbroker", self.folder + ".db")
        for qemu in sorted({guest["qemu"] for guest in self.guests}):
            path = os.path.join(broker.folder, qemu + ".json")
            with open(path, "w", encoding="utf-8") as file:
                json.dump(with_qemu(profile, qemu, qemu, TOP), file)
            process = broker.run("import", "--name", qemu, path)
            if process.returncode:
                sys.exit("import of %s: %s" % (self.name, process.stderr))
        for guest in self.guests:
            guest["verdict"] = self.judge(broker, guest)

    @staticmethod
    def judge(broker, guest):
        path = os.path.join(broker.folder, "guest.xml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(definition(guest["machine"], guest["args"]))
        process = broker.run("--json", "check", path, "--to", guest["qemu"])
        if process.returncode == 2:
            return {"qemu_starts": "block", "dma_works": "block", "findings": [
                {"check": "xml", "text": process.stderr.strip(), "verdict": "block"}]}
        return json.loads(process.stdout)["verdicts"][0]

    def boot(self, lab, initrd, guest, paths, qemus):
        self.draw(guest.device, qemus)
        running = Boot(lab, initrd, guest, self.name.split("@")[1], self.folder)
        try:
            profile = running.profile()
            if profile is None:
                self.wrong.append("no profile came: %s" % (running.read("console") or "")[-400:])
                return
            self.ranges = ranges_of(profile, guest.device)
            self.predict(profile)
            told = {told_address(one["verdict"]) for one in self.guests} - {None}
            self.edges = edges_of(self.ranges, sorted(told))
            for one in self.guests:
                if "bits" in one:
                    one["touch"] = [first for first, length in self.edges if length == PAGE and
                                    first < 1 << one["bits"] and not MSI[0] <= first <= MSI[1]]
            running.run(paths, self.guests, self.edges)
        finally:
            running.stop()
        for number, one in enumerate(self.guests, 1):
            one["started"], one["said"] = running.outcome(number)
        self.maps = running.maps()
        self.judge_maps()

    def mapped(self, first, length=PAGE):
        return isinstance(self.maps, dict) and self.maps.get((first, length)) == 0

    def judge_maps(self):
        """The kernel must map what the profile says, and nothing else."""
        if self.ranges is None or not isinstance(self.maps, dict):
            # what nothing can be attached to has no ranges, and the other way round
            if self.ranges is not None or isinstance(self.maps, dict):
                self.wrong.append("ranges %s, but maps: %s" % (self.ranges, self.maps))
            return
        for first, length in self.edges:
            inside = any(low <= first and first + length - 1 <= high for low, high in self.ranges)
            if (first, length) not in self.maps or inside != self.mapped(first, length):
                self.wrong.append("map %#x %#x: %s, profile says %s" % (
                    first, length, self.maps.get((first, length)), inside))
        for guest in self.guests:
            self.judge_dma(guest)
            if "touch" in guest and guest["started"]:
                self.judge_touched(guest)

    def judge_touched(self, guest):
        """What the guest mapped by its own IOMMU must work where the kernel's ranges say so."""
        told, fails = vtd_maps.notified(guest["said"]), vtd_maps.failed(guest["said"])
        died, off = "unable to continue" in guest["said"], "dma-translation=off" in words(guest)
        because = guest["because"] or ("dies" if died else "")
        reach = set() if off or because in ("late", "dies") else set(guest["touch"])
        expected = {first for first in reach if not self.mapped(first)}
        if told == reach and fails == expected and died == (because == "dies") and \
                because in (None, "", "late", "dies", "ranges" if expected else ""):
            self.judge_works(guest, off or (bool(reach) and not expected))
            return
        self.wrong.append("%s: VFIO was told of %s, failed at %s, not %s; %s" % (
            words(guest), *(" ".join(map(hex, sorted(some))) or "none"
                            for some in (told, fails, expected)), guest["said"][-300:]))

    def judge_works(self, guest, works):
        said = guest["verdict"]["dma_works"]
        if guest["dma"] == "narrow" and works and said == "block":
            return  # a wider IOMMU by default, of which less was tried
        if (said in ("ok", "warn")) != works:
            self.wrong.append("%s: dma_works %s, but it %s" % (words(guest), said,
                                                              "works" if works else "doesn't"))

    def judge_dma(self, guest):
        """What a verdict says of the guest's own mappings, held against what the kernel maps."""
        verdict, place = guest["verdict"], told_address(guest["verdict"])
        if place is not None and self.mapped(place & -PAGE):
            self.wrong.append("%s: said not to map %#x, which maps" % (words(guest), place))
        if guest.get("dma") in ("ok", "block") and (not guest["started"] or
                                                    verdict["dma_works"] != guest["dma"]):
            self.wrong.append("%s: started %s, dma_works %s, not %s" % (
                words(guest), guest["started"], verdict["dma_works"], guest["dma"]))


class Tally:
    def __init__(self, keep):
        self.table = collections.Counter()
        self.strata = collections.defaultdict(collections.Counter)
        self.reasons, self.lost = collections.Counter(), 0
        self.keep = open(keep, "w", encoding="utf-8") if keep else None

    def add(self, host, guest):
        if self.keep:
            self.keep.write(json.dumps({"host": host, **guest}) + "\n")
        if guest.get("started") is None:
            self.lost += 1
            print("%s: %s\n  %s" % (host, words(guest), guest.get("said", "")[-200:]))
            return
        said, started = guest["verdict"]["qemu_starts"], guest["started"]
        said = {"warn": "ok"}.get(said, said)
        key = said, started
        self.table[key] += 1
        for name, value in [("host", host), ("QEMU", guest["qemu"]), *guest["kind"].items()]:
            self.strata["%s %s" % (name, value)][key] += 1
        if not started:
            last = guest["said"].strip().split("\n")[-1]
            self.reasons[re.sub(r"0x[0-9a-f]+|\d+", "N", last)] += 1
        if said == "unknown" or (said == "ok") != started:
            print("%s: said %s, %s: %s\n  %s" % (
                host, said, "started" if started else "refused", words(guest),
                guest["said"].strip()[-300:]))
            for finding in guest["verdict"]["findings"]:
                print("  %(verdict)s %(check)s: %(text)s" % finding)

    def show(self):
        columns = [(said, started) for said in ("ok", "unknown", "block")
                   for started in (True, False)]
        print("%-28s %s" % ("stratum", " ".join("%8s%s" % (said, "+" if started else "-")
                                               for said, started in columns)))
        for name, row in sorted(self.strata.items()) + [("all", self.table)]:
            print("%-28s %s" % (name, " ".join("%9d" % row[key] for key in columns)))

    def judge(self, dma_lies):
        """What is wrong with the whole."""
        total, bad = sum(self.table.values()), []
        unknown = sum(n for (said, _), n in self.table.items() if said == "unknown")
        refused = sum(n for (_, started), n in self.table.items() if not started)
        false = self.table[("block", True)]
        if self.table[("ok", False)]:
            bad.append("%d said to start were refused" % self.table[("ok", False)])
        if false > LIMITS["false"] * total:
            bad.append("%d were blocked and started" % false)
        if unknown > LIMITS["unknown"] * total:
            bad.append("%d of %d unknown" % (unknown, total))
        if refused < LIMITS["refused"] * total:
            bad.append("only %d of %d refused" % (refused, total))
        if self.lost > 0.02 * (total + self.lost) or not total:
            bad.append("%d starts have no end" % self.lost)
        if dma_lies:
            bad.append("%d wrong about mappings" % dma_lies)
        print("%d starts, %d refused for %d reasons" % (total, refused, len(self.reasons)))
        return bad


def options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=20261130)
    parser.add_argument("--count", type=int, default=300, help="guests in all")
    parser.add_argument("--keep", metavar="FILE", help="write each guest and what came of it there")
    parser.add_argument("hosts", nargs="*", metavar="HOST@QEMU", help="only these hosts")
    return parser.parse_args()


def counts(chosen):
    """Guests of each host."""
    hosts = [pair for pair in HOSTS if not chosen.hosts or pair[0] in chosen.hosts]
    more = max(0, chosen.count - LEAST_A_BOOT * len(hosts))
    shares = sum(share for _, share in hosts) or 1
    return [(name, LEAST_A_BOOT + -(-more * share // shares)) for name, share in hosts]


def main():
    chosen, bad = options(), []
    paths = emulators()
    rows = {"%s@%s" % (g.name, version): g for g in table() for version in g.qemus}
    with tempfile.TemporaryDirectory(prefix="capbroker-lab-") as folder:
        lab = Lab(folder, ["x86_64"])
        if "x86_64" not in lab.kernels:
            print("SKIP: %s" % "; ".join(lab.missing))
            sys.exit(77)
        initrd = overlay(lab.roots["x86_64"], folder)
        hosts = [Host(name, count, chosen.seed, folder) for name, count in counts(chosen)]
        qemus = [qemu for qemu in QEMUS if qemu in paths]
        tally = Tally(chosen.keep)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            runs = [pool.submit(host.boot, lab, initrd, rows[host.name], paths, qemus)
                    for host in hosts]
            for host, run in zip(hosts, runs):
                run.result()
                for guest in host.guests:
                    tally.add(host.name, guest)
                print("%-24s %3d starts, %3d mappings%s" % (
                    host.name, len(host.guests), len(host.edges) if host.ranges else 0,
                    "".join("\n! " + line for line in host.wrong)))
                sys.stdout.flush()
                bad += host.wrong
    tally.show()
    bad = tally.judge(len(bad))
    print("%s (seed %d)%s" % ("FAIL" if bad else "PASS", chosen.seed,
                              "".join("; " + text for text in bad)))
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
