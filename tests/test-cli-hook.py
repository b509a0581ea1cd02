#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The hook: what it refuses by which policy, what it says, what it records, and that it ends in time
by policy whatever happens to its database, its input or itself."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

from answers_fixture import problems, validator
from dictionary_fixture import Tally
from hook_fixture import FINE, FROM_SOURCE, HERE, REMOVED, SILENT, SOURCE, VIOMMU, Hook, guest

BOTH = "hazard;fails-safely"
# under valgrind all takes its time
LIMIT = 15000 if os.environ.get("CAPBROKER_WRAPPERS") else 1500
SLOW = LIMIT / 1000 * 2 + 1  # seconds: more than any call may take here


def check_refusals(tally, hook):
    """Which verdicts are refused, by mode and effects."""
    cases = [  # definition, mode, keys, exit status, verdict
        (FINE, "enforce", {}, 0, "ok"),
        (SILENT, "report", {}, 0, "block"),
        (SILENT, "enforce", {}, 1, "block"),
        (SILENT, "enforce", {"enforce": "fails-safely"}, 0, "block"),
        (REMOVED, "report", {"enforce": BOTH}, 0, "block"),
        (REMOVED, "enforce", {}, 0, "block"),
        (REMOVED, "enforce", {"enforce": BOTH}, 1, "block"),
        (VIOMMU, "enforce", {}, 0, "unknown"),
        (VIOMMU, "report", {"unknown": "refuse"}, 0, "unknown"),
        (VIOMMU, "enforce", {"unknown": "refuse"}, 1, "unknown"),
    ]
    for xml, mode, keys, wanted, verdict in cases:
        hook.policy(mode, **keys)
        status, out, errors = hook.call(xml)
        what = f"{verdict}, {mode}, {keys}"
        tally.check(status == wanted and not out, f"{what}: exit status {status}, stdout {out!r}, {errors}")
        tally.check(hook.last()[:3] == (verdict, mode, wanted), f"{what}: recorded {hook.last()}")
        lines = errors.splitlines()
        if wanted:
            tally.check(2 <= len(lines) <= 5 and lines[0].startswith(f"capbroker: {HERE}: {verdict}")
                        and "guest unharmed, still on its source host" in lines
                        and any(line.startswith("details: capbroker decision ") for line in lines),
                        f"{what}: says {errors!r}")
        else:
            tally.check(not errors, f"{what}: says {errors!r} although it lets the guest come")


def check_says(tally, hook):
    """What it names can be asked for."""
    hook.policy("enforce", enforce=BOTH)
    _, _, errors = hook.call(REMOVED)
    tally.check("(machine-present" in errors and "lab:" in errors and "\noverride: none" in errors,
                f"no cause in {errors!r}")
    decision = errors.split("details: capbroker decision ")[1].split()[0]
    text = hook.run("decision", decision)
    tally.check("machine-present" in text and "refused: it stayed" in text, f"decision: {text}")
    _, _, errors = hook.call(SILENT)
    tally.check("override: capbroker allow 5e0f0000-1000-4000-8000-0000000000aa --to here --check "
                in errors, f"no override in {errors!r}")
    _, _, errors = hook.call(guest(machine="pc\x01q35&#10;x").replace("\x01", "-"))
    tally.check(len(errors.splitlines()) <= 5, f"a name made lines of its own: {errors!r}")


