#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""load-broker.py [HOSTS [CLASSES]]: how a broker fares under load (make check-load): its start with a large
fleet, its memory, a scheduler's questions, profiles that come in, agents that only hold on. Figures
are printed with the command of each; nothing is asserted but that all is answered."""

import json
import os
import subprocess
import sys
import time

from broker_fixture import HERE, Broker, need_broker
from fleet_fixture import guest
from hosts_fixture import profiles

PROGRAM = os.path.join(HERE, "tests", "load-broker")


def small(broker, name, path):
    """A recorded profile with the facts of QEMU for one machine type alone."""
    with open(path, encoding="utf-8") as file:
        document = json.load(file)
    document["emulators"] = document["emulators"][:3]
    return write(broker, name, json.dumps(document))


def write(broker, name, text):
    path = broker.file(name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def load(*arguments):
    arguments = [str(one) for one in arguments]
    print("$ load-broker", " ".join(os.path.basename(one) for one in arguments), flush=True)
    if subprocess.run([PROGRAM, *arguments], check=False).returncode:
        return 1
    return 0


def main():
    hosts, classes = (int(one) for one in (sys.argv[1:] + ["100000", "500"][len(sys.argv) - 1:]))
    need_broker()
    broker = Broker({"history": {"decisions": "false"}})
    bad = 0
    print(f"load average before: {os.getloadavg()}")
    recorded = [small(broker, name + ".json", path) for name, path in sorted(profiles().items())
                if name.startswith(("lab-", "skylake", "cascadelake", "rome"))]
    definition = write(broker, "guest.xml", guest("load", "pc-q35-7.2"))
    bad += load("fleet", broker.database, hosts, classes, *recorded)
    begun = time.monotonic()
    with broker:
        print(f"cold start: {time.monotonic() - begun:.2f} s; resident {broker.memory_kib() >> 10} MiB; "
              f"{broker.get('/v1/status').json['classes_n']} classes")
        bad += load("filter", broker.socket, hosts, 1000, 50, 2, definition)
        bad += load("filter", broker.socket, hosts, 1000, 200, 10, definition)
        bad += load("unchanged", broker.socket, broker.database, 64, 5)
        bad += load("changed", broker.socket, recorded[0], 64, 8)
        bad += load("idle", broker.socket, 2000)
        bad += load("filter", broker.socket, hosts, 1000, 200, 5, definition)
        print(f"resident {broker.memory_kib() >> 10} MiB; load average {os.getloadavg()}")
    sys.exit(1 if bad else 0)


main()
