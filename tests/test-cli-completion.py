# SPDX-License-Identifier: LGPL-2.1-or-later
"""Completion in a real bash: what its function offers, and what a tab makes of a line."""

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

TOP = os.environ["top_srcdir"]
SCRIPT = os.path.join(TOP, "src", "cli", "completion", "capbroker.bash")
# What is asked of the function: a line, with what it offers.
OFFER = r'''
source "$1"
shift
for line; do
	COMP_LINE=$line COMP_POINT=${#line} COMPREPLY=()
	function=$(complete -p "${line%% *}") function=${function#*-F } function=${function%% *}
	"$function" "${line%% *}" x y
	printf '%s\n' "${COMPREPLY[@]}" | sort | tr '\n' ' '
	echo
done
'''
PROFILE = ('{"format": "capbroker.profile/1", "host": {"name": "%s", "arch": "x86_64"}, '
           '"facts": []}')
GUEST = ("<domain type='kvm'><name>web-1</name><os><type machine='q35'>hvm</type></os>"
         "</domain>")
failures = []


def check(condition, what):
    if not condition:
        failures.append(what)
        print(f"not ok: {what}")


def prepare(folder):
    """A database: hosts r1n01 and r1n02, a guest."""
    for name in ("r1n01", "r1n02"):
        with open(os.path.join(folder, name + ".json"), "w", encoding="utf-8") as file:
            file.write(PROFILE % name)
    with open(os.path.join(folder, "web.xml"), "w", encoding="utf-8") as file:
        file.write(GUEST)
    # a name that a shell would run
    with open(os.path.join(folder, "evil.json"), "w", encoding="utf-8") as file:
        file.write(PROFILE % "r1n$(touch${IFS}ran)")
    os.environ["CAPBROKER_DB"] = os.path.join(folder, "fleet.db")
    subprocess.run(["capbroker", "import", "evil.json"], cwd=folder, check=False,
                   stdout=subprocess.DEVNULL)
    for arguments in (["--cluster", "prod", "--label", "rack=r1", "--alias", "nova=compute-1",
                       "r1n01.json"], ["r1n02.json"], ["--host", "r1n01", "web.xml"]):
        subprocess.run(["capbroker", "import", *arguments], cwd=folder, check=True,
                       stdout=subprocess.DEVNULL)


def offered(folder, lines):
    """What bash would offer for each line, as lists of words."""
    run = subprocess.run(["bash", "--norc", "--noprofile", "-c", OFFER, "bash", SCRIPT, *lines],
                         capture_output=True, check=False, text=True, cwd=folder, timeout=120)
    check(run.returncode == 0 and not run.stderr, f"bash: {run.returncode}: {run.stderr}")
    return [line.split() for line in run.stdout.splitlines()]


# line: what is offered; a set: these are among it, and what else is there begins alike
OFFERS = {
    "capbroker sh": ["show"],
    "capbroker --db x.db ma": ["matrix"],
    "capbroker show ": ["compute-1", "r1n01", "r1n02"],
    "capbroker show r1n01": ["r1n01"],
    "capbroker --json show r1": ["r1n01", "r1n02"],
    "capbroker --db /nonexistent/x.db show r1": [],
    "capbroker --db=/nonexistent/x.db show r1": [],
    "capbroker diff r1n01 r1": ["r1n01", "r1n02"],
    "capbroker drain r1n": ["r1n01", "r1n02"],
    "capbroker drain r1n01 --to cl": ["cluster=prod"],
    "capbroker drift --since 7": ["7d"],
    "capbroker stra": ["stranded"],
    # behind a = or : readline replaces what follows alone
    "capbroker baseline cluster=": ["prod"],
    "capbroker baseline label:": ["rack=r1"],
    "capbroker baseline label:rack=": ["r1"],
    "capbroker baseline a": ["all"],
    "capbroker check we": {"web-1", "web.xml"},
    "capbroker check web-1 --to cl": ["cluster=prod"],
    "capbroker check web-1 --to r1n01 r1": ["r1n01", "r1n02"],
    "capbroker check --from r1n01 web-": ["web-1"],
    "capbroker check web-1 --f": ["--from="],
    "capbroker check web-1 --from=r1": ["r1n01", "r1n02"],
    "capbroker baseline --fo": ["--format="],
    "capbroker baseline --format l": ["libvirt"],
    "capbroker baseline --format=": ["json", "libvirt", "qemu", "text"],
    "capbroker tradeoff --pin avx512vnn": ["avx512vnni"],
    "capbroker --policy site.conf tradeoff cl": ["cluster=prod"],
    "capbroker pools --max 2 r1": ["r1n01", "r1n02"],
    "capbroker pools --ma": ["--max="],
    "capbroker policy che": ["check"],
    "capbroker level ": ["assign", "create", "join", "list", "propose", "retire", "show"],
    "capbroker level create cl": ["cluster=prod"],
    "capbroker level join r1n": ["r1n01", "r1n02"],
    "capbroker level assign prod-2026.1 we": ["web-1"],
    "capbroker level assign --reason x prod-2026.1 we": ["web-1"],
    "capbroker explain machine-s": ["machine-same"],
    "capbroker explain cpu.avx51": {"cpu.avx512f"},
    "capbroker explain avx512vnn": ["avx512vnni"],
    "capbroker import r1n": ["r1n01.json", "r1n02.json"],
    "capbroker import --host r1n": ["r1n01", "r1n02"],
    "capbroker import --libvirt qemu+": {"qemu+ssh://"},
    "capbroker --assume cl": ["cluster=prod="],
    "capbroker --assume r1n01=g": ["gone"],
    "capbroker --assume r1n01=r1n02.": ["r1n02.json"],
    "capbroker --assume r1n01=+avx512vn": ["+avx512vnni"],
    "capbroker --assume cluster=prod=-avx512vn": ["-avx512vnni"],
    "capbroker --assume cluster=prod=gone ho": ["hook", "hosts"],
    "capbroker hook ": ["ganeti", "libvirt", "vdsm"],
    "capbroker guests we": ["web-1"],
    "capbroker allow web-1 --to=r1n02 --check cpu-miss": ["cpu-missing"],
    "capbroker frobnicate ": [],
    "capbroker-probe --re": ["--record", "--replay"],
    "capbroker-probe --only k": ["kernel", "kvm"],
    "capbroker-refresh --wr": ["--write"],
    "capbroker-refresh r1n": ["r1n01.json", "r1n02.json"],
}


