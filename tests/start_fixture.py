# SPDX-License-Identifier: LGPL-2.1-or-later
"""start_fixture.py: seeded guests for the tests that start them: drawing, writing, counting."""

import argparse
import collections
import json
import os
import re
import subprocess
import sys

from answers_fixture import built_dictionary

UUID = "6f3b7c1e-5a0d-4a53-9f5e-0000000%05d"


def qmp(emulator, arguments, commands, limit=60):
    """Starts QEMU paused and runs QMP commands; returns (replies or None, stderr)."""
    lines = [{"execute": "qmp_capabilities"}] + commands + [{"execute": "quit"}]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    for _ in range(3):  # on a busy machine QEMU ends, now and then, before all is written
        process = subprocess.run(
            [emulator, "-S", "-nodefaults", "-display", "none", "-qmp", "stdio"] + arguments,
            input=text, capture_output=True, text=True, timeout=limit)
        if not process.stdout or process.stdout.endswith("\n"):
            break
    replies = []
    for line in process.stdout.splitlines():
        reply = json.loads(line)
        if "return" in reply or "error" in reply:
            replies.append(reply)
    # the greeting comes even where the start is refused: only an answer counts
    return (replies[1:-1] if len(replies) >= len(lines) else None), process.stderr


class Names:
    """QEMU's spelling of libvirt's feature names, from the dictionary's JSON."""

    def __init__(self):
        entries = built_dictionary()
        self.qemu = {}
        for entry in entries:
            names = {} if "arch" in entry else entry.get("names", {})
            for libvirt in names.get("libvirt", []):
                if names.get("qemu"):
                    self.qemu[libvirt] = names["qemu"]
        self.cpu = sorted(self.qemu)

    def spell(self, feature, properties):
        for name in self.qemu.get(feature, []):
            if name in properties:
                return name
        return self.qemu.get(feature, [feature])[0]


def kvm_says(folder):
    """What KVM of this host says of itself, as the probe writes it: files to import."""
    process = subprocess.run(["capbroker-probe", "--only", "kvm"], capture_output=True, text=True,
                             check=False)
    path = os.path.join(folder, "kvm-of-this-host.json")
    with open(path, "w", encoding="utf-8") as file:
        file.write(process.stdout)
    return [path] if process.stdout else []


def facts(emulator):
    """What there is to draw from: machine types, models, properties; per accelerator what runs."""
    replies, _ = qmp(emulator, ["-machine", "none", "-accel", "tcg"], [
        {"execute": "query-machines"}, {"execute": "query-cpu-definitions"},
        {"execute": "query-cpu-model-expansion",
         "arguments": {"type": "full", "model": {"name": "max"}}}])
    machines, models, expansion = (reply["return"] for reply in replies)
    accels = ["tcg"]
    if os.access("/dev/kvm", os.R_OK | os.W_OK):
        replies, _ = qmp(emulator, ["-machine", "none", "-accel", "kvm"],
                         [{"execute": "query-cpu-definitions"}])
        if replies:
            accels.append("kvm")
    unavailable = {"tcg": {m["name"]: m["unavailable-features"] for m in models}}
    if "kvm" in accels:
        unavailable["kvm"] = {m["name"]: m["unavailable-features"] for m in replies[0]["return"]}
    supported = {}
    for accel in accels:
        name = "max" if accel == "tcg" else "host"
        replies, _ = qmp(emulator, ["-machine", "none", "-accel", accel], [
            {"execute": "query-cpu-model-expansion",
             "arguments": {"type": "full", "model": {"name": name}}}])
        properties = replies[0]["return"]["model"]["props"]
        supported[accel] = {name for name, value in properties.items() if value is True}
    return {
        "supported": supported,
        "machines": sorted(m["name"] for m in machines if m["name"].startswith(("pc", "q35"))),
        "aliases": sorted(m["alias"] for m in machines if "alias" in m),
        "models": sorted(m["name"] for m in models if m["name"] not in ("host", "max", "base")),
        "properties": set(expansion["model"]["props"]),
        "accels": accels,
        "unavailable": unavailable,
    }


