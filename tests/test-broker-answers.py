#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""test-broker-answers.py [--seed N] [--questions N]: what a broker answers is what the command line
answers of the same database, byte for byte: standard output, standard error and exit status, JSON and
text. Ages are told in seconds: the database is asked before and after the broker, and one must agree."""

import argparse
import os
import random
import sys
from concurrent.futures import ThreadPoolExecutor

from broker_fixture import Broker, Tally, need_broker
from hosts_fixture import TESTS, profiles

HOSTS = ["lab-debian12", "lab-debian13", "lab-sid", "skylake-e3-1225v5", "rome-7502", "cascadelake-8268",
         "haswell-e5-2650v3", "intel-39-qemu11.1", "intel-48-qemu11.1", "intel-48-qemu11.1", "power9-qemu7.1"]
GUESTS = ["web-17", "web-18", "db-tsx", "emulated", "portable", "legacy-erp", "dpdk-viommu", "power-db"]
KINDS = ["check"] * 8 + ["file", "hotplug", "hosts", "show", "diff", "baseline", "baseline", "matrix", "drain", "stranded",
                         "drift", "tradeoff", "pools", "guests", "contracts", "decision", "report", "wrong", "wrong"]
DEVICE = "<hostdev mode='subsystem' type='pci'><source><address domain='0' bus='1' slot='0' function='0'/></source></hostdev>"


def fill(broker):
    for i, profile in enumerate(HOSTS):
        status, out, errors = broker.cli("import", "--name", f"h{i}", "--cluster", "ab"[i % 2], "--label", f"rack={i % 3}",
                                         "--label", f"n={i + 1}", "--alias", f"other=alias-{i}", profiles()[profile],
                                         database=True)
        if status:
            sys.exit(out + errors)
    for i, guest in enumerate(GUESTS):
        place = ("--host", f"h{i}") if i % 3 else ()
        broker.cli("import", *place, os.path.join(TESTS, "guests", guest + ".xml"), database=True)
    broker.cli("allow", "db-tsx", "--to", "all", "--check", "cpu-missing", "--reason", "try", "--expires", "7d",
               database=True)


class Questions:
    def __init__(self, seed, device):
        self.random = random.Random(seed)
        self.device = device

    def some(self, *choices):
        return self.random.choice(choices)

    def host(self):
        i = self.random.randrange(len(HOSTS))
        return self.some(f"h{i}", f"h{i}", f"alias-{i}")

    def selector(self):
        return self.some(self.host(), self.host(), "cluster=a", "label:rack=1", "all", "class=nosuch", "nosuch")

    def selectors(self):
        return [self.selector() for _ in range(self.random.randrange(3))]

    def guest(self):
        return self.random.choice(GUESTS)

    def targets(self):
        return [word for one in self.selectors() for word in ("--to", one)]

    def wrong(self):
        return self.some(["check", "nosuch"], ["show", "nosuch"], ["check", "web-17", "--from", "nosuch"],
                         ["baseline", "--accel", "xen"], ["pools", "--max", "1"], ["drain", "nosuch"],
                         ["stranded", "--few", "-1"], ["check", "/nosuch/file.xml"], ["decision", "ffffffff"],
                         ["tradeoff", "--pin", "nosuch"], ["baseline", "--coverage", "2"],
                         ["baseline", "--weight-label", "nosuch"], ["check", profiles()["lab-sid"]])

    def one(self):
        kind = self.random.choice(KINDS)
        start = self.some(["--from", self.host()], [])
        question = {
            "check": lambda: ["check", self.guest(), *start, *self.targets()],
            "file": lambda: ["check", os.path.join(TESTS, "guests", self.guest() + ".xml"), *start, *self.targets()],
            "hotplug": lambda: ["check", self.guest(), "--hotplug", self.device, *start],
            "hosts": lambda: ["hosts", *self.selectors()],
            "show": lambda: ["show", self.host(), *self.some(["-v"], [])],
            "diff": lambda: ["diff", self.host(), self.host()],
            "baseline": lambda: ["baseline", *self.selectors(), *self.some([], ["--coverage", "0.8"], ["--all-features"],
                                 ["--accel", "tcg"], ["--coverage", "50%", "--weight-label", "n"])],
            "matrix": lambda: ["matrix", *self.some(["--expand"], [])],
            "drain": lambda: ["drain", self.host(), *self.targets()],
            "stranded": lambda: ["stranded", "--few", str(self.random.randrange(5))],
            "drift": lambda: ["drift", "--since", "2026-01-01T00:00:00Z"],
            "tradeoff": lambda: ["tradeoff", *self.selectors(), *self.some([], ["--forbid", "avx"], ["--weight-label", "n"])],
            "pools": lambda: ["pools", "--max", str(self.random.randrange(3, 6)), *self.some([], ["--spread", "rack"])],
            "guests": lambda: ["guests"],
            "contracts": lambda: ["guests", self.guest()],
            "decision": lambda: ["decision", self.some("0123", "abcdef01")],
            "report": lambda: ["report"],
            "wrong": self.wrong,
        }[kind]()
        if kind not in ("report", "decision") and self.random.random() < 0.15:
            host = self.host()
            assumed = self.some(f"{host}=gone", f"{host}=+cpu.avx512f", "cluster=b=-cpu.avx", f"all={host}",
                                f"h1={profiles()['wildcatlake-client']}", "nosuch=gone", f"{host}=/nosuch")
            question = ["--assume", assumed, *question]
        return [*self.some(["--json"], ["--json"], []), *question]


def compare(broker, question):
    before = broker.cli(*question, database=True)
    asked = broker.cli(*question)
    if asked == before:
        return None
    after = broker.cli(*question, database=True)
    again = broker.cli(*question) if asked != after else after
    if asked == after or again == after:
        return None
    return f"{' '.join(question)}:\n  here {after}\n  broker {again}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=20261130)
    parser.add_argument("--questions", type=int, default=500)
    arguments = parser.parse_args()
    need_broker()
    tally = Tally()
    broker = Broker({"history": {"decisions": "false"}})
    fill(broker)
    device = broker.file("device.xml")
    with open(device, "w", encoding="utf-8") as file:
        file.write(DEVICE)
    source = Questions(arguments.seed, device)
    questions = [source.one() for _ in range(arguments.questions)]
    statuses = {}
    with broker, ThreadPoolExecutor(2) as pool:
        for question, wrong in zip(questions, pool.map(lambda q: compare(broker, q), questions)):
            tally.check(wrong is None, str(wrong))
        for question in questions[:60]:
            statuses[broker.cli(*question)[0]] = True
    # questions that are all refused would agree, too
    tally.check(len(statuses) >= 4, f"exit statuses are only {sorted(statuses)}")
    tally.end()


main()
