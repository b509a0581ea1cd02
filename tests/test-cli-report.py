#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""report: who can move, what to do and what to plan, held against what the other commands say; and its
page, which must show what people named without being taken for markup."""

import html.parser
import os
import tempfile

from dictionary_fixture import Tally
from fleet_fixture import DAY, MID, NEW, OLD, Fleet, guest, host

EVIL = "a<script>alert(1)</script>&"
VOID = {"meta", "br"}


class Page(html.parser.HTMLParser):
    """What a page says, and whether its elements close in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.seen, self.words, self.wrong = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data):
        self.words.append(data)


def check_moves(tally, fleet, answer):
    """The same guests as `stranded` tells of."""
    stranded, told = fleet.ask("stranded"), answer["fleet"]
    for key in ("free_n", "limited_n", "nowhere_n", "unknown_n", "few"):
        tally.check(told["can_move"][key] == stranded[key], f"{key}: {told['can_move'][key]}, not {stranded[key]}")
    tally.check(sum(told["can_move"][k] for k in ("free_n", "limited_n", "nowhere_n", "unknown_n")) ==
                told["guests_n"] == 4, f"guests: {told}")
    lists = {"nowhere": "nowhere_n", "limited": "limited_n", "unknown": "unknown_n"}
    for kind, key in lists.items():
        named = [name for act in told["act"] if act["kind"] == kind for name in act["guests"]]
        tally.check(len(named) == stranded[key], f"{kind}: {named}, not {stranded[key]}")
    tally.check(stranded["nowhere_n"] == 1 and told["act"][0]["kind"] == "nowhere"
                and told["act"][0]["guests"] == ["oldest"], f"first what is worst: {told['act']}")


def check_plan(tally, answer):
    machines = {row["machine"]: row for row in answer["fleet"]["plan"] if row["kind"] == "machine"}
    tally.check("pc-i440fx-2.11" in machines and machines["pc-i440fx-2.11"]["guests_n"] == 1
                and machines["pc-i440fx-2.11"]["deprecated"], f"an old machine type isn't planned for: {machines}")
    tally.check("pc-q35-9.2" not in machines, f"a current machine type is to be replaced: {machines}")
    dates = [row["removed"] for row in machines.values()]
    tally.check(dates == sorted(dates), f"not by date: {dates}")


def check_facts(tally, fleet, answer):
    facts = answer["fleet"]["facts"]
    tally.check((facts["hosts_n"], facts["confirmed_n"], facts["others"]) == (3, 2, ["aged"]), f"facts: {facts}")
    tally.check(40 * DAY <= facts["oldest_s"] <= 40 * DAY + 600, f"the oldest: {facts}")
    longer = fleet.ask("report", "--since", "60d")["fleet"]["facts"]
    tally.check((longer["confirmed_n"], longer["others"]) == (3, []), f"of 60 days: {longer}")


def check_text(tally, fleet):
    text = fleet.run("report")
    lines = text.splitlines()
    tally.check(lines[0].startswith("3 hosts  4 guests (2 running)") and lines[1].startswith("Can move: "),
                f"begins {lines[:2]}")
    tally.check(all(len(line) <= 80 for line in lines), f"wider than 80 columns: {max(lines, key=len)!r}")
    for words in ("Act now", "Plan", "Facts: 2/3 hosts confirmed", "not judged: storage, networks, capacity"):
        tally.check(words in text, f"no {words!r} in {text}")


def check_page(tally, fleet, folder):
    path = os.path.join(folder, "report.html")
    fleet.run("report", "--html", path)
    with open(path, encoding="utf-8") as file:
        page = Page(file.read())
    words = " ".join(page.words)
    tally.check(not page.wrong and not page.open, f"elements don't close: {page.wrong} {page.open}")
    tally.check(not [tag for tag, _ in page.seen if tag in ("script", "img", "link", "iframe")],
                "the page would fetch or run something")
    tally.check(EVIL in words, f"the guest isn't named: {words}")
    tally.check("3 hosts, 4 guests" in words and "pc-i440fx-2.11" in words, f"the page says {words}")
    status, _, errors = fleet.try_run("report", "--html", os.path.join(folder, "none", "r.html"))
    tally.check(status == 2 and errors.count("\n") == 1 and "cannot write" in errors, f"{status}: {errors}")


def main():
    tally = Tally()
    hosts = [host("old", OLD), host("mid", MID), host("aged", NEW, age=40 * DAY)]
    evil = guest("evil", "pc-i440fx-2.11", running=False).replace(
        "<name>evil</name>", "<name>%s</name>" % EVIL.replace("&", "&amp;").replace("<", "&lt;"))
    guests = [("mid", guest("current", "pc-q35-9.2")), (None, guest("plain", "pc-q35-7.2", running=False)),
              (None, evil), ("old", guest("oldest", "pc-i440fx-1.7"))]
    with Fleet(hosts, guests) as fleet, tempfile.TemporaryDirectory() as folder:
        answer = fleet.ask("report")
        check_moves(tally, fleet, answer)
        check_plan(tally, answer)
        check_facts(tally, fleet, answer)
        check_text(tally, fleet)
        check_page(tally, fleet, folder)
    tally.finish("statements of reports", 20)


if __name__ == "__main__":
    main()