def draw_features(rng, names, there, accel, model):
    """Random policies; half of the disabled ones are those that the model would lack."""
    lacking = [f for f in there["unavailable"][accel].get(model, []) if f != "type"]
    by_qemu = {q: l for l, spellings in names.qemu.items() for q in spellings}
    features = {}
    if lacking and rng.random() < 0.5:
        for feature in lacking:
            if feature in by_qemu:
                features[by_qemu[feature]] = "disable"
    for _ in range(rng.choice([0, 0, 1, 1, 2, 4])):
        features[rng.choice(names.cpu)] = rng.choice(["require", "require", "disable", "optional"])
    return features


def draw(rng, number, names, there):
    accel = rng.choice(there["accels"])
    machine = rng.choice(there["machines"])
    if rng.random() < 0.15:
        machine = rng.choice(there["aliases"] + ["pc-q35-11.0", "pc-i440fx-0.9", "pc-q35-2.3"])
    mode = rng.choice(["custom"] * 8 + ["host-passthrough", "maximum"])
    guest = {"accel": accel, "machine": machine, "mode": mode, "vcpus": 1, "features": {},
             "model": None, "check": None, "name": "g%04d" % number,
             "uuid": UUID % number}
    if mode == "custom":
        guest["model"] = rng.choice(there["models"])
        if rng.random() < 0.04:
            guest["model"] = rng.choice(["DiamondRapids-v9", "Penryn-v7", "nosuch"])
        guest["check"] = rng.choice(["full", "full", "full", "none"])
        guest["match"] = "exact"
        guest["features"] = draw_features(rng, names, there, accel, guest["model"])
    if rng.random() < 0.05:
        guest["vcpus"] = rng.choice([2, 8, 255, 288, 512, 5000])
    return guest


def cpu_xml(guest, more=""):
    attributes = "mode='%s'" % guest["mode"] if guest["mode"] else ""
    for name in ("match", "check"):
        if guest.get(name):
            attributes += " %s='%s'" % (name, guest[name])
    inner = ""
    if guest["model"]:
        inner += "<model fallback='%s'>%s</model>" % (guest.get("fallback", "forbid"),
                                                      guest["model"])
    if guest.get("vendor"):
        inner += "<vendor>%s</vendor>" % guest["vendor"]
    if guest.get("phys_bits"):
        inner += "<maxphysaddr mode='emulate' bits='%d'/>" % guest["phys_bits"]
    for name, policy in guest["features"].items():
        inner += "<feature policy='%s' name='%s'/>" % (policy, name)
    return "<cpu %s>%s%s</cpu>" % (attributes, inner, more)


def xml(guest):
    kind = "kvm" if guest["accel"] == "kvm" else "qemu"
    return """<domain type='%s'>
<name>%s</name><uuid>%s</uuid>
<memory unit='MiB'>64</memory><vcpu>%d</vcpu>
<os><type arch='x86_64' machine='%s'>hvm</type></os>
<features><acpi/><apic/></features>
%s
<devices><emulator>%s</emulator>
<controller type='usb' model='none'/><memballoon model='none'/></devices>
</domain>
""" % (kind, guest["name"], guest["uuid"], guest["vcpus"], guest["machine"], cpu_xml(guest),
       guest["emulator"])


def cpu_argument(guest, names, there):
    properties, supported = there["properties"], there["supported"][guest["accel"]]
    cpu = guest["model"]
    if guest["mode"] == "host-passthrough":
        cpu = "host"
    elif guest["mode"] == "maximum":
        cpu = "max"
    for name, policy in guest["features"].items():
        spelling = names.spell(name, properties)
        if policy == "optional" and spelling not in properties:
            continue
        if policy == "optional":  # resolved as libvirt does, by what the host has
            policy = "require" if spelling in supported else "disable"
        cpu += ",%s=%s" % (spelling, "on" if policy == "require" else "off")
    if guest["check"] == "full":
        cpu += ",enforce=on"
    return cpu


def arguments(guest, names, there):
    return ["-accel", guest["accel"], "-machine", guest["machine"], "-m", "64",
            "-smp", str(guest["vcpus"]), "-cpu", cpu_argument(guest, names, there)]


