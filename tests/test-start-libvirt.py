#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""test-start-libvirt.py: predict, then really start, seeded guests through this machine's libvirt.

usage: test-start-libvirt.py [--seed N] [--count N] [--keep FILE]

What the host can do comes from libvirt itself (capabilities, domain capabilities), imported as a
user would; once more with QEMU's own replies beside it. `capbroker check` says first
whether a guest starts, then an embedded libvirt (libvirt_fixture.py) creates it, paused. Each
guest draws from the seed what a definition can say of a CPU: mode, match, check, fallback, model,
vendor, address bits, features with every policy; machine type, accelerator and vCPUs too.

Fails when an ok or warn was refused, more than 2 % of the starts were blocked wrongly or left
unknown, or fewer than 30 % were truly refused (then the seed tried too little). Exit 77: no
libvirt that can be embedded here.
"""

import json
import os
import random
import shutil
import sys
import tempfile

from libvirt_fixture import Libvirt, feature_names
from start_fixture import (UUID, Broker, Names, Tally, cpu_xml, draw_features, facts, kvm_says, options,
                           qmp, xml)

MODES = ["custom"] * 14 + ["host-model"] * 3 + ["host-passthrough", "maximum", None]
POLICIES = ["require", "require", "disable", "disable", "optional", "forbid", "force"]
MACHINES = ["q35", "pc", "pc-q35-11.0", "pc-i440fx-0.9", "pc-q35-2.3", "nosuch"]


def draw_cpu(rng, guest, models, names, there):
    """A named model, and all that can be said beside it."""
    accel = guest["accel"]
    guest["model"] = rng.choice(models if rng.random() < 0.9 else there["models"])
    if rng.random() < 0.4:  # one that runs as it is, as far as QEMU is asked
        lacks = there["unavailable"][accel]
        guest["model"] = rng.choice([m for m in models if m in lacks and not lacks[m]])
    elif rng.random() < 0.05:
        guest["model"] = rng.choice(["DiamondRapids-v9", "Penryn-v7", "nosuch", "EPYC-Turin"])
    guest["match"] = rng.choice(["exact"] * 5 + ["minimum", "strict", None])
    guest["check"] = rng.choice(["full", "partial", "partial", "none", "none", None])
    guest["fallback"] = rng.choice(["allow", "forbid"])
    if rng.random() < 0.08:
        guest["vendor"] = rng.choice(["Intel", "AMD"])
    features = draw_features(rng, names, there, accel, guest["model"])
    for name in features:
        if name not in ("svm", "vmx") and rng.random() < 0.25:
            features[name] = rng.choice(POLICIES)
    if guest["check"] == "full" and rng.random() < 0.7:
        features["hypervisor"] = "require"
    if rng.random() < 0.06:
        features[rng.choice(["nosuchfeature"] + names.all)] = rng.choice(POLICIES)
    guest["features"] = features


def draw(rng, number, models, names, there):
    guest = {"name": "g%04d" % number, "uuid": UUID % number, "accel": rng.choice(there["accels"]),
             "machine": rng.choice(there["machines"]), "mode": rng.choice(MODES), "model": None,
             "features": {}, "vcpus": 1}
    if rng.random() < 0.15:
        guest["machine"] = rng.choice(MACHINES)
    if guest["mode"] in ("custom", None):
        draw_cpu(rng, guest, models, names, there)
    elif guest["mode"] == "host-model" and rng.random() < 0.5:
        guest["fallback"] = rng.choice(["allow", "forbid"])
        guest["features"] = {rng.choice(names.cpu): rng.choice(POLICIES)}
    if rng.random() < 0.06:
        guest["phys_bits"] = rng.choice([36, 40, 46, 52, 64])
    if rng.random() < 0.06:
        guest["vcpus"] = rng.choice([2, 8, 240, 255, 256, 288, 512, 5000])
    return guest


def host_from(folder, name, files):
    """A broker that knows this host from these files alone."""
    place = os.path.join(folder, name)
    os.mkdir(place)
    broker = Broker("capbroker", place)
    process = broker.run("import", "--name", "host", *files)
    if process.returncode:
        sys.exit("import of %s failed: %s" % (" ".join(files), process.stderr))
    return broker


def qemu_says(folder, emulator, accels):
    """QEMU's own replies, as files to import: their names give the scope."""
    paths = []
    for accel in accels:
        model = {"tcg": "max", "kvm": "host"}[accel]
        commands = [
            {"execute": "query-version"}, {"execute": "query-machines"},
            {"execute": "query-cpu-definitions"},
            {"execute": "query-cpu-model-expansion",
             "arguments": {"type": "full", "model": {"name": model}}}]
        replies, _ = qmp(emulator, ["-machine", "none", "-accel", accel], commands)
        for command, reply in zip(commands, replies):
            name = command["execute"] + ("-full-" + model if "arguments" in command else "")
            paths.append(os.path.join(folder, "qmp-%s-none-%s.json" % (accel, name)))
            with open(paths[-1], "w", encoding="utf-8") as file:
                json.dump(reply, file)
    return paths


def main():
    chosen = options(__doc__.splitlines()[0], 20261123, 160)
    emulator = shutil.which("qemu-system-x86_64")
    with Libvirt() as libvirt, tempfile.TemporaryDirectory() as folder:
        if libvirt.missing or not emulator:
            print("SKIP: %s" % (libvirt.missing or "no qemu-system-x86_64 here"))
            sys.exit(77)
        names = Names()
        there = facts(emulator)
        models = libvirt.run(["cpu-models x86_64"])[0].split()
        names.all, names.cpu = names.cpu, feature_names() or names.cpu
        rng = random.Random(chosen.seed)
        guests = []
        for number in range(chosen.count):
            guests.append(draw(rng, number, models, names, there))
            guests[-1]["emulator"] = emulator
        files = kvm_says(folder) + libvirt.facts(folder,
                                                  sorted({guest["machine"] for guest in guests}))
        outcomes = libvirt.create([(guest["name"], xml(guest)) for guest in guests])
        bad = []
        for what, more in (("libvirt alone", []), ("libvirt and QEMU",
                            qemu_says(folder, emulator, there["accels"]))):
            broker = host_from(folder, what.replace(" ", "-"), more + files)
            tally = Tally(chosen.keep and "%s.%d" % (chosen.keep, len(more)))
            for guest, (happened, why) in zip(guests, outcomes):
                verdict = broker.predict(guest)
                tally.add(guest, verdict["start"], happened, guest["machine"] + " " +
                          cpu_xml(guest), why, verdict)
            bad += tally.judge("\n%s: seed %d, libvirt %s" % (what, chosen.seed, libvirt.version))
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
