#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""test-broker-agents.py: capbroker-probe --push: enrolled by a secret, over TLS and the socket; one small
request where nothing changed; a broker that comes late; and nothing of guests but what they need."""

import json
import os
import sqlite3
import subprocess
import sys
import threading
import time

from broker_fixture import Broker, Tally, need_broker
from fleet_fixture import guest, host

NODE = """<node>
  <domain type='test' id='7'>
    <name>web-17</name><uuid>0c7eabc0-3f0e-4f4c-8f3a-3a2f6f0b4d11</uuid>
    <title>SECRET-title</title><description>SECRET-description</description>
    <metadata><app:note xmlns:app='http://example.org/app'>SECRET-metadata</app:note></metadata>
    <memory unit='MiB'>512</memory><vcpu>2</vcpu><os><type arch='i686'>hvm</type></os>
    <devices>
      <disk type='file' device='disk'><source file='/images/SECRET-image.qcow2'/><target dev='vda' bus='virtio'/>
        <serial>SECRET-serial</serial></disk>
      <graphics type='vnc' passwd='SECRET-password'/>
    </devices>
  </domain>
</node>
"""


def private(path, text):
    with open(path, "w", encoding="ascii", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(text)
    return path


def probe(*arguments, timeout=120):
    result = subprocess.run(["capbroker-probe", *arguments], text=True, capture_output=True, stdin=subprocess.DEVNULL,
                            timeout=timeout, check=False)
    return result.returncode, result.stdout + result.stderr


def stored(broker):
    """Every text in the database."""
    texts = []
    with sqlite3.connect(broker.database) as database:
        for (table,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
            texts += [str(row) for row in database.execute(f"SELECT * FROM {table}")]
    return "\n".join(texts)


def changes(broker):
    status = broker.get("/v1/status").json
    return status["changed"], status["confirmed"]


def by_replay(broker, tally, recording):
    """A recorded host, enrolled over TLS, sent again."""
    secret = private(broker.file("secret"), broker.token("--enrol", "--uses", "1"))
    token = broker.file("agent.token")
    push = ["--replay", recording, "--push", f"https://localhost:{broker.port}", "--ca-file", broker.file("server.pem"),
            "--token-file", token, "--enrol", secret]
    status, text = probe(*push)
    tally.check(status == 0 and not text, f"the first push: {status} {text}")
    tally.check(os.stat(token).st_mode & 0o777 == 0o600, "the token's file may be read by others")
    before = changes(broker)
    tally.check(before == (1, 0), f"changed, confirmed: {before}")
    for _ in range(2):
        status, text = probe(*push)
        tally.check(status == 0, f"again: {status} {text}")
    tally.check(changes(broker) == (1, 2), f"after two more: {changes(broker)}")
    os.unlink(token)
    status, text = probe(*push)
    tally.check(status == 2 and text.count("\n") == 1 and "refused with status 4" in text, f"a secret twice: {status} {text}")
    private(token, "cbt_000000000000_" + "0" * 64)
    status, text = probe(*push)
    tally.check(status == 2 and "401" in text, f"a wrong token: {text}")
    os.chmod(token, 0o644)
    status, text = probe(*push)
    tally.check(status == 2 and "others may read it" in text, f"a token that others may read: {text}")


def by_libvirt(broker, tally):
    """Guests with secrets, by libvirt's test driver."""
    path = private(broker.file("node.xml"), NODE)
    status, text = probe("--connect", "test://" + path, "--push", "unix:" + broker.socket)
    if "built without libvirt" in text:
        print("guests' secrets: not tried over libvirt, built without it")
        return
    tally.check(status == 0, f"guests over libvirt: {status} {text}")
    names = [one["name"] for one in broker.get("/v1/hosts").json["hosts"]]
    guests = broker.post("/v1/guests", {}).json["guests"]
    tally.check([one["name"] for one in guests] == ["web-17"] and guests[0]["host"] in names, f"guests: {guests}")
    tally.check("SECRET" not in stored(broker), "a secret is in the database")


