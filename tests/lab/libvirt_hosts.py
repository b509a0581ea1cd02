# SPDX-License-Identifier: LGPL-2.1-or-later
"""libvirt_hosts.py: hosts of different generations on one machine, each with its own libvirt and
QEMU in its own namespaces, that really migrate guests to each other.

The network between them is in a namespace of its own too: nothing of the machine's is touched, and
all ends when the test does.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
import time
import uuid

from lab_fixture import TESTS, lab_folder

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.environ.get("top_srcdir", os.path.dirname(TESTS))
EMULATOR = "/usr/bin/qemu-system-x86_64"
# Two of this machine's own system, so that equal hosts are among them.
ROOTS = {"d12": "/", "d12b": "/", "d13": "trixie", "sid": "sid"}
START_SECONDS = 60
# A boot sector that says '.' on the serial port about four times a second: sti; mov dx,3f8h;
# again: mov al,'.'; out dx,al; mov cx,4; wait: hlt; loop wait; jmp again
HEARTBEAT = bytes.fromhex("fb baf803 b02e ee b90400 f4 e2fd ebf5".replace(" ", ""))
LIBVIRTD = """listen_tls = 0
listen_tcp = 1
listen_addr = "%s"
auth_tcp = "none"
auth_unix_rw = "none"
auth_unix_ro = "none"
host_uuid = "%s"
max_clients = 200
log_outputs = "3:file:/var/log/libvirt/libvirtd.log"
"""
QEMU = """user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
security_driver = "none"
namespaces = []
cgroup_controllers = []
stdio_handler = "file"
max_core = 0
"""


def missing():
    """Why there can be no such hosts here, or None."""
    if os.geteuid() != 0:
        return "only root can make hosts in namespaces"
    for program, package in (("virsh", "libvirt-clients"), ("libvirtd", "libvirt-daemon"),
                             ("nsenter", "util-linux"), ("ip", "iproute2"),
                             ("qemu-system-x86_64", "qemu-system-x86")):
        if not shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin"):
            return "no %s here (install %s)" % (program, package)
    for suite in sorted(set(ROOTS.values()) - {"/"}):
        if not os.path.exists(os.path.join(lab_folder(), "roots", suite, EMULATOR[1:])):
            return "no system of %s below %s (run tests/lab/get-roots.sh)" % (suite, lab_folder())
    return None


def programs():
    """Scripts that run the built programs with this machine's libraries, on any of the hosts."""
    linked = subprocess.run(["ldd", shutil.which("capbroker-probe")], capture_output=True,
                            text=True, check=True).stdout
    paths = [os.path.realpath(word) for word in linked.split() if word.startswith("/")]
    loader = next(path for path in paths if "/ld-linux" in path)
    folders = sorted({os.path.dirname(path) for path in paths})
    scripts = {}
    for name in ("capbroker", "capbroker-probe"):
        scripts[name] = """#!/bin/sh
CAPBROKER_DATADIR=/run/machine%s CAPBROKER_DB=${CAPBROKER_DB:-/run/capbroker/host.db} \\
PATH=/run/capbroker:$PATH exec /run/machine%s --library-path %s /run/machine%s "$@"
""" % (os.path.realpath(os.environ.get("CAPBROKER_DATADIR", os.path.join(TOP, "schema"))), loader,
            ":".join("/run/machine" + folder for folder in folders),
            os.path.realpath(shutil.which(name)))
    return scripts


