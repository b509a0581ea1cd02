# SPDX-License-Identifier: LGPL-2.1-or-later
"""Coverage, tradeoff, pools and policies on the demo fleet: do the answers fit each other?"""

import json
import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

from hosts_fixture import TESTS, Capbroker

failures = []
WORTHLESS = {"cpu.hle", "cpu.rtm", "cpu.mpx"}  # 0 in weights.tsv
compared = []   # what was gained and is looked for in a baseline
ALL_OK = """[verdicts]
%s
%s
[accept-risk]
checks=%s
"""
REFUSED = {
    "[nothing]\na=b\n": "no such group",
    "a=b\n": "does not start with a group",
    "[verdicts]\nno-check=ok\n": "'no-check' is no check",
    "[verdicts]\ncpu-missing=fine\n": "no verdict here",
    "[verdicts]\ncpu-missing/unknown=ok\n": "unknown never becomes ok",
    "[accept-risk]\ncheck=cpu-missing\n": "no key of this group",
    "[accept-risk]\nchecks=cpu-missing;cpu\n": "'cpu' is no check",
    "[age]\nlimit=soon\n": "no span of time",
    "[age]\nlimit=7dd\n": "no span of time",
    "[age]\ngrave=7d\n": "no key of this group",
    "[coverage]\nshare=1.01\n": "more than all hosts",
    "[coverage]\nshare=.\n": "no share of hosts",
    "[coverage]\nlimit=3\n": "no key of this group",
    "[weights]\ncpu.nothing=1\n": "no capability",
    "[weights]\nclass:none=1\n": "no capability",
    "[weights]\ncpu.avx2=many\n": "no weight",
    "[weights]\ncpu.avx2=1000001\n": "no weight",
    "[floors]\nintel=cpu.avx2\n": "no group of hosts",
    "[floors]\nall=cpu.nothing\n": "no capability is called",
    "[floors]\nall=qemu.machine\n": "needs a value",
    "[verdicts]\ncpu-missing=\x00\n": "no UTF-8 text",
}


def check(condition, what):
    if not condition:
        failures.append(what)
        print("not ok:", what)


def group_of(answer, key, arch, vendor):
    return next(g for g in answer[key] if (g["arch"], g["vendor"]) == (arch, vendor))


def view(text):
    """Whose view it is, and under which accelerator: not of which machine type."""
    words = text.split()
    return words[0], words[-1]


def check_coverage(capbroker, steps, group, selector):
    """A step of the tradeoff is the coverage of its share; the baseline shown has what is gained."""
    for step in steps:
        share = "%.4f" % (int(1e4 * step["kept_n"] / group["hosts_n"]) / 1e4)
        answer = capbroker.ask("baseline", "--coverage", share, selector)
        mine = [b for b in answer["baselines"] if b.get("coverage")
                and (b["arch"], b["vendor"]) == (group["arch"], group["vendor"])]
        check(len(mine) == 1, f"{selector} {share}: one baseline of the group")
        coverage = mine[0]["coverage"]
        check(coverage["feasible"] and coverage["optimal"], f"{selector} {share}: optimal")
        check(coverage["value"] == step["value"], f"{selector} {share}: worth of the step")
        check(coverage["kept_n"] >= float(share) * group["hosts_n"], f"{selector} {share}: enough kept")
        check(sorted(mine[0]["hosts"] + coverage["dropped"]) == sorted(group["all"]),
              f"{selector} {share}: each host kept or dropped")
        # those kept may have a newer machine type in common than all of them
        if view(coverage["view"]) != view(mine[0]["cpu"]["view"]):
            continue
        before = group["base"]["capabilities"]
        more = {name for name, value in mine[0]["capabilities"].items() if value is True
                and name.startswith(("cpu.", "msr.arch-cap.")) and name not in before}
        more -= {gained["capability"] for gained in coverage["gained"]} | WORTHLESS
        check(not more or view(coverage["view"]) != view(group["base"]["cpu"]["view"]),
              f"{selector} {share}: gained, and not told: {more}")
        for gained in coverage["gained"]:
            name = gained["capability"]
            compared.append(name)
            if name.startswith("cpu."):
                check(name in mine[0]["capabilities"] or ">=" in name, f"{selector} {share}: {name}")
            elif name.startswith("qemu.machine="):
                check(name.split("=")[1] in mine[0]["machines"], f"{selector} {share}: {name}")


