#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""test-cli-sync.py: 'capbroker sync placement' against a stub of Placement and Keystone: what is asked
and written, conflicts, refusals, pruning, a dry run; wrong options and answers are told in one line.
lab/test-lab-placement.py does the same with the real one."""

import http.server
import json
import os
import subprocess
import sys
import tempfile
import threading

from answers_fixture import problems, validator
from fleet_fixture import MID, OLD, host

FOREIGN = "CUSTOM_OF_SOMEBODY_ELSE"
OURS = "CUSTOM_CAPBROKER_"
PASSWORD = "not-to-be-seen-%d" % os.getpid()


class Stub(http.server.ThreadingHTTPServer):
    """What Placement has, and how it is to misbehave."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.providers = {"u-%d" % i: {"name": name, "traits": [FOREIGN], "generation": 7}
                          for i, name in enumerate(["deb12", "other-name", "stranger"])}
        self.known = {FOREIGN}
        self.log, self.conflicts, self.broken, self.reply = [], 0, None, None
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return "http://127.0.0.1:%d" % self.server_port

    def wrote(self):
        return [line for line in self.log if not line.startswith("GET")]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body=None, **headers):
        text = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def error(self, status, detail):
        self.answer(status, {"errors": [{"status": status, "detail": detail}]})

    def body(self):
        return json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"null")

    def log_message(self, *_):
        pass

    def handle_any(self):
        stub, asked = self.server, self.body()
        stub.log.append("%s %s" % (self.command, self.path))
        if stub.reply is not None:
            self.answer(200, stub.reply)
        elif self.path == "/v3/auth/tokens":
            self.keystone(asked)
        elif self.headers.get("X-Auth-Token") not in ("admin", "a-token"):
            self.error(401, "no token")
        elif self.path.startswith("/traits"):
            self.traits(stub)
        elif self.path == "/resource_providers":
            self.answer(200, {"resource_providers": [
                {"uuid": uuid, "name": p["name"], "generation": p["generation"], "parent_provider_uuid": None}
                for uuid, p in stub.providers.items()] + [
                {"uuid": "child", "name": "deb12", "generation": 1, "parent_provider_uuid": "u-0"}]})
        else:
            self.provider(stub, asked)

    def keystone(self, asked):
        identity = asked["auth"]["identity"]["password"]["user"]
        if identity["name"] != "capbroker" or identity["password"] != PASSWORD:
            self.error(401, "wrong password")
            return
        self.answer(201, {"token": {"catalog": [
            {"type": "compute", "endpoints": [{"interface": "public", "region": "R", "url": "http://127.0.0.1:9"}]},
            {"type": "placement", "endpoints": [
                {"interface": "internal", "region": "R", "url": "http://127.0.0.1:9"},
                {"interface": "public", "region": "R", "url": self.server.url}]}]}}, X_Subject_Token="a-token")

    def traits(self, stub):
        name = self.path.partition("/traits/")[2]
        if self.command == "PUT":
            stub.known.add(name)
            self.answer(201)
        elif self.command == "DELETE":
            stub.known.discard(name)
            self.answer(204)
        else:
            used = {trait for p in stub.providers.values() for trait in p["traits"]}
            self.answer(200, {"traits": sorted(
                trait for trait in stub.known if trait.startswith(OURS) and
                ("associated=false" not in self.path or trait not in used))})

    def provider(self, stub, asked):
        uuid = self.path.split("/")[2]
        provider = stub.providers[uuid]
        if self.command == "GET" and stub.broken == "reads":
            self.answer(200, {"resource_provider_generation": provider["generation"]})
        elif self.command == "GET":
            self.answer(200, {"traits": provider["traits"], "resource_provider_generation": provider["generation"]})
        elif stub.broken == uuid:
            self.error(500, "the database\nis gone")
        elif stub.conflicts:
            stub.conflicts -= 1
            provider["generation"] += 1  # somebody else wrote
            provider["traits"] = sorted(set(provider["traits"]) | {"CUSTOM_CAME_MEANWHILE"})
            self.error(409, "conflict")
        elif asked["resource_provider_generation"] != provider["generation"] or set(asked["traits"]) - stub.known - {
                "CUSTOM_CAME_MEANWHILE"}:
            self.error(409 if asked["resource_provider_generation"] != provider["generation"] else 400, "wrong")
        else:
            provider.update(traits=asked["traits"], generation=provider["generation"] + 1)
            self.answer(200, {})

    do_GET = do_PUT = do_POST = do_DELETE = handle_any


