#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""test-lab-ovirt.py [--seed N] [--calls N]: our external scheduler for oVirt beside oVirt's own scheduler
proxy, which has a plug-in that knows the same verdicts: the same calls, as the engine writes them, must get
the same answers. The proxy (github.com/oVirt/ovirt-scheduler-proxy, 0.1.9) is expected below
$CAPBROKER_LAB/ovirt-proxy. What it keeps to itself and we tell, that a filter failed, is left out."""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.environ.get("top_srcdir", ".."), "tests"))

from broker_fixture import Broker, Tally, free_port, need_broker  # noqa: E402
from ovirt_fixture import GUEST, IDS, OFF, Service, call, fill, untyped  # noqa: E402

LAB = os.environ.get("CAPBROKER_LAB") or os.path.join(os.environ.get("XDG_CACHE_HOME") or
                                                      os.path.expanduser("~/.cache"), "capbroker-lab")
PROXY = os.path.join(LAB, "ovirt-proxy", "src")
STRANGER = "00000000-0000-4000-8000-00000000cccc"
OURS = ("capbroker_filter", "capbroker_onward")

# Our plug-in for their proxy: the verdicts lie in a file.
PLUGIN = '''
import json
table = json.load(open({table!r}))


class capbroker_filter():
    """hosts"""
    def do_filter(self, hosts, vm, args):
        print([host for host in hosts if host in table[vm]["ok"]])


class capbroker_onward():
    """cost"""
    def do_score(self, hosts, vm, args):
        ways = dict((host, table[vm]["ways"].get(host, 0)) for host in hosts)
        print([(host, max(ways.values()) - way) for host, way in ways.items()])
'''

RUN = '''
import sys
from ovirtscheduler import oschedproxyd
server = oschedproxyd.SimpleThreadedXMLRPCServer
oschedproxyd.SimpleThreadedXMLRPCServer = lambda _, **more: server(("127.0.0.1", int(sys.argv[1])), **more)
proxy = oschedproxyd.ProxyServer(sys.argv[2])
proxy.setup()
proxy.run()
'''


class Oracle:
    def __init__(self, table):
        self.folder = tempfile.TemporaryDirectory(prefix="capbroker-ovirt-")
        plugins = os.path.join(self.folder.name, "plugins")
        os.mkdir(plugins)
        path = os.path.join(self.folder.name, "table.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(table, file)
        with open(os.path.join(plugins, "capbroker_plugin.py"), "w", encoding="utf-8") as file:
            file.write(PLUGIN.format(table=path))
        self.port = free_port()
        self.plugins = plugins

    def __enter__(self):
        self.process = subprocess.Popen([sys.executable, "-c", RUN, str(self.port), self.plugins], stderr=subprocess.DEVNULL,
                                        env=dict(os.environ, PYTHONPATH=PROXY))
        for _ in range(300):
            try:
                call(self.port, untyped("discover"))
                return self
            except OSError:
                time.sleep(0.1)
        sys.exit("oVirt's proxy doesn't begin")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)
        self.folder.cleanup()


def table_of(broker):
    """vm → what the broker says of all hosts."""
    table = {}
    for vm, op in ((GUEST, "live"), (OFF, "boot")):
        hosts = broker.post("/v1/filter", {"guest": vm, "op": op, "hosts": list(IDS.values())}).json["hosts"]
        table[vm] = {"ok": [h["host"] for h in hosts if h["ok"]], "ways": {h["host"]: h["onward_hosts"] or 0 for h in hosts}}
    return table


class Calls:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def some(self, choices, most):
        return [self.random.choice(choices) for _ in range(self.random.randrange(most + 1))]

    def one(self):
        hosts = self.some(list(IDS.values()) + ["nosuch"], 8)
        vm = self.random.choice([GUEST, GUEST, OFF, OFF, STRANGER])
        arguments = self.random.choice(["", "key=value"])
        kind = self.random.choice(["filters", "filters", "costs", "costs", "balance", "discover"])
        if kind == "filters":
            return kind, vm, untyped("runFilters", self.some([OURS[0], OURS[0], "nosuch", "other"], 3), hosts, vm, arguments)
        if kind == "costs":
            pairs = [[name, self.random.randrange(5)] for name in self.some([OURS[1], OURS[1], "nosuch"], 3)]
            return kind, vm, untyped("runCostFunctions", pairs, hosts, vm, arguments)
        if kind == "balance":
            return kind, vm, untyped("runLoadBalancing", "nosuch", hosts, arguments)
        return kind, vm, untyped("discover")


def comparable(kind, vm, answer):
    if kind == "discover":
        return {room: {name: len(values) for name, values in entries.items()} for room, entries in answer.items()}
    answer = dict(answer, result=sorted(map(str, answer["result"])))
    errors = {name: told for name, told in answer.pop("plugin_errors", {}).items() if name not in OURS}
    if vm == STRANGER and kind == "costs":
        answer.pop("result_code")  # theirs is silent about a cost function that failed
    return dict(answer, plugin_errors=errors)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=20261201)
    parser.add_argument("--calls", type=int, default=150)
    options = parser.parse_args()
    need_broker()
    if not os.path.exists(os.path.join(PROXY, "ovirtscheduler", "oschedproxyd.py")):
        print(f"skipped: no oVirt scheduler proxy below {PROXY} (unpack oVirt/ovirt-scheduler-proxy 0.1.9 there)")
        sys.exit(77)
    tally, broker = Tally(), Broker()
    fill(broker)
    for name, ident in IDS.items():
        broker.cli("import", "--name", name, "--alias", "ovirt=" + ident, database=True)
    calls = Calls(options.seed)
    with broker, Service(broker) as ours, Oracle(table_of(broker)) as theirs:
        off = sorted(table_of(broker)[OFF]["ok"])
        until = time.monotonic() + 30
        while sorted(ours.proxy.runFilters([OURS[0]], list(IDS.values()), OFF, {})["result"]) != off:
            if time.monotonic() > until:
                sys.exit("our scheduler doesn't learn which guests are off")
            time.sleep(0.1)
        for _ in range(options.calls):
            kind, vm, body = calls.one()
            here, there = (comparable(kind, vm, call(side.port, body)) for side in (ours, theirs))
            tally.check(here == there, f"{body.decode()}\n    ours   {here}\n    theirs {there}")
    print(f"seed {options.seed}: {options.calls} calls, ours and oVirt's own")
    tally.end()


main()