def check_tradeoff(capbroker, selector):
    answer = capbroker.ask("tradeoff", selector)
    hosts = capbroker.ask("baseline", selector)
    for group in answer["groups"]:
        steps = group["steps"]
        group["base"] = group_of(hosts, "baselines", group["arch"], group["vendor"])
        group["all"] = group["base"]["hosts"]
        check(steps[0]["dropped_n"] == 0, f"{selector}: begins with all hosts")
        check(all(a["value"] < b["value"] and a["kept_n"] > b["kept_n"]
                  for a, b in zip(steps, steps[1:])), f"{selector}: each step gains")
        check(all(step["value"] == step["bound"] for step in steps), f"{selector}: exact")
        check_coverage(capbroker, steps, group, selector)


def check_drawing(capbroker, folder):
    path = os.path.join(folder, "t.svg")
    answer = capbroker.ask("tradeoff", "--svg", path, "cluster=prod")
    root = xml.etree.ElementTree.parse(path).getroot()
    points = root.iter("{http://www.w3.org/2000/svg}circle")
    check(len(list(points)) == sum(len(g["steps"]) for g in answer["groups"]), "a point for each step")


def check_pins(capbroker):
    answer = capbroker.ask("tradeoff", "--pin", "avx512f", "cluster=prod")
    amd, intel = (group_of(answer, "groups", "x86_64", vendor) for vendor in ("AMD", "Intel"))
    lacking = set(intel["pinned"][0]["lack_it"])
    check(lacking and all(lacking <= set(s["dropped"]) for s in intel["steps"]), "who lacks a pin is out")
    check(amd["pinned"][0]["capability"] == "cpu.avx512f", "pinned by libvirt's name")
    check(amd["steps"] == [] or amd["steps"][0]["dropped"], "a pin binds each group")
    more = capbroker.ask("tradeoff", "--forbid", "qemu.machine", "--forbid", "spec-ctrl", "cluster=prod")
    names = [g["capability"] for group in more["groups"] for s in group["steps"] for g in s["gained"]]
    check("cpu.spec-ctrl" not in names and not any(n.startswith("qemu.machine=") for n in names),
          "what is forbidden counts nothing")
    gone = capbroker.ask("--assume", "r1n01=gone", "--assume", "r1n02=gone", "--assume", "r1n03=gone",
                         "tradeoff", "cluster=prod")
    check(group_of(gone, "groups", "x86_64", "Intel")["hosts_n"] == 10, "--assume")


def check_pools(capbroker, selector, most, *options):
    answer = capbroker.ask("pools", "--max", str(most), *options, selector)
    hosts = {name: (b["arch"], b["vendor"]) for b in capbroker.ask("baseline", selector)["baselines"]
             for name in b["hosts"]}
    placed = [name for pool in answer["pools"] for name in pool["hosts"]]
    check(sorted(placed) == sorted(hosts), f"{selector} {most}: each host in one pool")
    check(all({hosts[name] for name in pool["hosts"]} == {(pool["arch"], pool["vendor"])}
              for pool in answer["pools"]), f"{selector} {most}: nothing shared between vendors")
    check(len(answer["pools"]) <= most, f"{selector} {most}: no more than allowed")
    check(answer["value"] == sum(p["hosts_n"] * p["worth"] for p in answer["pools"]), "value adds up")
    check(answer["value_whole"] <= answer["value"] <= answer["bound"] <= answer["value_apart"],
          f"{selector} {most}: bounds: {answer['value']} {answer['bound']}")
    return answer


