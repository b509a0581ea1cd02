#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""test-readme-transcript.py: the README's transcript is what the programs print.

Each line "$ capbroker …" between the transcript's marks is run on the demo fleet, and what
follows it must be its output, but for ages and decision ids. REGENERATE=1 writes it anew.
"""

import difflib
import os
import re
import shlex
import subprocess
import sys
import tempfile

SOURCE = os.environ.get("top_srcdir", "..")
README = os.path.join(SOURCE, "README.md")
BEGIN, END = "<!-- transcript: begin -->", "<!-- transcript: end -->"


def settled(text):
    text = re.sub(r"^decision .*$", "decision …", text, flags=re.M)
    return re.sub(r"confirmed [^\n]*", "confirmed …", text)


def run(command, database):
    words = shlex.split(command)
    result = subprocess.run([words[0], "--db", database] + words[1:], capture_output=True,
                            text=True, timeout=60, env=dict(os.environ, COLUMNS="80"))
    return result.stdout + result.stderr


def transcript(commands, database):
    shown = []
    for command in commands:
        shown.append("$ %s\n%s" % (command, run(command, database)))
    return "\n".join(shown)


def main():
    with open(README, encoding="utf-8") as file:
        readme = file.read()
    before, rest = readme.split(BEGIN)
    inside, after = rest.split(END)
    commands = re.findall(r"^ *\$ (capbroker .*)$", inside, flags=re.M)
    if not commands:
        sys.exit("README.md: no command between the transcript's marks")
    with tempfile.TemporaryDirectory() as folder:
        database = os.path.join(folder, "demo.db")
        subprocess.run(["sh", os.path.join(SOURCE, "tests", "load-fleet.sh"), "--db", database],
                       check=True, stdout=subprocess.DEVNULL)
        text = transcript(commands, database)
    block = "\n```\n%s```\n" % settled(text)
    if os.environ.get("REGENERATE"):
        with open(README, "w", encoding="utf-8") as file:
            file.write(before + BEGIN + block + END + after)
        print("wrote the transcript of %d commands" % len(commands))
        return
    if block != inside:
        sys.exit("README.md: the transcript isn't what is printed (REGENERATE=1 renews it):\n%s" %
                 "\n".join(difflib.unified_diff(inside.splitlines(), block.splitlines(),
                                                "README.md", "printed", lineterm="")))
    print("the transcript of %d commands is true" % len(commands))


if __name__ == "__main__":
    main()
