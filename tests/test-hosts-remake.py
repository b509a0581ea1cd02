# SPDX-License-Identifier: LGPL-2.1-or-later
"""make-hosts.py on the recorded data gives the very files of tests/hosts; those of hosts that keep
their recording are test-probe-hosts.py's."""

import os
import subprocess
import sys
import tempfile

from dictionary_fixture import Tally, recorded
from hosts_fixture import HOSTS, TESTS, profiles

TOOL = os.path.join(os.environ.get("top_builddir", os.path.join(TESTS, "..")), "tests",
                    "make-profile")


def main():
    data = os.path.dirname(recorded("libvirt-cputestdata"))
    tally = Tally()
    names = [name for name in sorted(profiles())
             if not os.path.exists(os.path.join(HOSTS, name, "recording.json"))]
    with tempfile.TemporaryDirectory(prefix="capbroker-remake-") as folder:
        subprocess.run([sys.executable, os.path.join(TESTS, "make-hosts.py"), "--tool", TOOL,
                        "--output", folder, data], check=True)
        tally.check(sorted(os.listdir(folder)) == names,
                    "recipes and folders are not the same")
        for name in names:
            for file in ("profile.json", "README"):
                try:
                    with open(os.path.join(folder, name, file), "rb") as new, \
                            open(os.path.join(HOSTS, name, file), "rb") as old:
                        same = new.read() == old.read()
                except FileNotFoundError:
                    same = False
                tally.check(same, f"{name}/{file}: made anew it is another (run make-hosts.py)")
    tally.finish("files made again", least=2)


sys.exit(main())