def check_source(tally, hook):
    """Where it comes from: by its contract, by the database, else unknown."""
    hook.policy("enforce")
    hook.call(VIOMMU)
    tally.check(hook.last()[0] == "unknown", f"a virtual IOMMU from nowhere: {hook.last()}")
    told = ("<metadata><capbroker:contract xmlns:capbroker='urn:capbroker:contract:1' host='far' "
            "qemu='7.2.22' machine='pc-q35-7.2'>%s</capbroker:contract></metadata>")
    hook.call(VIOMMU.replace("<memory", told % "" + "<memory", 1))
    tally.check(hook.last()[0] != "unknown" and
                hook.rows("SELECT source FROM decision ORDER BY id DESC")[0][0] == "far",
                f"with a contract: {hook.last()}")
    lie = "<capbroker:viommu device='intel-iommu' caching-mode='off'/>"
    hook.call(VIOMMU.replace("<memory", told % lie + "<memory", 1))
    tally.check(hook.last()[0] == "unknown", f"a contract that contradicts: {hook.last()}")
    upgraded = FROM_SOURCE.replace("/>", " qemu='%s'/>", 1)
    for version, verdict in (("10.0.13", "ok"), ("9.9.9", "unknown")):
        hook.call(VIOMMU.replace("<memory", upgraded % version + "<memory", 1))
        tally.check((hook.last()[0] == "unknown") == (verdict == "unknown"),
                    f"from {SOURCE} with QEMU {version}: {hook.last()}")
    path = hook.path("known.xml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(VIOMMU)
    hook.run("import", "--host", SOURCE, path)
    hook.call(VIOMMU)
    tally.check(hook.rows("SELECT source FROM decision ORDER BY id DESC")[0][0] == SOURCE,
                "the database knew where it ran")


def check_kill_switch(tally, hook):
    hook.policy("enforce", enforce=BOTH, unknown="refuse", failure="refuse")
    open(hook.path("off"), "w", encoding="utf-8").close()
    for xml in (SILENT, REMOVED, VIOMMU, "no XML"):
        status, _, errors = hook.call(xml)
        tally.check(status == 0, f"refused although it is switched off: {errors}")
    tally.check(hook.last()[1] == "off", f"recorded as {hook.last()}")
    os.unlink(hook.path("off"))
    tally.check(hook.call(REMOVED)[0] == 1, "not refused although it is switched on again")


def both_policies(tally, hook, what, call, words):
    """What fails is let go by the usual policy, and refused where that is enforced; both in time."""
    for mode, keys, wanted in (("enforce", {}, 0), ("report", {"failure": "refuse"}, 0),
                               ("enforce", {"failure": "refuse"}, 1)):
        hook.policy(mode, enforce=BOTH, limit_ms=LIMIT, **keys)
        began = time.monotonic()
        status, out, errors = call()
        took = time.monotonic() - began
        tally.check(status == wanted and not out and took < SLOW,
                    f"{what}, {mode}, {keys}: exit status {status} after {took:.2f} s: {out}{errors}")
        tally.check(words in errors and errors.count("\n") == 1, f"{what}: says {errors!r}")


def check_input(tally, hook):
    both_policies(tally, hook, "not XML", lambda: hook.call("this is no XML"), "definition:")
    both_policies(tally, hook, "nothing", lambda: hook.call(""), "definition:")
    both_policies(tally, hook, "a bare <cpu>", lambda: hook.call("<cpu mode='custom'><model>qemu64</model></cpu>"),
                  "definition")
    huge = "<domain>" + "<!-- " + "x" * (5 << 20) + " -->" + "</domain>"
    both_policies(tally, hook, "5 MiB", lambda: hook.call(huge), "larger than the 4 MiB")

    def hangs():
        process = subprocess.Popen(hook.arguments("lab", "migrate", "begin", "-"), stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdin.write(b"<domain>")
        process.stdin.flush()
        out, errors = process.stdout.read(), process.stderr.read()
        return process.wait(), out.decode(), errors.decode()
    both_policies(tally, hook, "standard input that hangs", hangs, "within its limit")


def check_database(tally, hook):
    """Gone, damaged, of another program, locked by another process."""
    kept = hook.path("kept.db")
    shutil.copy(hook.database, kept)

    os.unlink(hook.database)
    both_policies(tally, hook, "database gone", lambda: hook.call(FINE), "no such database")
    tally.check(not os.path.exists(hook.database), "made a database")

    with open(hook.database, "wb") as file:
        file.write(b"not a database, by far" * 500)
    both_policies(tally, hook, "no database", lambda: hook.call(FINE), "not a database")

    shutil.copy(kept, hook.database)
    connection = sqlite3.connect(hook.database)
    connection.execute("UPDATE section SET text = replace(text, 'known', 'nnown')")
    connection.commit()
    connection.close()
    both_policies(tally, hook, "database damaged", lambda: hook.call(FINE), "damaged")

    shutil.copy(kept, hook.database)
    holder = sqlite3.connect(hook.database, isolation_level=None)
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    holder.execute("UPDATE host SET confirmed = confirmed")
    both_policies(tally, hook, "database held", lambda: hook.call(FINE), "locked")
    holder.close()

    # A writer keeps nobody from reading: the decision stands, and isn't recorded.
    writer = sqlite3.connect(hook.database, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    before = hook.count()
    hook.policy("enforce", enforce=BOTH, limit_ms=LIMIT)
    status, _, errors = hook.call(REMOVED)
    tally.check(status == 1 and "machine-present" in errors, f"while another writes: {status} {errors}")
    status, _, errors = hook.call(FINE)
    tally.check(status == 0 and "not recorded" in errors, f"while another writes: {status} {errors}")
    writer.execute("ROLLBACK")
    writer.close()
    tally.check(hook.count() == before, "recorded although it was locked")


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as file:
        return [int(word) for word in file.read().split()]


def is_there(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def check_killed(tally, hook):
    """Killed: the process that decides, or the one that waits for it."""
    def killed(signal_number, child):
        def call():
            process = subprocess.Popen(hook.arguments("lab", "migrate", "begin", "-"),
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE)
            for _ in range(200):
                if children_of(process.pid):
                    break
                time.sleep(0.005)
            deciding = children_of(process.pid)
            os.kill(deciding[0] if child else process.pid, signal_number)
            out, errors = process.stdout.read(), process.stderr.read()
            for _ in range(200):  # nobody is left behind
                if not any(map(is_there, deciding)):
                    break
                time.sleep(0.005)
            else:
                errors += b"left somebody behind\n"
            return process.wait(), out.decode(), errors.decode()
        return call
    both_policies(tally, hook, "its child killed", killed(signal.SIGKILL, True), "was killed")
    both_policies(tally, hook, "told to end", killed(signal.SIGTERM, False), "was told to end")


def check_site_unknown(tally, hook):
    """What isn't known, by the site's policy, where hook.conf says nothing of it; else by that."""
    path = hook.path("site.conf")
    for said, own, wanted in ((None, {}, 0), ("refuse", {}, 1), ("allow", {}, 0),
                              ("refuse", {"unknown": "allow"}, 0), ("allow", {"unknown": "refuse"}, 1)):
        hook.policy("enforce", enforce=BOTH, **own)
        with open(path, "w", encoding="utf-8") as file:
            file.write("[unknown]\nhook=%s\n" % said if said else "")
        words = hook.arguments("lab", "migrate", "begin", "-")
        result = subprocess.run([words[0], "--policy", path, *words[1:]], input=VIOMMU.encode(),
                                capture_output=True, check=False, timeout=30)
        tally.check(result.returncode == wanted and hook.last()[0] == "unknown",
                    f"site {said}, hook.conf {own}: {result.returncode} {hook.last()} {result.stderr!r}")


def check_policy(tally, hook):
    """A policy that is wrong refuses nothing, and says so."""
    for line, words in (("mode=enfroce", "mode: 'enfroce'"), ("enforced=hazard", "enforced: no such key"),
                        ("enforce=hazrad", "enforce: 'hazrad'"), ("limit-ms=0", "limit-ms: '0'"),
                        ("database=here.db", "database: 'here.db'")):
        hook.policy("enforce", enforce=BOTH)
        with open(hook.path("hook.conf"), "a", encoding="utf-8") as file:
            file.write(line + "\n")
        status, out, errors = hook.call(REMOVED)
        tally.check(status == 0 and not out and words in errors, f"{line}: {status} {errors!r}")


def check_changed(tally, hook):
    """A host that isn't what was probed: unknown, and it is probed again."""
    with open("/proc/sys/kernel/random/boot_id", encoding="utf-8") as file:
        boot = file.read().strip()
    emulator = hook.path("qemu")
    probed = hook.path("probed")
    with open(emulator, "w", encoding="utf-8") as file:
        file.write("one")
    with open(hook.path("probe"), "w", encoding="utf-8") as file:
        file.write(f'#!/bin/sh\necho "$@" >>{probed}\n')
    os.chmod(hook.path("probe"), 0o755)
    st = os.stat(emulator)
    fingerprint = json.dumps({"boot_id": boot, "kernel": os.uname().release, "emulators": [
        {"path": emulator, "size": st.st_size, "mtime": int(st.st_mtime), "inode": st.st_ino}]})
    connection = sqlite3.connect(hook.database)
    connection.execute("UPDATE host SET fingerprint = ? WHERE name = ?", (fingerprint, HERE))
    connection.commit()
    connection.close()
    environment = {**os.environ, "CAPBROKER_PROBE": hook.path("probe")}
    hook.policy("enforce", enforce=BOTH, changed="unknown", reprobe="yes")
    tally.check(hook.call(REMOVED, env=environment)[0] == 1, "the same host isn't believed")
    with open(emulator, "a", encoding="utf-8") as file:
        file.write(" more")
    status, _, _ = hook.call(REMOVED, env=environment)
    tally.check(status == 0 and hook.last()[0] == "unknown", f"a changed host is believed: {hook.last()}")
    for _ in range(400):
        if os.path.exists(probed):
            break
        time.sleep(0.01)
    tally.check(os.path.exists(probed), "a changed host isn't probed again")
    hook.policy("enforce", enforce=BOTH, changed="trust", reprobe="no")
    tally.check(hook.call(REMOVED)[0] == 1, "changed=trust isn't obeyed")


def status_file(hook, state, reason):
    with open(hook.path("lab.xml"), "w", encoding="utf-8") as file:
        file.write(f"<domstatus state='{state}' reason='{reason}' pid='1'>{FINE}</domstatus>")


def check_outcomes(tally, hook):
    """What became of a guest, by libvirt's later calls, its record, and the next probe."""
    hook.policy("report")

    def move(xml, *calls):
        hook.call(xml)
        for operation, sub in calls:
            status, out, errors = hook.call(xml, operation, sub)
            tally.check(status == 0 and not out and not errors, f"{operation}: {status} {out}{errors}")
        return hook.last()[3]

    up, down, gone = ("started", "begin"), ("stopped", "end"), ("release", "end")
    tally.check(move(FINE) is None, "an outcome of nothing")
    tally.check(move(FINE, ("prepare", "begin"), ("start", "begin")) is None, "too early")
    tally.check(move(FINE, up) == "started", f"started: {hook.last()}")
    tally.check(move(FINE, gone) == "failed", f"never started: {hook.last()}")
    status_file(hook, "paused", "migration")
    tally.check(move(FINE, up, down, gone) == "failed", f"stopped while it came: {hook.last()}")
    status_file(hook, "running", "migrated")
    tally.check(move(SILENT, up, down, gone) == "arrived", f"stopped after it came: {hook.last()}")
    os.unlink(hook.path("lab.xml"))
    tally.check(move(FINE, up, down) == "failed", f"stopped soon: {hook.last()}")
    move(REMOVED, up)
    path = hook.path("arrived.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"format": "capbroker.guests/1", "host": HERE, "complete": True, "guests": [
            {"name": "lab", "uuid": "5E0F0000-1000-4000-8000-0000000000AA", "type": "qemu",
             "running": True, "os": {"type": "hvm"}}]}, file)
    hook.run("import", path)
    tally.check(hook.last()[3] == "arrived", f"seen by a probe: {hook.last()}")
    tally.check(not hook.rows("SELECT 1 FROM decision WHERE outcome = 'failed' AND outcome_reason LIKE '%never%there'"),
                "moves that may be on their way are given up")
    hook.call(guest(name="early", uuid="5e0f0000-1000-4000-8000-0000000000ee"))
    connection = sqlite3.connect(hook.database)
    connection.execute("UPDATE decision SET time = time - 100 WHERE guest_name = 'early'")
    connection.commit()
    connection.close()
    hook.run("import", path)
    tally.check(hook.last()[3] == "failed", f"never heard of, and not found by a probe: {hook.last()}")


def check_report(tally, hook):
    schema, answer = validator(), hook.ask("report")
    tally.check(not problems(schema, answer), f"schema: {problems(schema, answer)}")
    rows = {row["verdict"]: row for row in answer["predicted"]}
    recorded = dict(hook.rows("SELECT verdict, count(*) FROM decision GROUP BY verdict"))
    tally.check({v: row["moves_n"] for v, row in rows.items() if row["moves_n"]} == recorded,
                f"report counts {rows}, the database {recorded}")
    tally.check(answer["false_alarms"] and all(r["verdict"] == "block" and r["outcome"] == "arrived"
                                               for r in answer["false_alarms"]), "false alarms")
    tally.check(answer["missed"] and all(r["verdict"] in ("ok", "warn") and r["outcome"] == "failed"
                                         for r in answer["missed"]), "missed")
    text = hook.run("report")
    tally.check("a false alarm, or silent harm" in text and max(map(len, text.splitlines())) <= 80,
                f"report: {text}")
    decision = hook.ask("decision", answer["missed"][0]["id"])
    tally.check(not problems(schema, decision), f"schema: {problems(schema, decision)}")
    tally.check(hook.try_run("decision", "0000000")[0] == 2, "a decision that never was")


def check_dialects(tally, hook):
    hook.policy("enforce", enforce=BOTH)
    path = hook.path("vdsm.xml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(REMOVED)
    for point, wanted in (("before_vm_migrate_destination", 1), ("before_vm_start", 0)):
        result = subprocess.run(hook.arguments(point, dialect="vdsm"), capture_output=True, check=False,
                                env={**os.environ, "_hook_domxml": path}, stdin=subprocess.DEVNULL)
        tally.check(result.returncode == wanted and not result.stdout, f"vdsm {point}: {result}")
    result = subprocess.run(hook.arguments(dialect="ganeti"), capture_output=True, check=False,
                            stdin=subprocess.DEVNULL,
                            env={**os.environ, "GANETI_HOOKS_PHASE": "pre", "GANETI_INSTANCE_NAME": "lab",
                                 "GANETI_HOOKS_PATH": "instance-migrate"})
    tally.check(result.returncode == 0 and not result.stdout, f"ganeti: {result}")
    for arguments in (["lab"], []):
        tally.check(subprocess.run(hook.arguments(*arguments), capture_output=True, check=False,
                                   stdin=subprocess.DEVNULL).returncode == 2, f"libvirt {arguments}")
    for operation in ("prepare", "start", "reconnect", "attach", "migrate"):
        status, out, _ = hook.call(REMOVED, operation, "end" if operation == "migrate" else "begin")
        tally.check(status == 0 and not out, f"{operation}: {status}")
    tally.check(hook.call(REMOVED, "restore")[0] == 1, "a guest that is restored isn't judged")


def check_same_as_check(tally, hook):
    """Of a host only a part is loaded: the answers are those of check all the same."""
    hook.policy("report")
    for name, xml in (("fine", FINE), ("silent", SILENT), ("removed", REMOVED),
                      ("kvm", FINE.replace("type='qemu'", "type='kvm'")),
                      ("model", guest("<cpu mode='custom' match='exact'><model>Haswell</model></cpu>")),
                      ("host-model", guest("<cpu mode='host-model'/>")),
                      ("i440fx", guest(machine="pc-i440fx-7.2")), ("alias", guest(machine="q35"))):
        path = hook.path("same.xml")
        xml = xml.replace("5e0f0000-1000-4000-8000-0000000000aa", "5e0f0000-1000-4000-8000-0000000000bb")
        with open(path, "w", encoding="utf-8") as file:
            file.write(xml)
        source = ["--from", SOURCE] if "contract" in xml else []
        answer = hook.ask("check", path, "--to", HERE, *source)["verdicts"][0]
        hook.call(xml)
        document = json.loads(hook.rows("SELECT document FROM decision ORDER BY id DESC")[0][0])
        mine = document["verdicts"][0]
        for key in ("start", "migrate", "viommu", "findings", "cpu"):
            tally.check(mine[key] == answer[key], f"{name}: {key}: {mine[key]} and not {answer[key]}")


def check_site_policy(tally, hook):
    """What a site has decided of a check holds for its hooks; a policy that is wrong decides nothing."""
    path = hook.path("policy.conf")
    hook.policy("enforce", enforce="fails-safely")

    def call(text):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        arguments = hook.arguments("lab", "migrate", "begin", "-")
        result = subprocess.run([arguments[0], "--policy", path, *arguments[1:]], input=REMOVED.encode(),
                                capture_output=True, check=False, timeout=30)
        return result.returncode, result.stderr.decode()

    tally.check(call("[verdicts]\nmachine-same=warn\n")[0] == 1, "another check's verdict let it come")
    tally.check(call("[verdicts]\nmachine-present=warn\n")[0] == 0 and hook.last()[0] == "warn",
                f"the site's own verdict: {hook.last()}")
    status, errors = call("[verdicts]\nno-such-check=warn\n")
    tally.check(status == 0 and "policy.conf" in errors, f"a wrong policy: {status} {errors}")


def main():
    tally = Tally()
    for part in (check_refusals, check_says, check_source, check_kill_switch, check_input, check_killed,
                 check_policy, check_site_policy, check_site_unknown, check_dialects, check_same_as_check, check_changed):
        with Hook() as hook:
            part(tally, hook)
    with Hook() as hook:
        check_database(tally, hook)
    with Hook() as hook:
        check_outcomes(tally, hook)
        check_report(tally, hook)
    tally.finish("calls of the hook", least=150)


sys.exit(main())
