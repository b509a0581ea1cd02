#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""test-lab-nova.py [SUITE…]: the filter and the weigher of integrations/nova in the real Nova of Debian 12
and 13, asking a real broker: Nova's own handler with 1,000 hosts, and its functional harness for starts,
moves, evacuation, rebuilds, and a broker that is down. lab/get-nova.sh gets both systems."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.environ.get("top_srcdir", ".."), "tests"))

from broker_fixture import Broker, Tally, need_broker  # noqa: E402
from hosts_fixture import TESTS, profiles  # noqa: E402

LAB = os.environ.get("CAPBROKER_LAB") or os.path.join(os.environ.get("XDG_CACHE_HOME") or
                                                      os.path.expanduser("~/.cache"), "capbroker-lab")
TOP = os.environ["top_srcdir"]
HERE = os.path.dirname(os.path.abspath(__file__))
SUITES = {"bookworm": "ACTIVE", "trixie": "SHUTOFF"}  # what a guest is after its evacuation
HOSTS = 1000
SHARE_MS = 5
KINDS = ["cascadelake-8268", "cooperlake", "skylake-e3-1225v5", "rome-7502", "broadwell-e5-2650v4",
         "haswell-e5-2650v3", "lab-debian12", "nehalem-e7540"]
FLEET = {"deb12-a": "lab-debian12", "deb12-b": "lab-debian12", "deb13-a": "lab-debian13", "deb13-b": "lab-debian13",
         "sid-a": "lab-sid"}
GUEST = "5e0f0000-1000-4000-8000-000000000001"  # web-17


def root_of(suite):
    return os.path.join(LAB, "nova", suite)


def skip(reason):
    print("skipped:", reason)
    sys.exit(77)


class Room:
    """A folder inside of a suite's root with what runs there, a broker's socket, and Nova's log."""

    def __init__(self, suite):
        self.root = root_of(suite)
        self.folder = tempfile.mkdtemp(prefix="capbroker-", dir=os.path.join(self.root, "tmp"))
        self.inside = "/tmp/" + os.path.basename(self.folder)
        shutil.copytree(os.path.join(TOP, "integrations", "nova", "capbroker_nova"),
                        os.path.join(self.folder, "capbroker_nova"), ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("nova_handler.py", "nova_functional.py"):
            shutil.copy(os.path.join(HERE, name), self.folder)
        self.broker = Broker(folder=self.folder)
        self.url = f"unix:{self.inside}/broker.sock"

    def command(self, *arguments):
        """In the root, with a /proc of its own that goes with it."""
        return ["unshare", "--mount", "--net", "sh", "-c",
                'mount -t proc proc "$0/proc" && ip link set lo up && exec chroot "$0" "$@"', self.root, "env", "-i",
                "PATH=/usr/bin:/bin", "HOME=/tmp", "LC_ALL=C.UTF-8", "PYTHONPATH=" + self.inside,
                "CAPBROKER_URL=" + self.url, "EVACUATED=" + SUITES[os.path.basename(self.root)],
                "PYTHONDONTWRITEBYTECODE=1", "python3", *arguments]

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)


def store(room, *arguments):
    status, _, errors = room.broker.cli("import", *arguments, database=True)
    if status:
        sys.exit(errors)


def fill_many(room):
    """1,000 hosts of eight kinds."""
    folder = os.path.join(room.folder, "profiles")
    os.mkdir(folder)
    for i in range(HOSTS):
        with open(profiles()[KINDS[i % len(KINDS)]], encoding="utf-8") as file:
            profile = json.load(file)
        profile["host"] = dict(profile["host"], name=f"n{i}")
        profile["host"].pop("uuid", None)
        with open(os.path.join(folder, f"n{i}.json"), "w", encoding="utf-8") as file:
            json.dump(profile, file)
    store(room, *[os.path.join(folder, f"n{i}.json") for i in range(HOSTS)])
    store(room, "--host", "n0", os.path.join(TESTS, "guests", "web-17.xml"))
    shutil.rmtree(folder)


