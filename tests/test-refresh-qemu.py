# SPDX-License-Identifier: LGPL-2.1-or-later
"""capbroker-refresh and a real QEMU: nothing is missing from tables that it is in; of one whose
replies are altered it names what is altered; rows that it wrote are believed afterwards."""

import json
import os
import shutil
import subprocess
import sys
import tempfile

TOP = os.environ["top_srcdir"]
QEMU = "qemu-system-x86_64"
# A QEMU with altered replies. Its command line: FILE with "name" of the command, of its "argument",
# "drop" and "set" as below, then QEMU's own arguments.
PROXY = r'''
import json, subprocess, sys, threading
with open(sys.argv[1]) as file:
    changes = json.load(file)
qemu = subprocess.Popen(sys.argv[2:], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
asked = []

def alter(question, reply):
    if question["execute"] == "query-version":
        reply["qemu"].update(changes.get("version", {}))
        reply["package"] = changes.get("package", reply["package"])
    elif question["execute"] == "query-machines":
        reply += changes.get("machines", [])
    elif question["execute"] == "qom-list-types":
        reply[:] = [t for t in reply if t["name"] not in changes.get("types gone", [])]
    elif question["execute"] == "query-cpu-model-expansion":
        name = question["arguments"]["model"]["name"]
        reply["model"]["props"].update(changes.get("models", {}).get(name, {}))
    elif question["execute"] == "device-list-properties":
        for change in changes.get("properties", {}).get(question["arguments"]["typename"], []):
            for entry in reply:
                if entry["name"] == change[0]:
                    entry[change[1]] = change[2]

def forward():
    for line in qemu.stdout:
        message = json.loads(line)
        if "return" in message or "error" in message:
            question = asked.pop(0)
            if "return" in message:
                alter(question, message["return"])
        print(json.dumps(message), flush=True)

threading.Thread(target=forward, daemon=True).start()
for line in sys.stdin:
    asked.append(json.loads(line))
    qemu.stdin.write(line.encode())
    qemu.stdin.flush()
qemu.terminate()
qemu.wait()
'''
failures = []


def check(condition, what):
    if not condition:
        failures.append(what)
        print(f"not ok: {what}")


def refresh(*arguments):
    """(exit status, rows as lists by table, comments, stderr)"""
    run = subprocess.run(["capbroker-refresh", "--connect", "none", *arguments], check=False,
                         capture_output=True, text=True, timeout=120)
    tables, comments, table = {}, [], None
    for line in run.stdout.splitlines() if "--write" not in arguments else ():
        if line.startswith("# ") and line.endswith(".tsv"):
            table = tables.setdefault(os.path.basename(line), [])
        elif line.startswith("#"):
            comments.append(line[2:])
        else:
            table.append(line.split("\t"))
    return run.returncode, tables, comments, run.stderr