def expect(what, truth, more=""):
    if not truth:
        sys.exit("not so: %s %s" % (what, more))
    print("ok %s" % what)


class Ours:
    def __init__(self, folder, stub):
        self.command = ["capbroker", "--db", os.path.join(folder, "x.db")]
        self.stub, self.validator = stub, validator()
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}

    def run(self, *arguments, environment=None):
        return subprocess.run(self.command + list(arguments), capture_output=True, text=True, check=False,
                              env={**self.environment, **(environment or {})})

    def sync(self, *arguments, status=0, environment=None):
        process = self.run("--json", "sync", "placement", *arguments, environment=environment)
        answer = json.loads(process.stdout)
        expect("exit %d of %s" % (status, " ".join(a for a in arguments if "127" not in a)),
               process.returncode == status, process.stderr)
        wrong = problems(self.validator, answer)
        expect("its answer is as the schema says", not wrong, wrong)
        return answer

    def refused(self, what, *arguments, environment=None):
        process = self.run(*arguments, environment=environment)
        expect("refused: %s" % what, process.returncode == 2 and process.stderr.count("\n") == 1 and
               what in process.stderr, process.stderr)


def traits_of(stub, uuid):
    return {trait for trait in stub.providers[uuid]["traits"] if trait.startswith(OURS)}


def plain(our, stub, there):
    before = list(stub.log)
    planned = our.sync(*there, "--dry-run")
    expect("a dry run only asks", len(planned["changed"]) == 2 and not stub.wrote() and len(stub.log) > len(before))
    done = our.sync(*there)
    expect("a host and an alias are found", {c["host"] for c in done["changed"]} == {"deb12", "deb13"})
    expect("who isn't there is named", done["unmatched"] == ["lost"] and done["strangers_n"] == 1)
    expect("machine types are traits", OURS + "MACHINE_PC_Q35_7_2" in traits_of(stub, "u-0") and
           OURS + "MACHINE_PC_Q35_10_0" in traits_of(stub, "u-1") - traits_of(stub, "u-0"))
    expect("somebody else's stay", all(FOREIGN in p["traits"] for p in stub.providers.values()))
    stub.log.clear()
    expect("the second time nothing is written", not our.sync(*there)["changed"] and not stub.wrote())
    text = our.run("sync", "placement", *there).stdout
    expect("people read it in 80 columns", text.startswith("placement, 3 hosts: 0 changed, 2 as before") and
           max(map(len, text.splitlines())) <= 80)


def troubled(our, stub, there):
    stub.providers["u-0"]["traits"], stub.conflicts = [FOREIGN], 3
    answer = our.sync(*there)
    expect("conflicts are tried again", answer["retries"] == 3 and len(answer["changed"]) == 1)
    expect("what came meanwhile stays", "CUSTOM_CAME_MEANWHILE" in stub.providers["u-0"]["traits"])
    for uuid in ("u-0", "u-1"):
        stub.providers[uuid]["traits"] = []
    stub.broken = "u-0"
    answer = our.sync(*there, status=2)
    expect("one that fails is told, and doesn't stop others", len(answer["changed"]) == 1 and
           answer["failed"][0]["host"] == "deb12" and "the database is gone" in answer["failed"][0]["reason"])
    stub.broken = "reads"
    stub.log.clear()
    expect("what isn't told of a provider isn't taken away", len(our.sync(*there, status=2)["failed"]) == 2 and
           not stub.wrote())
    stub.broken = None
    stub.conflicts = 1000
    expect("nobody tries for ever", "all the time" in our.sync(*there, status=2)["failed"][0]["reason"])
    stub.conflicts = 0
    our.sync(*there)


