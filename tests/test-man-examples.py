#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""test-man-examples.py: the commands in the manual pages run, and print what the pages show.

Each line under EXAMPLES that starts with one of our programs is run in a scratch folder, on the demo
fleet, with the files beside it that the page speaks of; none may end as a usage error (2). Lines that
need another machine are printed as not run.

Elsewhere a line "$ COMMAND" is followed by what it prints, but for ages and decision ids, in a folder
with the files that the page shows before it (a block of XML whose paragraph names ``FILE.xml``), and
an empty database. REGENERATE=1 writes that anew.
"""

import difflib
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap

SOURCE = os.path.abspath(os.environ.get("top_srcdir", ".."))
ELSEWHERE = re.compile(r"qemu\+ssh://|--claim|^(sudo )?capbroker-refresh|unix:/run/|^capbroker token")
INSTALLED = "/usr/share/capbroker/demo/"

CAPABILITIES = """<capabilities><host><uuid>5f0c3a52-6a0e-4b7c-9d5f-000000000001</uuid><cpu>
<arch>x86_64</arch><model>Broadwell</model><vendor>Intel</vendor><feature name='vmx'/></cpu></host>
<guest><os_type>hvm</os_type><arch name='x86_64'><emulator>/usr/bin/qemu-system-x86_64</emulator>
<machine maxCpus='288'>pc-q35-7.2</machine><domain type='kvm'/></arch></guest></capabilities>
"""
DOMCAPABILITIES = """<domainCapabilities><path>/usr/bin/qemu-system-x86_64</path>
<domain>kvm</domain><machine>pc-q35-7.2</machine><arch>x86_64</arch><vcpu max='288'/><cpu>
<mode name='host-model' supported='yes'><model fallback='forbid'>Broadwell</model>
<vendor>Intel</vendor><feature policy='require' name='hypervisor'/></mode></cpu>
</domainCapabilities>
"""


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def examples(page):
    section = re.search(r"^EXAMPLES\n=+\n(.*?)(?=^[A-Z ]+\n=+\n|\Z)", read(page), re.M | re.S)
    return re.findall(r"^    (capbroker.*)$", section.group(1), re.M) if section else []


def prepare(folder):
    shutil.copy(os.path.join(SOURCE, "tests", "guests", "web-17.xml"), folder)
    for name, text in (("r1n01.xml", CAPABILITIES), ("r1n01-dom.xml", DOMCAPABILITIES)):
        write(os.path.join(folder, name), text)
    database = os.path.join(folder, "demo.db")
    subprocess.run(["sh", os.path.join(SOURCE, "tests", "load-fleet.sh"), "--db", database],
                   check=True, stdout=subprocess.DEVNULL)
    return dict(os.environ, CAPBROKER_DB=database)


def run_examples(pages, folder):
    """(how many were run, how many went wrong)"""
    environment = prepare(folder)
    ran = bad = 0
    for page in pages:
        for command in examples(page):
            command, _, rest = command.partition(" && ")
            if ELSEWHERE.search(command):
                print("not run, it needs another machine: %s" % command)
                continue
            if rest:
                print("not run, it needs another machine: %s" % rest)
            result = subprocess.run(["sh", "-c", command], cwd=folder, env=environment,
                                    capture_output=True, text=True, timeout=300)
            ran += 1
            if result.returncode not in (0, 1, 3):
                bad += 1
                print("%s: %s: exit %d: %s" % (os.path.basename(page), command, result.returncode,
                                               result.stderr.strip()))
    return ran, bad


# --- what pages show ----------------------------------------------------------------------------

def blocks(text):
    """(start, end, name of the file that the paragraph before speaks of or None) of literal blocks."""
    for block in re.finditer(r"::\n\n((?:    .*\n|\n(?=\n*    ))+)", text):
        names = re.findall(r"``([a-z0-9-]+\.xml)``", text[:block.start()].rpartition("\n\n")[2])
        yield block.start(1), block.end(1), names[-1] if names else None


def printed(command, folder, environment):
    run = subprocess.run(["sh", "-c", command.replace(INSTALLED, SOURCE + "/tests/")], cwd=folder,
                         env=environment, capture_output=True, text=True, timeout=300)
    if run.returncode not in (0, 1, 3):
        sys.exit("%s: exit %d: %s" % (command, run.returncode, run.stderr))
    text = re.sub(r"^decision .*$", "decision …", run.stdout + run.stderr, flags=re.M)
    return re.sub(r"confirmed [^\n]*", "confirmed …", text)


def transcript(block, folder, environment):
    """A block of commands with what each prints now."""
    shown = ["$ %s\n%s" % (command, printed(command, folder, environment))
             for command in re.findall(r"^    \$ (.*)$", block, re.M)]
    return textwrap.indent("\n".join(shown), "    ") + "\n", len(shown)


def renewed(page, folder):
    """The page with what its commands print now, and their number."""
    text, made, at, commands = read(page), [], 0, 0
    environment = dict(os.environ, CAPBROKER_DB=os.path.join(folder, "page.db"), COLUMNS="72")
    for start, end, name in blocks(text):
        block = text[start:end]
        if name and block.lstrip().startswith("<"):
            write(os.path.join(folder, name), textwrap.dedent(block))
        elif re.match(r" {4}\$ ", block):
            new, number = transcript(block, folder, environment)
            made += [text[at:start], new.rstrip("\n") + "\n" * (len(block) - len(block.rstrip("\n")))]
            at, commands = end, commands + number
    return text, "".join(made) + text[at:], commands


def compare_page(page):
    """(commands, 1 where the page isn't what is printed)"""
    with tempfile.TemporaryDirectory() as folder:
        old, new, commands = renewed(page, folder)
    if old == new:
        return commands, 0
    if os.environ.get("REGENERATE"):
        write(page, new)
        print("%s: wrote what %d commands print" % (page, commands))
        return commands, 0
    print("%s isn't what is printed (REGENERATE=1 renews it):\n%s" % (page, "\n".join(
        difflib.unified_diff(old.splitlines(), new.splitlines(), "page", "printed", lineterm=""))))
    return commands, 1


def main():
    pages = sorted(glob.glob(os.path.join(SOURCE, "man", "*.rst")))
    with tempfile.TemporaryDirectory() as folder:
        ran, bad = run_examples(pages, folder)
    shown = 0
    for page in pages:
        commands, wrong = compare_page(page)
        shown, bad = shown + commands, bad + wrong
    print("%d examples run, %d commands with what they print, %d wrong" % (ran, shown, bad))
    sys.exit(1 if bad or ran < 5 or shown < 10 else 0)


if __name__ == "__main__":
    main()
