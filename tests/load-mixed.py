#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""load-mixed.py [SECONDS]: all kinds of requests at once, right and wrong ones, against a broker that was
built with sanitizers (./configure --enable-sanitizers); what they report ends up in its log. For
ThreadSanitizer: CFLAGS=-fsanitize=thread, tests/tsan-glib.c linked into capbrokerd, and G_SLICE=always-malloc. Memory is
looked at after the first third, and at the end."""

import json
import os
import random
import sys
import threading
import time

from broker_fixture import Broker, Tally, need_broker
from fleet_fixture import guest, host

QEMUS = ["lab-debian12", "lab-debian13", "lab-sid"]
QUESTIONS = [("/v1/check", {"guest": "g1", "to": ["all"]}), ("/v1/check", {"guest": "g2", "from": "h1"}), ("/v1/baseline", {}),
             ("/v1/baseline", {"coverage": "0.8"}), ("/v1/matrix", {}), ("/v1/stranded", {}), ("/v1/drift", {"since": 1}),
             ("/v1/drain", {"host": "h2"}), ("/v1/diff", {"one": "h1", "other": "h2"}), ("/v1/tradeoff", {}), ("/v1/pools", {"max": 4}),
             ("/v1/guests", {}), ("/v1/contracts", {"guest": "g1"}), ("/v1/check", {"guest": "nosuch"}), ("/v1/matrix", {"wrong": 1}),
             ("/v1/matrix", {"assume": [{"text": "h1=gone"}]}), ("/v1/check", {"guest": "g1", "assume": [{"text": "all=+cpu.load-9"}]}),
             ("/v1/filter", {"op": "live", "guest": "g1", "hosts": ["h0", "h1", "h2", "nosuch"]}),
             ("/v1/filter", {"op": "boot", "xml": guest("x", "pc-q35-7.2"), "hosts": ["h0", "h1"]})]


class Client(threading.Thread):
    def __init__(self, broker, number, until):
        super().__init__()
        self.broker, self.chance, self.until = broker, random.Random(number), until
        self.statuses, self.wrong = {}, []

    def one(self, connection):
        kind = self.chance.random()
        name = f"h{self.chance.randrange(8)}"
        if kind < 0.15:
            document = host(name, self.chance.choice(QEMUS))
            document["facts"].append({"id": f"cpu.mixed-{self.chance.randrange(30)}", "value": True, "state": "known",
                                      "scope": {"view": "kvm"}, "origin": "mixed"})
            return self.broker.put(f"/v1/hosts/{name}/profile", document, connection=connection)
        if kind < 0.25:
            entry = {"format": "capbroker.guests/1", "complete": True, "guests": []}
            return self.broker.put(f"/v1/hosts/{name}/guests", entry, connection=connection)
        if kind < 0.35:
            return self.broker.get(self.chance.choice(["/v1/hosts", "/metrics", "/v1/status", f"/v1/hosts/{name}", "/healthz", "/x"]), connection=connection)
        if kind < 0.4:
            return self.broker.put(f"/v1/hosts/{name}/profile", self.chance.choice(["{", "[]", '{"format":"capbroker.profile/1"}']), connection=connection)
        path, body = self.chance.choice(QUESTIONS)
        return self.broker.post(path, json.dumps(body), connection=connection)

    def run(self):
        connection = self.broker.connection(timeout=120)
        while time.monotonic() < self.until:
            if self.chance.random() < 0.05:
                connection.close()
                connection = self.broker.connection(timeout=120)
            try:
                reply = self.one(connection)
                self.statuses[reply.status] = self.statuses.get(reply.status, 0) + 1
                if reply.status >= 500:
                    self.wrong.append(reply.body[:200])
            except Exception as error:  # whatever it was, it is told
                self.wrong.append(repr(error))
                connection = self.broker.connection(timeout=120)
        connection.close()


def main():
    need_broker()
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60
    os.environ.setdefault("ASAN_OPTIONS", "detect_leaks=1:exitcode=99")
    tally = Tally()
    with Broker({"log": {"requests": "false"}}) as broker:
        for i in range(8):
            broker.put(f"/v1/hosts/h{i}/profile", host(f"h{i}", QEMUS[i % 3]))
        for i in range(3):
            path = broker.file("guest.xml")
            with open(path, "w", encoding="utf-8") as file:
                file.write(guest(f"g{i}", "pc-q35-7.2", running=i != 2))
            broker.cli("import", path, database=True)
        time.sleep(3)
        begun = time.monotonic()
        clients = [Client(broker, i, begun + seconds) for i in range(8)]
        for client in clients:
            client.start()
        time.sleep(seconds / 3)
        early = broker.memory_kib()
        for client in clients:
            client.join()
        late = broker.memory_kib()
        statuses = {}
        for client in clients:
            for status, n in client.statuses.items():
                statuses[status] = statuses.get(status, 0) + n
        wrong = [one for client in clients for one in client.wrong]
        print(f"{sum(statuses.values())} requests in {time.monotonic() - begun:.0f} s: {dict(sorted(statuses.items()))}; "
              f"memory {early >> 10} MiB after a third, {late >> 10} MiB at the end")
        tally.check(not wrong, f"{len(wrong)} went wrong: {wrong[:3]}")
        tally.check(late < early * 1.5 + 65536, f"memory grew from {early} to {late} KiB")
        tally.check(broker.stop() == 0, "its exit status")
        said = [line for line in broker.text().split("\n") if "Sanitizer" in line or "runtime error" in line]
        tally.check(not said, "\n".join(said[:20]))
        if said:
            text = broker.text()
            print(text[max(0, text.index("Sanitizer") - 200):][:20000])
    tally.end()


main()