def pruned(our, stub, there):
    stub.providers["u-2"]["traits"] = [FOREIGN, OURS + "LEVEL_OLD_1"]
    stub.known.add(OURS + "LEVEL_OLD_1")
    our.sync(*there)
    expect("who is no host of ours is left alone", traits_of(stub, "u-2"))
    answer = our.sync(*there, "--prune")
    expect("but for --prune", not traits_of(stub, "u-2") and FOREIGN in stub.providers["u-2"]["traits"])
    expect("names that nobody has go", answer["deleted"] == [OURS + "LEVEL_OLD_1"] and
           OURS + "LEVEL_OLD_1" not in stub.known)


def undone(our, stub, there):
    for name in ("deb12", "deb13", "lost"):
        our.run("forget", name)
    our.sync(*there, "--prune")
    expect("without hosts --prune takes all that is ours", not any(traits_of(stub, uuid) for uuid in stub.providers) and
           not [name for name in stub.known if name.startswith(OURS)] and
           FOREIGN in stub.providers["u-0"]["traits"] + stub.providers["u-2"]["traits"])


def asked_keystone(our, stub):
    who = {"OS_AUTH_URL": stub.url, "OS_USERNAME": "capbroker", "OS_PASSWORD": PASSWORD, "OS_PROJECT_NAME": "service",
           "OS_REGION_NAME": "R"}
    our.sync(environment=who)
    expect("Keystone gave token and place", "POST /v3/auth/tokens" in stub.log)
    our.refused("OS_USERNAME", "sync", "placement", environment={"OS_AUTH_URL": stub.url})
    wrong = dict(who, OS_PASSWORD="wrong-" + PASSWORD)
    our.refused("gives no token", "sync", "placement", environment=wrong)
    expect("no password in what is said", PASSWORD not in our.run("sync", "placement", environment=wrong).stderr)
    our.refused("has no placement service", "sync", "placement", environment=dict(who, OS_REGION_NAME="S"))


def refusals(our, stub, there):
    our.refused("'placement' or 'kubernetes' is expected", "sync")
    our.refused("'placement' or 'kubernetes' is expected", "sync", "nova")
    our.refused("--auth-url", "sync", "placement")
    our.refused("--noauth: say where it is", "sync", "placement", "--noauth")
    our.refused("not Placement's URL", "sync", "placement", "--noauth", "--url", "http://placement.example")
    our.refused("is Placement running there?", "sync", "placement", "--noauth", "--url", "http://127.0.0.1:9")
    our.refused("isn't asked of a broker", "--broker", "unix:/x", "sync", "placement", *there)
    for reply in (b"<html>", b"[]", b'{"traits": 3}', b"\xff\xfe"):
        stub.reply = reply
        our.refused("Placement answers", "sync", "placement", *there)
    stub.reply = None


def main():
    with tempfile.TemporaryDirectory() as folder:
        stub = Stub()
        our = Ours(folder, stub)
        for name, qemu, alias in (("deb12", OLD, None), ("deb13", MID, "nova=other-name"), ("lost", OLD, None)):
            path = os.path.join(folder, name + ".json")
            with open(path, "w", encoding="utf-8") as file:
                json.dump(host(name, qemu), file)
            process = our.run("import", path, *(["--alias", alias] if alias else []))
            expect("%s is known" % name, process.returncode == 0, process.stderr)
        there = ["--noauth", "--url", stub.url]
        plain(our, stub, there)
        troubled(our, stub, there)
        pruned(our, stub, there)
        asked_keystone(our, stub)
        refusals(our, stub, there)
        undone(our, stub, there)


if __name__ == "__main__":
    main()