class Terminal:
    """An interactive bash."""

    def __init__(self, folder):
        settings = os.path.join(folder, "inputrc")
        with open(settings, "w", encoding="utf-8") as file:
            file.write("set enable-bracketed-paste off\n")
        environment = dict(os.environ, PS1="$ ", TERM="dumb", INPUTRC=settings, HISTFILE="")
        self.process, self.fd = pty.fork()
        if not self.process:
            os.chdir(folder)
            os.execvpe("bash", ["bash", "--norc", "--noprofile", "-i"], environment)
        # what is sent before it listens may be lost
        self.read(r"(\$ )")
        for line in ("source " + SCRIPT,
                     "got() { echo \"@\"; printf '<%s>' \"$@\"; echo \"@\"; }"):
            self.send(line + "; echo do\"\"ne\r")
            self.read(r"(done\r\n.*\$ )")

    def send(self, text):
        os.write(self.fd, text.encode())

    def read(self, pattern, limit=60):
        end, text = time.monotonic() + limit, ""
        while time.monotonic() < end:
            if select.select([self.fd], [], [], 1)[0]:
                text += os.read(self.fd, 65536).decode(errors="replace")
            found = re.search(pattern, text, re.S)
            if found:
                return found.group(1)
        return f"nothing that matches in {text[-500:]!r}"

    def complete(self, line):
        """The words that a tab makes of a line."""
        self.send(line + "\t")
        self.send("\x01got \r")
        return self.read(r"\r\n@\r\n(.*?)@\r\n")

    def end(self):
        os.close(self.fd)
        os.kill(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)


TABS = {
    "capbroker forg": "<capbroker><forget>",
    "capbroker show r1n01": "<capbroker><show><r1n01>",
    "capbroker check web-1 --to cluster=pr": "<capbroker><check><web-1><--to><cluster=prod>",
    "capbroker baseline label:rack=": "<capbroker><baseline><label:rack=r1>",
    "capbroker --assume r1n01=go": "<capbroker><--assume><r1n01=gone>",
    "capbroker --assume r1n01=+avx512vn": "<capbroker><--assume><r1n01=+avx512vnni>",
    "capbroker baseline --format=li": "<capbroker><baseline><--format=libvirt>",
}


def main():
    if not shutil.which("bash"):
        print("skipped: no bash here (install bash)")
        sys.exit(77)
    with tempfile.TemporaryDirectory(prefix="capbroker-test-") as folder:
        prepare(folder)
        for (line, wanted), words in zip(OFFERS.items(), offered(folder, OFFERS)):
            right = words == wanted if isinstance(wanted, list) else wanted <= set(words)
            check(right, f"'{line}': {words}")
        terminal = Terminal(folder)
        for line, wanted in TABS.items():
            got = terminal.complete(line)
            check(got == wanted, f"a tab behind '{line}': {got}")
        terminal.end()
        check(not os.path.exists(os.path.join(folder, "ran")), "a host's name was run")
    sys.exit(1 if failures else 0)


main()
