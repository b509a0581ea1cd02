#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""test-man-examples.py: the commands under EXAMPLES in the manual pages run.

Each line that starts with one of our programs is run in a scratch folder, on the demo fleet, with
the files beside it that the page speaks of; none may end as a usage error (2). Lines that need
another machine are printed as not run.
"""

import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

SOURCE = os.environ.get("top_srcdir", "..")
ELSEWHERE = re.compile(r"qemu\+ssh://|--claim|^(sudo )?capbroker-refresh")

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


def examples(page):
    with open(page, encoding="utf-8") as file:
        text = file.read()
    section = re.search(r"^EXAMPLES\n=+\n(.*?)(?=^[A-Z ]+\n=+\n|\Z)", text, re.M | re.S)
    return re.findall(r"^    (capbroker.*)$", section.group(1), re.M) if section else []


def prepare(folder):
    shutil.copy(os.path.join(SOURCE, "tests", "guests", "web-17.xml"), folder)
    for name, text in (("r1n01.xml", CAPABILITIES), ("r1n01-dom.xml", DOMCAPABILITIES)):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)
    database = os.path.join(folder, "demo.db")
    subprocess.run(["sh", os.path.abspath(os.path.join(SOURCE, "tests", "load-fleet.sh")),
                    "--db", database], check=True, stdout=subprocess.DEVNULL)
    return dict(os.environ, CAPBROKER_DB=database)


def main():
    ran = bad = 0
    with tempfile.TemporaryDirectory() as folder:
        environment = prepare(folder)
        for page in sorted(glob.glob(os.path.join(SOURCE, "man", "*.rst"))):
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
                    print("%s: %s: exit %d: %s" % (os.path.basename(page), command,
                                                   result.returncode, result.stderr.strip()))
    print("%d examples run, %d wrong" % (ran, bad))
    sys.exit(1 if bad or ran < 5 else 0)


if __name__ == "__main__":
    main()
