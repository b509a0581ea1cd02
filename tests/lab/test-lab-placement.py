#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""test-lab-placement.py [SUITE…]: 'capbroker sync placement' against the real Placement of Debian 12
and 13: traits get there, survive and restrict candidates; somebody else's stay, also where that
somebody writes at the same time (409, tried again); 1,000 providers, of which the second sync writes
none; a host that is forgotten is pruned. Exit 77 without the systems that lab/get-nova.sh makes."""

import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.environ.get("top_srcdir", ".."), "tests"))

from broker_fixture import free_port  # noqa: E402
from fleet_fixture import MID, NEW, OLD, host  # noqa: E402

LAB = os.environ.get("CAPBROKER_LAB") or os.path.join(os.environ.get("XDG_CACHE_HOME") or
                                                      os.path.expanduser("~/.cache"), "capbroker-lab")
SUITES = ["bookworm", "trixie"]
HOSTS = 1000
FOREIGN = "CUSTOM_OF_SOMEBODY_ELSE"
TOGGLED = "CUSTOM_GOES_AND_COMES"
OURS = "CUSTOM_CAPBROKER_"
CONF = """[api]
auth_strategy = noauth2
[placement_database]
connection = sqlite:///%s/placement.db
[DEFAULT]
debug = false
"""


def root_of(suite):
    return os.path.join(LAB, "nova", suite)


def expect(what, truth, more=""):
    if not truth:
        sys.exit("not so: %s %s" % (what, more))
    print("ok %s" % what)


class Placement:
    """The real one, in its own system and on loopback; use as a context."""

    def __init__(self, suite):
        self.root = root_of(suite)
        self.folder = tempfile.mkdtemp(prefix="capbroker-", dir=os.path.join(self.root, "tmp"))
        self.inside = "/tmp/" + os.path.basename(self.folder)
        self.port = free_port()
        with open(os.path.join(self.folder, "placement.conf"), "w", encoding="utf-8") as file:
            file.write(CONF % self.inside)
        self.log = os.path.join(self.folder, "log")

    def command(self, *arguments):
        return ["unshare", "--mount", "sh", "-c", 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"', self.root,
                "env", "-i", "PATH=/usr/bin:/bin", "HOME=/tmp", "LC_ALL=C.UTF-8", "PYTHONDONTWRITEBYTECODE=1",
                "OS_PLACEMENT_CONFIG_DIR=" + self.inside, *arguments]

    def __enter__(self):
        subprocess.run(self.command("placement-manage", "--config-file", self.inside + "/placement.conf", "db", "sync"),
                       check=True, capture_output=True)
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(self.command("placement-api", "--host", "127.0.0.1", "--port", str(self.port)),
                                            stdout=log, stderr=subprocess.STDOUT)
        for _ in range(300):
            try:
                if self.ask("GET", "/traits?associated=true")[0] == 200:
                    return self
            except OSError:
                pass
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        with open(self.log, encoding="utf-8", errors="replace") as log:
            sys.exit("Placement doesn't start: %s" % log.read()[-2000:])

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def url(self):
        return "http://127.0.0.1:%d" % self.port

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path, json.dumps(body) if body is not None else None,
                           {"X-Auth-Token": "admin", "OpenStack-API-Version": "placement 1.39",
                            "Content-Type": "application/json", "Accept": "application/json"})
        reply = connection.getresponse()
        text = reply.read()
        connection.close()
        return reply.status, json.loads(text) if text else None

    def provider(self, name, traits=()):
        status, made = self.ask("POST", "/resource_providers", {"name": name})
        assert status == 200, (status, made)
        status, _ = self.ask("PUT", "/resource_providers/%s/inventories" % made["uuid"],
                             {"resource_provider_generation": 0, "inventories": {"VCPU": {"total": 8}}})
        assert status == 200
        if traits:
            status, _ = self.ask("PUT", "/resource_providers/%s/traits" % made["uuid"],
                                 {"resource_provider_generation": 1, "traits": list(traits)})
            assert status == 200
        return made["uuid"]

    def traits(self, uuid):
        return self.ask("GET", "/resource_providers/%s/traits" % uuid)[1]

    def candidates(self, trait, limit=2000):
        status, answer = self.ask("GET", "/allocation_candidates?resources=VCPU:1&required=%s&limit=%d" % (trait, limit))
        assert status == 200, answer
        return set(answer["provider_summaries"])

    def written(self):
        """How often providers' traits were written, by its own log."""
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return sum('"PUT /resource_providers/' in line for line in log)


class Ours:
    def __init__(self, folder, placement):
        self.command = ["capbroker", "--db", os.path.join(folder, "x.db")]
        self.folder, self.url = folder, placement.url

    def run(self, *arguments, status=0):
        process = subprocess.run(self.command + list(arguments), capture_output=True, text=True, check=False)
        if process.returncode != status:
            sys.exit("%s: %d: %s%s" % (arguments, process.returncode, process.stdout[-2000:], process.stderr))
        return process.stdout

    def take_in(self, names):
        """@names: host → whose QEMU it has"""
        files = []
        for name, qemu in names.items():
            files.append(os.path.join(self.folder, name + ".json"))
            with open(files[-1], "w", encoding="utf-8") as file:
                json.dump(host(name, qemu), file)
        self.run("import", *files)

    def sync(self, *arguments):
        return json.loads(self.run("--json", "sync", "placement", "--noauth", "--url", self.url, *arguments))


