# SPDX-License-Identifier: LGPL-2.1-or-later
"""libvirt_fixture.py: a real libvirt without a daemon, its QEMU driver embedded in virsh.

Everything it keeps is below one folder, so it neither sees nor touches a libvirt that runs here.
Guests are left behind by no way out: end() kills what the pid files below the folder name.
"""

import os
import re
import select
import shutil
import signal
import subprocess
import tempfile

# No cgroups, namespaces, security drivers or daemons: what starts is up to libvirt and QEMU alone.
CONF = """stdio_handler = "file"
security_driver = "none"
namespaces = []
cgroup_controllers = []
max_core = 0
dynamic_ownership = 0
"""
CONF_ROOT = 'user = "+0"\ngroup = "+0"\n'
LOG_LINE = re.compile(r"\d{4}-\d\d-\d\d [\d:.]+\+0000: \d+: ")
CPU_MAP = "/usr/share/libvirt/cpu_map/x86_features.xml"


def feature_names():
    """The CPU features that this libvirt knows; [] where its list isn't in the usual place."""
    try:
        with open(CPU_MAP, encoding="utf-8") as file:
            return re.findall("<feature name='([^']+)'", file.read())
    except OSError:
        return []


def cleaned(text):
    """What a command printed, without the echo of it and libvirt's log."""
    return "\n".join(line for line in text.splitlines()
                     if line and not line.startswith("virsh # ") and not LOG_LINE.match(line))


class Libvirt:
    """An embedded libvirt; use as a context manager. `missing` is why there is none, or None."""

    def __init__(self):
        # sockets are below it and their names must stay short, so not $TMPDIR
        self.root = tempfile.mkdtemp(prefix="cb-", dir="/tmp")
        os.mkdir(os.path.join(self.root, "etc"))
        with open(os.path.join(self.root, "etc", "qemu.conf"), "w", encoding="utf-8") as file:
            file.write(CONF + (CONF_ROOT if os.geteuid() == 0 else ""))
        self.version = None
        self.missing = self.why_missing()

    def why_missing(self):
        if not shutil.which("virsh"):
            return "no virsh here (install libvirt-clients)"
        version = self.run(["version"])[0]
        if "Running hypervisor: QEMU" in version:
            self.version = re.search("Using library: libvirt (.*)", version).group(1)
            return None
        return "virsh can't embed libvirt's QEMU driver (install libvirt-daemon-driver-qemu " \
            "and qemu-system-x86; run as root): " + (version or "it said nothing")

    def run(self, commands, limit=300, after=lambda number: None):
        """Runs commands in one virsh; returns what each printed, errors too ("error: …").

        Where virsh dies on the way, the rest prints nothing.

        @after: called with a command's number when it is done, before the next is given
        """
        answers, ready, seen = [], select.poll(), b""
        process = subprocess.Popen(
            ["virsh", "-q", "-c", "qemu:///embed?root=" + self.root], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0,
            env=dict(os.environ, LC_ALL="C"))
        ready.register(process.stdout, select.POLLIN)
        with process:
            for number, command in enumerate(commands):
                # quotes, so that the command, echoed, isn't taken for what it prints
                line = "%s\necho @end\"\"%d@\n" % (command, number)
                mark = b"@end%d@" % number
                if process.poll() is None:
                    try:
                        process.stdin.write(line.encode())
                    except BrokenPipeError:  # it has just died
                        pass
                while mark not in seen:
                    if not ready.poll(1000 * limit):
                        process.kill()
                        raise TimeoutError("virsh: no answer in %d s: %s" % (limit, command))
                    more = os.read(process.stdout.fileno(), 65536)
                    if not more:
                        break
                    seen += more
                text, _, seen = seen.partition(mark)
                answers.append(cleaned(text.decode(errors="replace")))
                after(number)
        return answers

    def facts(self, folder, machines):
        """Writes what libvirt says of this host, as files to import; returns their paths."""
        commands = {"capabilities.xml": "capabilities", "virsh-version.txt": "version"}
        for kind in ("kvm", "qemu"):
            for machine in machines:
                commands["domcapabilities-%s-%s.xml" % (kind, machine)] = \
                    "domcapabilities --virttype %s --machine %s" % (kind, machine)
        paths = []
        for name, text in zip(commands, self.run(list(commands.values()))):
            if "error: " in text:  # no such machine type, or no KVM
                continue
            paths.append(os.path.join(folder, name))
            with open(paths[-1], "w", encoding="utf-8") as file:
                file.write(text + "\n")
        return paths

    def create(self, guests):
        """Creates each (name, XML) paused and destroys it; returns (started, error) of each."""
        # libvirt looks at the host's address width only after it was asked for its capabilities
        commands = ["capabilities", "version"]
        for name, xml in guests:
            path = os.path.join(self.root, name + ".xml")
            with open(path, "w", encoding="utf-8") as file:
                file.write(xml)
            commands += ["create %s --paused" % path, "domstate " + name]
        # killed, not destroyed: libvirt's own way waits for more than a second
        answers = self.run(commands, after=lambda number: number % 2 and self.kill_guests())
        return [(state.strip() == "paused", re.sub("^error: ", "", why, flags=re.M))
                for why, state in zip(answers[2::2], answers[3::2])]

    def kill_guests(self):
        run = os.path.join(self.root, "run", "qemu")
        for name in os.listdir(run) if os.path.isdir(run) else []:
            if not name.endswith(".pid") or name == "driver.pid":
                continue
            try:
                with open(os.path.join(run, name), encoding="utf-8") as file:
                    pid = int(file.read())
                with open("/proc/%d/cmdline" % pid, encoding="utf-8") as file:
                    ours = self.root in file.read()
                if ours:
                    os.kill(pid, signal.SIGKILL)
            except (OSError, ValueError):
                continue  # ended by itself

    def end(self):
        """Kills guests that are left, and removes the folder."""
        self.kill_guests()
        shutil.rmtree(self.root, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()