class Altered:
    """A QEMU command whose replies are altered."""

    def __init__(self, folder):
        self.folder = folder
        with open(os.path.join(folder, "proxy.py"), "w", encoding="utf-8") as file:
            file.write(PROXY)

    def command(self, **changes):
        path = os.path.join(self.folder, "changes.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump({key.replace("_", " "): value for key, value in changes.items()}, file)
        return f"{sys.executable} {self.folder}/proxy.py {path} {QEMU}"


def of_the_table(tables):
    """Without rows of types that the table was never made of: rules may name them since."""
    with open(os.path.join(TOP, "schema", "data", "qemu-properties.tsv"), encoding="utf-8") as file:
        known = {line.split("\t")[0] for line in file}
    rows = [row for row in tables.pop("qemu-properties.tsv", []) if row[0] in known - {"device"}]
    return {**tables, **({"qemu-properties.tsv": rows} if rows else {})}


def version_of(folder):
    """QEMU's version if the tables were made of it, too."""
    text = subprocess.run([QEMU, "--version"], capture_output=True, check=True, text=True).stdout
    version = text.split()[3].split("(")[0]
    with open(os.path.join(folder, "qemu-properties.tsv"), encoding="utf-8") as file:
        looked = [line.split("\t")[5] for line in file if line.startswith("-\t-\t")]
    return version, looked


def renamed_and_changed(altered, site):
    """One property renamed, one default changed: both are named, and believed once written."""
    command = altered.command(properties={"intel-iommu": [
        ["caching-mode", "name", "shadow-mode"], ["aw-bits", "default-value", 57]]})
    status, tables, comments, _ = refresh("--site", site, command)
    text = "\n".join(comments)
    check(status == 1, f"altered: exit status {status}")
    check(list(tables) == ["qemu-properties.tsv"], f"altered: tables {list(tables)}")
    names = {(row[0], row[1]) for row in tables.get("qemu-properties.tsv", [])[1:]}
    check(names == {("intel-iommu", "caching-mode"), ("intel-iommu", "shadow-mode"),
                    ("intel-iommu", "aw-bits")}, f"altered: names {names}")
    check("caching-mode is gone (is it called shadow-mode?" in text, f"the rename: {text}")
    check("aw-bits has the default 57 now, had " in text, f"the default: {text}")
    status, _, _, errors = refresh("--site", site, "--write", command)
    check(status == 0, f"--write: exit status {status}: {errors}")
    status, tables, _, _ = refresh("--site", site, command)
    check(status == 0 and not tables, f"refreshed, and still missing: {tables}")
    # the QEMU as it is differs from what the site believes now
    status, _, comments, _ = refresh("--site", site, QEMU)
    check(status == 1 and any("aw-bits has the default" in c for c in comments),
          "what was written isn't believed")


def newer(altered, site):
    """A QEMU that nobody has seen: machine types, a model, a type that is gone, a vendor."""
    machine = {"cpu-max": 4096, "hotpluggable-cpus": True, "numa-mem-supported": True,
               "deprecated": False}
    command = altered.command(
        version={"major": 99, "minor": 0, "micro": 0}, package="Frobnix 99-1",
        machines=[{**machine, "name": "pc-q35-99.0"}, {**machine, "name": "pc-q35-frob"}],
        types_gone=["hpet"], models={"Nehalem": {"avx512f": True, "frobnicate": True}})
    status, tables, comments, errors = refresh("--site", site, command)
    rows = {name: {tuple(row) for row in found[1:]} for name, found in tables.items()}
    check(status == 1, f"99.0: exit status {status}: {errors}")
    check(any(row[:2] == ("pc-q35", "99.0") for row in rows.get("machine-types.tsv", ())),
          "99.0: its own machine type")
    check(("mine", "pc-q35-frob") in {row[:2] for row in
                                      rows.get("machine-types-downstream.tsv", ())},
          "99.0: somebody's machine type")
    check(any(row[0] == "Frobnix 99-1" for row in rows.get("qemu-vendors.tsv", ())),
          "99.0: whose QEMU it is")
    model = [row for row in rows.get("qemu-cpu-models.tsv", ()) if row[0] == "Nehalem"]
    check(len(model) == 1 and "avx512f" in model[0][3].split(), f"99.0: the model: {model}")
    check("frobnicate" in errors, f"99.0: an unknown feature isn't named: {errors}")
    hpet = [row for row in rows.get("qemu-properties.tsv", ()) if row[:2] == ("hpet", "-")]
    check(hpet and hpet[0][6] != "-", f"99.0: the type that is gone: {hpet}")
    check("hpet is gone" in comments, "99.0: the type that is gone isn't named")
    refresh("--site", site, "--write", command)
    status, tables, _, _ = refresh("--site", site, command)
    check(status == 0 and not tables, f"99.0: refreshed, and still missing: {str(tables)[:500]}")
    capbroker = subprocess.run(["capbroker", "--db", os.path.join(site, "no.db"), "hosts"],
                               env=dict(os.environ, CAPBROKER_SITEDIR=site), check=False,
                               capture_output=True, text=True)
    check("no such database" in capbroker.stderr, f"capbroker reads them: {capbroker.stderr}")


def refused(site):
    """One line each, exit status 2."""
    for arguments in (["/nonexistent/qemu"], ["true"], ["--data", "/nonexistent", QEMU],
                      ["--dictionary", "/nonexistent", QEMU],
                      ["--connect", "nonsense://", "--cpu-map", "/nonexistent", QEMU]):
        status, tables, _, errors = refresh("--site", site, *arguments)
        check(status == 2 and not tables and errors.startswith("capbroker-refresh: ") and
              errors.count("\n") == 1, f"{arguments}: exit status {status}: {errors!r}")
    os.makedirs(os.path.join(site, "odd"))
    with open(os.path.join(site, "odd", "qemu-properties.tsv"), "w", encoding="utf-8") as file:
        file.write("device\tsomething else\n")
    status, _, _, errors = refresh("--site", os.path.join(site, "odd"), QEMU)
    check(status == 2 and "columns differ" in errors, f"other columns: {errors}")


def main():
    if not shutil.which(QEMU):
        print(f"skipped: no {QEMU} to ask (install qemu-system-x86)")
        sys.exit(77)
    version, looked = version_of(os.path.join(TOP, "schema", "data"))
    with tempfile.TemporaryDirectory(prefix="capbroker-test-") as folder:
        altered = Altered(folder)
        base = os.path.join(folder, "base")
        status, tables, comments, errors = refresh("--site", base, QEMU)
        check(status in (0, 1), f"as it is: exit status {status}: {errors}")
        if version in looked:
            check(not of_the_table(tables), f"{version} is in the tables, but: {comments}")
            refresh("--site", base, "--write", QEMU)
        else:
            refresh("--site", base, "--write", QEMU)
            status, tables, _, _ = refresh("--site", base, QEMU)
            check(status == 0 and not tables, f"{version}: refreshed, and missing: {tables}")
        for number, test in enumerate((renamed_and_changed, newer)):
            site = os.path.join(folder, str(number))
            if os.path.isdir(base):
                shutil.copytree(base, site)
            test(altered, site)
        refused(os.path.join(folder, "refused"))
    sys.exit(1 if failures else 0)


main()