class Writer(threading.Thread):
    """Somebody else, who puts a trait of their own on providers and takes it away, all the time."""

    def __init__(self, placement, uuids):
        super().__init__(daemon=True)
        self.placement, self.uuids = placement, uuids
        self.stopped, self.written, self.conflicts = threading.Event(), 0, 0

    def run(self):
        while not self.stopped.is_set():
            for uuid in self.uuids:
                have = self.placement.traits(uuid)
                have["traits"] = sorted(set(have["traits"]) ^ {TOGGLED})
                status, _ = self.placement.ask("PUT", "/resource_providers/%s/traits" % uuid, {
                    "resource_provider_generation": have["resource_provider_generation"], "traits": have["traits"]})
                self.written += status == 200
                self.conflicts += status == 409


def ours(traits):
    return {trait for trait in traits["traits"] if trait.startswith(OURS)}


def small(placement, our, uuids):
    """Three hosts: what they get, what that restricts, a writer beside, and pruning."""
    machine = OURS + "MACHINE_PC_Q35_10_0"
    planned = our.sync("--dry-run")
    expect("a dry run says three, and writes nothing", len(planned["changed"]) == 3 and
           not any(ours(placement.traits(uuid)) for uuid in uuids.values()))
    done = our.sync()
    expect("three are changed", len(done["changed"]) == 3 and done["strangers_n"] == 1 and not done["failed"])
    expect("somebody else's trait stays", FOREIGN in placement.traits(uuids["deb13"])["traits"])
    expect("a machine type restricts candidates", placement.candidates(machine) == {uuids["deb13"], uuids["sid"]})
    level = OURS + "LEVEL_PROD_" + our.level.split("-", 1)[1].replace(".", "_")
    expect("a level restricts them", placement.candidates(level) == {uuids[name] for name in our.takers},
           placement.candidates(level))
    expect("the second time nothing changes", not our.sync()["changed"])
    beside(placement, our, uuids)
    pruned(placement, our, uuids, machine)


def beside(placement, our, uuids):
    retries = rounds = 0
    writer = Writer(placement, list(uuids.values())[:3])
    writer.start()
    while rounds < 20 and retries < 5:
        # what all have changes each time, as the level comes and goes
        if rounds % 2:
            our.run("level", "retire", our.level, "--reason", "a test")
            our.level = our.make_level()
        else:
            our.take_in({"deb13": NEW if rounds % 4 else MID})
        answer = our.sync()
        expect_quiet(answer)
        retries += answer["retries"]
        rounds += 1
    writer.stopped.set()
    writer.join()
    expect("conflicts were tried again (%d in %d rounds, the other wrote %d times and met %d)" % (
        retries, rounds, writer.written, writer.conflicts), retries > 0 and writer.written > 0)
    expect("after them all is as it should be", not our.sync()["changed"])
    expect("and somebody else's is there", FOREIGN in placement.traits(uuids["deb13"])["traits"])


def expect_quiet(answer):
    if answer["failed"]:
        sys.exit("not so: none failed: %s" % answer["failed"])


def pruned(placement, our, uuids, machine):
    our.take_in({"deb13": MID})
    our.run("forget", "sid")
    our.sync()
    expect("a forgotten host keeps its traits without --prune", ours(placement.traits(uuids["sid"])))
    answer = our.sync("--prune")
    expect("--prune takes them, and names that nobody has", not ours(placement.traits(uuids["sid"])) and
           OURS + "MACHINE_PC_Q35_11_1" in answer["deleted"])
    expect("no candidate but the one left", placement.candidates(machine) == {uuids["deb13"]})
    expect("a provider of no host is left alone", placement.traits(uuids["stranger"])["traits"] == [FOREIGN])


def many(placement, folder):
    """1,000 providers, on a database of their own."""
    os.mkdir(os.path.join(folder, "many"))
    our = Ours(os.path.join(folder, "many"), placement)
    names = {"n%04d" % i: (OLD, MID, NEW)[i % 3] for i in range(HOSTS)}
    our.take_in(names)
    for name in names:
        placement.provider(name)
    began = time.monotonic()
    first = our.sync()
    took = time.monotonic() - began
    expect("1,000 providers are synced", len(first["changed"]) == HOSTS and not first["failed"])
    before = placement.written()
    began = time.monotonic()
    second = our.sync()
    expect("the second sync writes nothing (%.0f s, the first took %.0f s)" % (time.monotonic() - began, took),
           not second["changed"] and second["unchanged_n"] == HOSTS and placement.written() == before)


def run(suite):
    print("# %s" % suite)
    with Placement(suite) as placement, tempfile.TemporaryDirectory() as folder:
        our = Ours(folder, placement)
        names = {"deb12": OLD, "deb13": MID, "sid": NEW}
        our.take_in(names)
        our.make_level = lambda: json.loads(our.run("--json", "level", "create", "prod", "deb13", "sid", "--accel",
                                                    "tcg", "--reason", "a test"))["level"]
        our.level = our.make_level()
        shown = json.loads(our.run("--json", "level", "show", our.level))
        our.takers = [name for group in shown["today"]["groups"] for name in group["holds"]]
        for trait in (FOREIGN, TOGGLED):
            placement.ask("PUT", "/traits/" + trait)
        uuids = {name: placement.provider(name, [FOREIGN] if name == "deb13" else []) for name in names}
        uuids["stranger"] = placement.provider("stranger", [FOREIGN])
        small(placement, our, uuids)
        many(placement, folder)


def main():
    suites = [suite for suite in sys.argv[1:] or SUITES
              if os.path.exists(os.path.join(root_of(suite), "usr/bin/placement-api"))]
    if os.geteuid() != 0 or not suites:
        print("SKIP: no system with Placement (run tests/lab/get-nova.sh as root, and this as root)")
        sys.exit(77)
    for suite in suites:
        run(suite)


if __name__ == "__main__":
    main()