def by_a_bad_agent(broker, tally):
    """What an agent shouldn't have sent isn't kept."""
    broker.put("/v1/hosts/r9/profile", host("r9", "lab-sid"))
    path = broker.file("guest.xml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(guest("leaky", "pc-q35-7.2"))
    subprocess.run(["capbroker", "--db", broker.file("other.db"), "import", path], capture_output=True, check=True)
    listed = subprocess.run(["capbroker", "--db", broker.file("other.db"), "--json", "guests"], capture_output=True, text=True, check=True)
    entry = json.loads(listed.stdout)["guests"][0]
    clean = dict(entry)
    entry["metadata"] = "SECRET-member"
    entry["definition"] = entry["definition"].replace("</domain>", "<metadata><x>SECRET-inside</x></metadata><qemu:commandline "
        "xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'><qemu:arg value='SECRET-argument'/></qemu:commandline></domain>")
    entry["title"] = "SECRET-title"
    reply = broker.put("/v1/hosts/r9/guests", {"format": "capbroker.guests/1", "complete": True, "guests": [entry], "note": "SECRET-beside"})
    tally.check(reply.status == 200, f"guests of a bad agent: {reply.status} {reply.body[:300]}")
    held = stored(broker)
    found = [part for part in ("SECRET-member", "SECRET-inside", "SECRET-argument", "SECRET-title", "SECRET-beside") if part in held]
    tally.check(not found, f"kept: {found}")
    kept = [one for one in broker.post("/v1/guests", {}).json["guests"] if one["name"] == "leaky"]
    tally.check(kept and "<qemu:" in kept[0]["definition"], "that there are arguments for QEMU is not told")
    # what was reduced stays as it is, with and without such arguments
    for one in (clean, kept[0]):
        broker.put("/v1/hosts/r9/guests", {"format": "capbroker.guests/1", "complete": True, "guests": [one]})
        again = [other for other in broker.post("/v1/guests", {}).json["guests"] if other["name"] == "leaky"]
        differ = {key for key in one if key not in ("host", "age_s") and again[0].get(key) != one[key]} if again else "all"
        tally.check(not differ, f"changed on its way: {differ}")


def late(tally, recording):
    """A broker that isn't there yet, and comes."""
    broker = Broker()
    threading.Timer(1.5, broker.start).start()
    begun = time.monotonic()
    status, text = probe("--replay", recording, "--push", "unix:" + broker.socket)
    while broker.process is None:
        time.sleep(0.1)
    time.sleep(0.5)
    with_it = broker.get("/v1/hosts").json["hosts"]
    tally.check(status == 0 and len(with_it) == 1, f"a late broker: {status} {text} after {time.monotonic() - begun:.1f} s")
    broker.__exit__(None)


def usage(tally):
    for arguments, words in ((["--push", "ftp://x"], "not a broker's URL"), (["--push", "http://r1:80"], "not a broker's URL"),
                             (["--token-file", "x"], "are for --push"), (["--push", "unix:/x", "--enrol", "y"], "wants --token-file"),
                             (["--push", "unix:/x", "--only", "cpuid"], "--only")):
        status, text = probe("--replay", os.path.dirname(__file__), *arguments)
        tally.check(status == 2 and words in text, f"{arguments}: {status} {text}")


def main():
    need_broker()
    if subprocess.run(["capbroker-probe", "--version"], capture_output=True, check=False).returncode:
        sys.exit("no probe")
    tally = Tally()
    recording = os.path.join(os.environ.get("top_srcdir", ".."), "tests", "recordings", "epyc-tcg-linux7.2")
    with Broker(tls=True) as broker:
        by_replay(broker, tally, recording)
        by_libvirt(broker, tally)
        by_a_bad_agent(broker, tally)
        tally.check("SECRET" not in broker.text(), "a secret is in the log")
    late(tally, recording)
    usage(tally)
    tally.end()


main()
