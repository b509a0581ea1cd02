#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Overrides: what they change in check, matrix and the hook, and what they may not; who, until when."""

import json
import os
import pwd
import sqlite3
import sys

from answers_fixture import problems, validator
from dictionary_fixture import Tally
from hook_fixture import HERE, REMOVED, SILENT, SOURCE, UUID, Hook
from hosts_fixture import HOSTS

VALIDATOR = validator()
WHY = ["--reason", "CHG-4411", "--expires", "7d"]


def store_guest(hook, xml):
    path = hook.path("lab.xml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(xml)
    hook.run("import", "--host", SOURCE, path)


def ask(hook, *arguments):
    answer = hook.ask(*arguments)
    for problem in problems(VALIDATOR, answer):
        sys.exit("%s: %s" % (arguments, problem))
    return answer


def verdict(hook, host=HERE):
    answer = ask(hook, "check", "lab", "--to", host)
    return answer["verdicts"][0]


def finding(entry, check):
    return next(f for f in entry["findings"] if f["check"] == check)


def set_column(hook, column, value):
    connection = sqlite3.connect(hook.database)
    connection.execute(f"UPDATE override SET {column} = ?", (value,))
    connection.commit()
    connection.close()


def check_block(tally, hook):
    """A block that fails safely counts as a warning, on the hosts and for the check named."""
    store_guest(hook, REMOVED)
    before = verdict(hook)
    tally.check(before["migrate"] == "block" and before["start"] == "block", f"before: {before}")
    plain = ask(hook, "check", "lab", "--to", HERE)["decision"]["id"]
    added = ask(hook, "allow", "lab", "--to", HERE, "--check", "machine-present", *WHY)["overrides"][0]
    after = verdict(hook)
    found = finding(after, "machine-present")
    others = [f for f in after["findings"] if f["check"] != "machine-present"]
    tally.check(after["migrate"] == "warn" and not [f for f in others if f["verdict"] == "block"],
                f"after: {after}")
    tally.check(found["verdict"] == "warn" and found["override"]["was"] == "block" and
                found["override"]["id"] == added["id"] and found["override"]["reason"] == "CHG-4411",
                f"finding: {found}")
    tally.check(after["qemu_starts"] == before["qemu_starts"], "it changed what QEMU does")
    tally.check(verdict(hook, SOURCE)["migrate"] == "block", "it holds on another host, too")
    tally.check(ask(hook, "check", "lab", "--to", HERE)["decision"]["id"] != plain,
                "the decision's id is the same although an override decided")
    text = hook.run("check", "lab", "--to", HERE)
    tally.check("override  machine-present until " in text and "CHG-4411); it would be block" in text and
                max(map(len, text.splitlines())) <= 80, f"text: {text}")
    many = hook.run("check", "lab", "--to", "all", fine=(0,))
    tally.check("override  machine-present" in many, f"several hosts: {many}")


def check_class(tally, hook):
    """Twins of one class are told apart where an override holds for one of them."""
    hook.run("import", "--name", "twin", os.path.join(HOSTS, "lab-debian12", "profile.json"))
    answer = ask(hook, "check", "lab", "--to", "all")
    by_host = {v["host"]: v for v in answer["verdicts"]}
    tally.check(by_host[HERE]["class"] == by_host["twin"]["class"], "they are no twins")
    tally.check((by_host[HERE]["migrate"], by_host["twin"]["migrate"]) == ("warn", "block"),
                f"{by_host[HERE]['migrate']} and {by_host['twin']['migrate']}")
    tally.check((by_host["twin"]["onward_hosts"], by_host["twin"]["back"]) == (0, None),
                f"onward: {by_host['twin']}")
    entries = [c["hosts"] for c in answer["classes"] if c["id"] == by_host[HERE]["class"]]
    tally.check(sorted(entries) == [[HERE], ["twin"]], f"classes: {entries}")
    matrix = ask(hook, "matrix")
    column = next(i for i, c in enumerate(matrix["classes"]) if HERE in c["hosts"])
    row = next(i for i, g in enumerate(matrix["guest_groups"]) if "lab" in g["guests"])
    tally.check(matrix["cells"][row][column] == "block", "matrix: one of two hosts is no class")
    ask(hook, "allow", "lab", "--to", "twin", "--check", "machine-present", *WHY)
    matrix = ask(hook, "matrix")
    tally.check(matrix["cells"][row][column] == "warn", f"matrix: {matrix['cells']}")
    hook.run("forget", "twin")


def check_hook(tally, hook):
    hook.policy("enforce", enforce="hazard;fails-safely")
    status, _, errors = hook.call(REMOVED)
    tally.check(status == 0 and hook.last()[0] == "warn", f"hook: {status} {errors} {hook.last()}")
    report = ask(hook, "report")
    tally.check(report["overridden_n"] == 1 and report["overrides"], f"report: {report['overrides']}")


def check_end(tally, hook):
    """Expired and revoked ones count nothing, and stay known."""
    set_column(hook, "expires", 1)
    tally.check(verdict(hook)["migrate"] == "block", "an expired one counts")
    listed = ask(hook, "allow", "--list")["overrides"]
    tally.check({o["state"] for o in listed} == {"expired"}, f"listed: {listed}")
    set_column(hook, "expires", 1 << 33)
    tally.check(verdict(hook)["migrate"] == "warn", "not in force again")
    listed = ask(hook, "allow", "--revoke", "1")["overrides"]
    tally.check(listed[0]["state"] == "revoked" and listed[0]["revoked_by"], f"revoked: {listed[0]}")
    tally.check(verdict(hook)["migrate"] == "block", "a revoked one counts")
    tally.check(hook.try_run("allow", "--revoke", "1")[0] == 2, "revoked twice")
    text = hook.run("allow", "--list")
    tally.check("   1  revoked" in text and "CHG-4411" in text and max(map(len, text.splitlines())) <= 80,
                f"list: {text}")


def check_hazard(tally, hook):
    """A silent hazard takes more than a reason."""
    store_guest(hook, SILENT)
    check = next(f["check"] for f in verdict(hook)["findings"]
                 if (f["verdict"], f["effect"]) == ("block", "hazard"))
    hook.run("allow", "lab", "--to", "all", "--check", check, *WHY)
    tally.check(verdict(hook)["migrate"] == "block", "a hazard is silenced without --accept-risk")
    hook.run("allow", "lab", "--to", "all", "--check", check, *WHY, "--accept-risk")
    tally.check(verdict(hook)["migrate"] == "warn", "--accept-risk does nothing")


def check_kept(tally, hook):
    """What somebody wrote outlives the host, and the guest, it is of; another guest has nothing of it."""
    hook.run("forget", HERE)
    hook.run("forget", SOURCE)
    listed = ask(hook, "allow", "--list")["overrides"]
    tally.check(len(listed) == 4, f"forgotten with its host: {listed}")
    mine = pwd.getpwuid(listed[0]["uid"]).pw_name
    tally.check(listed[0]["by"] == mine and listed[0]["guest"].lower() == UUID,
                f"by {listed[0]['by']} for {listed[0]['guest']}")


def check_refused(tally, hook):
    full = ["allow", "lab", "--to", HERE, "--check", "machine-present", *WHY]
    cases = [(["allow", "nobody", *full[2:]], "nobody"), (full[:-1] + ["yesterday"], "--expires"),
             (full[:-1] + ["2020-01-01"], "within"), (full[:-1] + ["53w"], "within"),
             (full[:5] + ["no-such-check", *WHY], "no such check"), (full[:-2], "--expires are all needed"),
             ([*full[:3], "nowhere", *full[4:]], "nowhere"), (["allow"], "is expected"),
             (["allow", "lab", "--list"], "one of them"), (["allow", "--revoke", "99"], "99"),
             (full[:6] + ["--reason", "two\nlines", "--expires", "7d"], "one line")]
    for arguments, words in cases:
        status, out, errors = hook.try_run(*arguments)
        tally.check(status == 2 and not out and words in errors and errors.count("\n") == 1,
                    f"{arguments}: {status} {out}{errors}")
    hook.run("allow", "5e0f0000-1000-4000-8000-0000000000cc", *full[2:])  # nobody stored it


def main():
    tally = Tally()
    with Hook() as hook:
        check_block(tally, hook)
        check_class(tally, hook)
        check_hook(tally, hook)
        check_end(tally, hook)
        check_hazard(tally, hook)
        check_kept(tally, hook)
    with Hook() as hook:
        store_guest(hook, REMOVED)
        check_refused(tally, hook)
    tally.finish("looks at overrides", least=35)


sys.exit(main())