def write(folder, text):
    path = os.path.join(folder, "policy.conf")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def check_refused(capbroker, folder):
    for text, words in REFUSED.items():
        path = write(folder, text)
        for command in (("policy", "check", path), ("--policy", path, "hosts")):
            status, out, err = capbroker.try_run(*command)
            check(status == 2 and not out and words in err and err.count("\n") == 1
                  and err.startswith(f"capbroker: {path}: "), f"{text!r}: {status} {out} {err}")


def checks():
    with open(os.path.join(TESTS, "..", "src", "lib", "judge", "checks.c"), encoding="utf-8") as file:
        words = [line.split('"')[1] for line in file if line.lstrip().startswith(("CHECK(\"", "PLUG(\"", "HOST(\""))]
    return words


def worst(findings, on, key):
    order = ("ok", "warn", "unknown", "block")
    return max([order.index(f[key] if key in f else f["verdict"]) for f in findings if f[on]] or [0])


def check_verdicts(capbroker, folder):
    """All checks lowered: every guest on every host; what was found stands beside it."""
    names = checks()
    lines = "\n".join(f"{name}=ok" for name in names)
    policies = {"accepted": ALL_OK % (lines, "", ";".join(names)),
                "not accepted": ALL_OK % (lines, "", ""),
                "unknown": ALL_OK % (lines, "\n".join(f"{n}/unknown=block" for n in names), "")}
    for title, text in policies.items():
        path = write(folder, text)
        check(capbroker.ask("policy", "check", path)["verdicts"][names[0]] == "ok", "a policy is shown")
        for guest in capbroker.ask("guests")["guests"]:
            answer = capbroker.ask("--policy", path, "check", guest["name"], "--to", "all")
            check(answer["decision"]["policy"] != "default", "the decision names the policy")
            for verdict in answer["verdicts"]:
                check_lowered(title, verdict)


def check_lowered(title, verdict):
    findings = verdict["findings"]
    for f in findings:
        risky = f["effect"] in ("hazard", "security-loss")
        was = f.get("found", f["verdict"])
        wanted = was if was == "unknown" else "ok"
        if title == "unknown" and was == "unknown":
            wanted = "block"
        if wanted == "ok" and risky and title != "accepted":
            wanted = was
        check(f["verdict"] == wanted, f"{title}: {f['check']}: {was} became {f['verdict']}")
    order = ("ok", "warn", "unknown", "block")
    for on in ("start", "migrate"):
        check(order.index(verdict[on]) == worst(findings, on, "verdict"),
              f"{title}: {verdict['host']}: {on} is the worst of its findings")


def check_policy(capbroker, folder):
    path = write(folder, "[weights]\ncpu.avx2=1000\n")
    steps = capbroker.ask("--policy", path, "tradeoff", "cluster=edge")["groups"][0]["steps"]
    check(any(g["worth"] == 1000 for s in steps for g in s["gained"]), "a site's weight")
    path = write(folder, "[floors]\nx86_64/Intel=md-clear\n")
    status, out, _ = capbroker.try_run("--policy", path, "--json", "baseline", "cluster=prod")
    intel = group_of(json.loads(out), "baselines", "x86_64", "Intel")
    check(status == 1 and intel["floors"][0]["capability"] == "cpu.md-clear"
          and not intel["floors"][0]["everywhere"], "a floor that isn't held")
    covered = capbroker.ask("--policy", path, "baseline", "--coverage", "0.2", "cluster=prod", fine=(0,))
    intel = group_of(covered, "baselines", "x86_64", "Intel")
    check("cpu.md-clear" in intel["capabilities"], "a floor is held by leaving out who lacks it")
    path = write(folder, "[coverage]\nshare=60%\n")
    said = capbroker.ask("--policy", path, "baseline", "cluster=prod")["baselines"][0]["coverage"]
    check(said["share"] == 0.6, "a policy's coverage")
    for form in ("libvirt", "qemu"):
        text = capbroker.run("baseline", "--coverage", "20%", "--format", form, "label:rack=r3", "label:rack=r4")
        check("left out: r3n01 r3n02 r3n03 r3n04" in text, f"--format {form} says who is left out: {text}")
    empty = capbroker.ask("policy", "check", write(folder, ""))
    check(empty["present"] and not empty["verdicts"], "an empty policy")