class Broker:
    def __init__(self, program, folder):
        self.command = [program, "--db", os.path.join(folder, "host.db")]
        self.folder = folder

    def run(self, *arguments):
        return subprocess.run(self.command + list(arguments), capture_output=True, text=True,
                              timeout=300)

    def predict_all(self, text):
        """The verdict of each host that it knows, by name."""
        path = os.path.join(self.folder, "guest.xml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        process = self.run("--json", "check", path, "--to", "all")
        if process.returncode == 2:
            sys.exit("check failed: %s%s" % (process.stderr, process.stdout))
        return {v["host"]: v for v in json.loads(process.stdout)["verdicts"]}

    def predict(self, guest):
        return list(self.predict_all(xml(guest)).values())[0]


def options(description, seed, count, **more):
    """What was asked for on the command line; `more` are options of one test, with defaults."""
    if "CAPBROKER_WRAPPERS" in os.environ:  # valgrind makes every prediction slow
        count //= 8
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--seed", type=int, default=seed)
    parser.add_argument("--count", type=int, default=count)
    parser.add_argument("--keep", help="write each guest, prediction and outcome to this file")
    for name, default in more.items():
        parser.add_argument("--" + name, default=default)
    return parser.parse_args()


def reason_of(stderr):
    """The last line of what was said, without names and numbers of its own."""
    last = " ".join(stderr.strip().splitlines()[-1:])
    return re.sub(r"[0-9]+|'[^']*'|\"[^\"]*\"", "N", re.sub(r"\{.*\}", "", last))


SAID = ("ok", "warn", "unknown", "block")


class Tally:
    """Counts predictions and outcomes, prints those that disagree, and judges them at the end."""

    def __init__(self, keep):
        self.table = collections.Counter()
        self.strata = collections.defaultdict(collections.Counter)
        self.reasons = collections.Counter()
        self.keep = open(keep, "w", encoding="utf-8") if keep else None

    def add(self, guest, said, happened, how, why, verdict):
        self.table[(said, happened)] += 1
        self.strata[guest.get("stratum", "cpu")][(said, happened)] += 1
        if not happened:
            self.reasons[reason_of(why)] += 1
        if self.keep:
            self.keep.write(json.dumps({"guest": guest, "said": said, "started": happened,
                                        "why": why, "verdict": verdict}) + "\n")
        if (said in ("ok", "warn")) == happened and said != "unknown":
            return
        print("%s %s: said %s, %s\n  %s\n  %s" % (
            guest["name"], guest["accel"], said, "started" if happened else "refused", how,
            " ".join(why.strip().splitlines()[-1:])))
        for finding in verdict["findings"]:
            print("  %(verdict)s %(check)s: %(text)s" % finding)

    def judge(self, what):
        """Prints the table; returns what is wrong with it."""
        total = sum(self.table.values())
        print("%s\n%-9s %8s %8s" % (what, "predicted", "started", "refused"))
        for said in SAID:
            print("%-9s %8d %8d" % (said, self.table[(said, True)], self.table[(said, False)]))
        self.print_strata()
        refused = sum(n for (_, happened), n in self.table.items() if not happened)
        unknown = sum(n for (said, _), n in self.table.items() if said == "unknown")
        bad = verdict_on(self.table, refused, total, unknown)
        print("FAIL: %s" % "; ".join(bad) if bad else
              "PASS: %d of %d truly refused, for %d reasons" % (refused, total, len(self.reasons)))
        return bad

    def print_strata(self):
        if len(self.strata) < 2:
            return
        print("%-9s %s" % ("stratum", " ".join("%7s+ %7s-" % (said, said) for said in SAID)))
        for stratum, table in sorted(self.strata.items()):
            print("%-9s %s" % (stratum, " ".join("%8d %8d" % (table[(said, True)],
                                                             table[(said, False)])
                                                 for said in SAID)))

    def end(self, what):
        sys.exit(1 if self.judge(what) else 0)


def verdict_on(table, refused, total, unknown):
    wrong_ok = table[("ok", False)] + table[("warn", False)]
    wrong_block = table[("block", True)]
    accepted = total - refused
    bad = []
    if wrong_ok:
        bad.append("%d ok or warn that were refused" % wrong_ok)
    if wrong_block > 0.02 * accepted:
        bad.append("%d of %d accepted were blocked" % (wrong_block, accepted))
    if unknown > 0.02 * total:
        bad.append("%d of %d unknown" % (unknown, total))
    if refused < 0.3 * total:
        bad.append("only %d of %d refused: the seed tries too little" % (refused, total))
    return bad