class Host:
    """One host; its state lies below its folder."""

    def __init__(self, fleet, name, number):
        self.fleet, self.name = fleet, name
        self.folder = os.path.join(fleet.folder, name)
        self.address = "10.98.76.%d" % (10 + number)
        self.process = self.init = None

    def write(self, path, text, mode=0o644):
        path = os.path.join(self.folder, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)

    def prepare(self, scripts, hosts):
        for folder in ("etc/hooks", "etc/qemu/networks", "lib", "log", "cache"):
            os.makedirs(os.path.join(self.folder, folder))
        identity = uuid.uuid5(uuid.NAMESPACE_DNS, self.name)
        self.write("etc/libvirtd.conf", LIBVIRTD % (self.address, identity))
        self.write("etc/qemu.conf", QEMU)
        self.write("etc/libvirt.conf", "")
        self.write("machine-id", identity.hex + "\n")
        self.write("hosts", "127.0.0.1 localhost\n" + hosts)
        for name, text in scripts.items():
            self.write("programs/" + name, text, 0o755)

    def start(self, number):
        root = ROOTS[self.name]
        if root != "/":
            root = os.path.join(lab_folder(), "roots", root)
        with open(os.path.join(self.folder, "init.log"), "wb") as log:
            self.process = subprocess.Popen(
                ["unshare", "--net", "--mount", "--uts", "--ipc", "--pid", "--fork",
                 "--propagation", "private", "--kill-child", "sh",
                 os.path.join(HERE, "host-init.sh"), root, self.folder, self.fleet.shared,
                 self.name], stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        pid, link = self.process.pid, "v%d" % number
        self.init = self.child_of(pid)
        self.fleet.net("ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns",
                       str(self.init))
        self.fleet.net("ip", "link", "set", link, "master", "br0", "up")
        for words in (["link", "set", "lo", "up"], ["addr", "add", self.address + "/24", "dev", "eth0"],
                      ["link", "set", "eth0", "up"]):
            subprocess.run(["nsenter", "-t", str(self.init), "-n", "ip", *words], check=True)

    def child_of(self, pid):
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            with open("/proc/%d/task/%d/children" % (pid, pid), encoding="ascii") as file:
                children = file.read().split()
            if children:
                return int(children[0])
            time.sleep(0.02)
        sys.exit("%s: no first process" % self.name)

    def wait(self):
        """Until libvirt answers."""
        end, text = time.monotonic() + START_SECONDS, ""
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            good, text = self.virsh("list")
            if good:
                return
            time.sleep(0.2)
        with open(os.path.join(self.folder, "init.log"), encoding="utf-8") as file:
            sys.exit("%s doesn't come up: %s\n%s" % (self.name, text, file.read()))

    def run(self, *words, limit=120, text=None):
        """Runs a program there; returns (0 or its status, output, what it said)."""
        place = "/proc/%d/root" % self.init
        command = ["nsenter", "-t", str(self.init), "-m", "-u", "-i", "-n", "-p", "--root=" + place,
                   "--wd=" + place, "env", "-i", "HOME=/root", "LC_ALL=C",
                   "PATH=/run/capbroker:/usr/sbin:/usr/bin:/sbin:/bin", *words]
        try:
            process = subprocess.run(command, capture_output=True, text=True, timeout=limit,
                                     input=text, errors="replace")
        except subprocess.TimeoutExpired:
            return 124, "", "no end after %d s" % limit
        return process.returncode, process.stdout, process.stderr

    def virsh(self, *words, limit=120):
        """(True, output) or (False, what virsh said)."""
        status, out, said = self.run("virsh", "-q", *words, limit=limit)
        return (True, out) if not status else (False, said.strip() or out.strip())

    def monitor(self, guest, commands):
        """What QMP returns for each (command, arguments); None where one is refused.

        One virsh reads them all: each of its own starts anew would take longer than QEMU.
        """
        lines = "".join("qemu-monitor-command %s %s\n" % (guest, shlex.quote(json.dumps(
            {"execute": name, "arguments": arguments}))) for name, arguments in commands)
        _, out, said = self.run("virsh", "-q", text=lines)
        found = [json.loads(line[line.index("{"):]).get("return")
                 for line in out.splitlines() if line.startswith(("{\"", "virsh # {\""))]
        if len(found) != len(commands):
            sys.exit("%s: %d answers of %s's monitor to %d questions: %s" % (
                self.name, len(found), guest, len(commands), said))
        return found

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Fleet:
    """The hosts; use as a context manager."""

    def __init__(self, folder, names=tuple(ROOTS)):
        self.folder = folder
        self.shared = os.path.join(folder, "shared")
        self.hosts = {name: Host(self, name, number) for number, name in enumerate(names)}
        self.network = None

    def __enter__(self):
        os.makedirs(self.shared)
        with open(os.path.join(self.shared, "disk.img"), "wb") as file:
            file.write(HEARTBEAT.ljust(510, b"\0") + b"\x55\xaa" + bytes(1048576 - 512))
        self.network = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
        end = time.monotonic() + START_SECONDS
        while os.readlink("/proc/%d/ns/net" % self.network.pid) == os.readlink("/proc/self/ns/net"):
            if time.monotonic() > end:
                sys.exit("no network namespace")
            time.sleep(0.02)
        try:
            self.net("ip", "link", "add", "br0", "type", "bridge")
            self.net("ip", "link", "set", "br0", "up")
            scripts = programs()
            known = "".join("%s %s\n" % (host.address, host.name) for host in self.hosts.values())
            for number, host in enumerate(self.hosts.values()):
                host.prepare(scripts, known)
                host.start(number)
            for host in self.hosts.values():
                host.wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def net(self, *words):
        subprocess.run(["nsenter", "-t", str(self.network.pid), "-n", *words], check=True)

    def __exit__(self, *_):
        for host in self.hosts.values():
            host.stop()
        if self.network:
            self.network.kill()
            self.network.wait()

    def heartbeat(self, guest):
        path = os.path.join(self.shared, "serial-%s.log" % guest)
        return os.path.getsize(path) if os.path.exists(path) else 0

    def alive(self, guest, seconds=6):
        """Does the guest say more than it had?"""
        before, end = self.heartbeat(guest), time.monotonic() + seconds
        while time.monotonic() < end:
            if self.heartbeat(guest) > before:
                return True
            time.sleep(0.1)
        return False