def check_age(capbroker, folder):
    """The demo fleet's profiles are as old as their recordings."""
    for text, wanted, status in (("limit=1\ngrace=9999d", "warn", 0), ("limit=1", "unknown", 3),
                                 ("limit=9999d", None, 0)):
        path = write(folder, f"[age]\n{text}\n")
        code, out, _ = capbroker.try_run("--policy", path, "--json", "check", "web-17", "--to", "r2n01")
        verdict = json.loads(out)["verdicts"][0]
        found = [f["verdict"] for f in verdict["findings"] if f["check"] == "profile-age"]
        check(code == status and found == [wanted] * bool(wanted), f"{text}: {code} {found}")
        check(verdict["migrate"] == (wanted or verdict["migrate"]), f"{text}: {verdict['migrate']}")
    path = write(folder, "[age]\nlimit=1\n[verdicts]\nprofile-age/unknown=warn\n")
    check(capbroker.try_run("--policy", path, "check", "web-17", "--to", "r2n01")[0] == 0, "by its verdict")


def check_weight_label(folder):
    """Three hosts, of which one counts for nearly all."""
    database = os.path.join(folder, "w.db")
    for name, profile, cores in (("a", "broadwell-e5-2650v4", 1), ("b", "broadwell-e5-2650v4", 1),
                                 ("c", "cooperlake", 98)):
        subprocess.run(["capbroker", "--db", database, "import", "--name", name, "--label",
                        f"cores={cores}", os.path.join(TESTS, "hosts", profile, "profile.json")],
                       check=True, stdout=subprocess.DEVNULL)
    def dropped(*options):
        out = subprocess.run(["capbroker", "--db", database, "--json", "baseline", *options], check=True,
                             capture_output=True, text=True).stdout
        return json.loads(out)["baselines"][0]["coverage"]["dropped"]
    check(dropped("--coverage", "0.9") == [], "by number nobody can go")
    check(dropped("--coverage", "0.9", "--weight-label", "cores") == ["a", "b"], "by cores the old ones can")
    check(dropped("--coverage", "0") == ["a", "b"], "of a share of 0 one host is kept")


def main():
    began = time.monotonic()
    with Capbroker() as capbroker, tempfile.TemporaryDirectory() as folder:
        capbroker.load_fleet()
        for selector in ("cluster=prod", "cluster=old", "cluster=other", "cluster=edge"):
            check_tradeoff(capbroker, selector)
        check(len(compared) > 300, f"{len(compared)} gains are looked for in baselines")
        check_drawing(capbroker, folder)
        check_pins(capbroker)
        for most in (2, 3, 5, 7):
            check(check_pools(capbroker, "cluster=prod", most)["optimal"], "few classes: exact")
        check_pools(capbroker, "all", 12)
        big = check_pools(capbroker, "cluster=prod", 6, "--min-size", "4", "--spread", "rack")
        check(all(pool["hosts_n"] >= 4 for pool in big["pools"]) and big["fits"], "--min-size")
        check(not check_pools(capbroker, "cluster=prod", 6, "--min-size", "9")["fits"], "too few hosts")
        check(capbroker.try_run("pools", "--max", "1")[0] == 2, "fewer pools than groups")
        check_refused(capbroker, folder)
        check_verdicts(capbroker, folder)
        check_policy(capbroker, folder)
        check_weight_label(folder)
        check_age(capbroker, folder)
    print(f"{len(failures)} failures, {len(compared)} gains found in baselines, {time.monotonic() - began:.0f} s")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