def try_handler(suite, tally):
    room = Room(suite)
    try:
        fill_many(room)
        with room.broker as broker:
            names = [f"n{i}" for i in range(HOSTS)]
            expected = {op: [host["host"] for host in broker.post("/v1/filter", {
                "guest": GUEST, "op": op, "source": "n0", "hosts": names}).json["hosts"] if host["ok"]]
                for op in ("live", "cold", "evacuate")}
            result = subprocess.run(room.command(room.inside + "/nova_handler.py", room.url, str(HOSTS), GUEST),
                                    capture_output=True, text=True, timeout=300, check=False)
        if result.returncode:
            tally.check(False, f"{suite}: {result.stderr[-2000:]}")
            return
        for op, found in json.loads(result.stdout).items():
            print(f"{suite}: {op}, {HOSTS} hosts: {len(found['passed'])} pass; median {found['median_ms']:.1f} ms, "
                  f"most {found['most_ms']:.1f}, the first {found['first_ms']:.1f}")
            tally.check(found["passed"] == expected.get(op, found["passed"]), f"{suite}: {op}: not as the broker said")
            tally.check(0 < len(found["passed"]) < HOSTS, f"{suite}: {op}: {len(found['passed'])} hosts pass")
            tally.check(found["best"] and found["best"][0] in found["passed"], f"{suite}: {op}: best {found['best']}")
        share = json.loads(result.stdout)["live"]["median_ms"]
        print(f"{suite}: our share of a live migration's scheduling {share:.1f} ms (aim {SHARE_MS}, load "
              f"{os.getloadavg()[0]:.1f})")
        tally.check(share < SHARE_MS * 10, f"{suite}: {share:.1f} ms is far from {SHARE_MS}")
    finally:
        room.close()


def store_guest(room, uuid, host, machine, virtio=None):
    """The guest 'emulated' by that UUID, with another machine type, and virtio devices or none."""
    with open(os.path.join(TESTS, "guests", "emulated.xml"), encoding="utf-8") as file:
        text = file.read()
    own = text[text.index("<uuid>") + 6:text.index("</uuid>")]
    text = text.replace(own, uuid).replace("<name>emulated</name>", f"<name>instance-{uuid[:8]}</name>")
    start = text.index("machine='") + 9
    text = text[:start] + machine + text[text.index("'", start):]
    for device, instead in (("<target dev='vda' bus='virtio'/>", "<target dev='sda' bus='sata'/>"),
                            ("<model type='virtio'/>", "<model type='e1000e'/>"),
                            ("<memballoon model='virtio'/>", "<memballoon model='none'/>")):
        assert device in text
        text = text if virtio else text.replace(device, instead)
    path = os.path.join(room.folder, "guest.xml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    store(room, "--host", host, path)


def wait_for(room, uuid, machine):
    """Until the broker answers for the guest as it is now: it looks at its database once in a while."""
    wanted = {"pc-q35-10.0": ["block", "ok"], "pc-q35-7.2": ["ok", "ok"], "pc-only-here": ["block", "block"]}[machine]
    until = time.monotonic() + 60
    while time.monotonic() < until:
        reply = room.broker.post("/v1/filter", {"guest": uuid, "op": "cold", "hosts": ["deb12-a", "deb13-a"]})
        if reply.status == 200 and [host["verdict"] for host in reply.json["hosts"]] == wanted:
            return "done"
        time.sleep(0.1)
    return f"the broker doesn't learn of {uuid}"


def answer(room, words):
    if words[0] == "guest":
        store_guest(room, *words[1:])
        return wait_for(room, words[1], words[3])
    if words[0] == "down":
        room.broker.stop()
    elif words[0] == "up":
        room.broker.start()
    return "done"


def try_functional(suite, tally):
    room = Room(suite)
    try:
        for name, kind in FLEET.items():
            store(room, "--name", name, profiles()[kind])
        log = os.path.join(room.folder, "test.log")
        with room.broker, open(log, "w", encoding="utf-8") as errors:
            with subprocess.Popen(room.command(room.inside + "/nova_functional.py"), stdin=subprocess.PIPE, text=True,
                                  stdout=subprocess.PIPE, stderr=errors, bufsize=1) as process:
                for line in process.stdout:
                    if line.startswith("@"):
                        process.stdin.write(answer(room, line[1:].split()) + "\n")
                        process.stdin.flush()
                status = process.wait(600)
        with open(log, encoding="utf-8", errors="replace") as file:
            text = file.read()
        for line in text.splitlines():
            if line.startswith(("Ran ", "FAIL: ", "ERROR: ")):
                print(f"{suite}: {line}")
        keep = os.environ.get("NOVA_LOG")
        if keep:
            shutil.copy(log, keep)
        tally.check(status == 0, f"{suite}: {text[-1900:]}")
    finally:
        room.close()


def main():
    need_broker()
    if os.geteuid():
        skip("only root can enter other systems")
    suites = sys.argv[1:] or list(SUITES)
    missing = [suite for suite in suites if not os.path.exists(os.path.join(root_of(suite), "etc/nova/api-paste.ini"))]
    if missing:
        skip(f"no Nova of {' and '.join(missing)} below {LAB} (run tests/lab/get-nova.sh)")
    tally = Tally()
    for suite in suites:
        try_handler(suite, tally)
        start = time.monotonic()
        try_functional(suite, tally)
        print(f"{suite}: Nova's functional harness took {time.monotonic() - start:.0f} s")
    tally.end()


main()
