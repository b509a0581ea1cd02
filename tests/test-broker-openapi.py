#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""test-broker-openapi.py: openapi.yaml is OpenAPI as far as can be told here, names the broker's routes and
no others, and its questions have the members that the broker takes and no others; each key of the settings
has its paragraph in the manual; the unit is as tight as it should be."""

import os
import re
import shutil
import subprocess
import sys

from answers_fixture import problems, validator
from broker_fixture import HERE, Broker, Tally, need_broker
from dictionary_fixture import SCHEMA
from fleet_fixture import guest, host

WRONG = {"string": 7, "integer": "x", "boolean": "x", "object": 7, "array": 7}


def resolve(document, node):
    while isinstance(node, dict) and "$ref" in node:
        path, node = node["$ref"], document
        for part in path.lstrip("#/").split("/"):
            node = node[part]
    return node


def walk(node):
    yield node
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from walk(inner)


def form(document, tally):
    """What the specification asks of every document."""
    try:
        from openapi_spec_validator import validate
        validate(document)
    except ImportError:
        print("openapi.yaml: held against our own list of what OpenAPI asks (openapi-spec-validator is not there)")
    tally.check(re.fullmatch(r"3\.1\.\d+", document["openapi"]) is not None, "its version")
    tally.check({"title", "version"} <= set(document["info"]), "its info")
    ids = []
    for node in walk(document):
        if isinstance(node, dict) and "$ref" in node:
            try:
                resolve(document, node)
            except (KeyError, TypeError):
                tally.check(False, f"{node['$ref']} leads nowhere")
    for path, item in document["paths"].items():
        declared = {resolve(document, one)["name"] for one in item.get("parameters", ())
                    if resolve(document, one)["in"] == "path"}
        tally.check(declared == set(re.findall(r"{(\w+)}", path)), f"{path}: parameters {declared}")
        for method, operation in item.items():
            if method == "parameters":
                continue
            ids.append(operation["operationId"])
            tally.check(all(re.fullmatch(r"[1-5]\d\d", code) for code in operation["responses"]), f"{path}: responses")
            tally.check(all("description" in resolve(document, one) for one in operation["responses"].values()), f"{path}: a description")
    tally.check(len(ids) == len(set(ids)), "an operationId is there twice")
    try:
        import jsonschema
        for name, schema in document["components"]["schemas"].items():
            jsonschema.Draft202012Validator.check_schema(schema)
            tally.check(True, name)
    except ImportError:
        print("its schemas: not checked (install python3-jsonschema)")


def routes(document, tally):
    listed = subprocess.run(["capbrokerd", "--list-routes"], text=True, capture_output=True, check=True).stdout.split("\n")
    served = {line for line in listed if line}
    told = {f"{method.upper()} {path}" for path, item in document["paths"].items() for method in item if method != "parameters"}
    tally.check(served == told, f"served and not told: {served - told}; told and not served: {told - served}")


def members(document, tally, broker):
    """A member of the wrong type is refused by name; so is one that isn't there, and one that is missing."""
    for path, item in document["paths"].items():
        operation = item.get("post")
        if not operation or not operation["operationId"].startswith("ask-"):
            continue
        schema = resolve(document, operation["requestBody"]["content"]["application/json"]["schema"])
        for name, kind in schema["properties"].items():
            value = WRONG[resolve(document, kind)["type"]]
            reply = broker.post(path, {name: value})
            tally.check(reply.status == 400 and f"'{name}'" in reply.error and "must be" in reply.error, f"{path} {name}={value!r}: {reply.body}")
        reply = broker.post(path, {"no-such-member": 1})
        tally.check(reply.status == 400 and "no such member" in reply.error, f"{path}: takes another member: {reply.body}")
        for name in schema.get("required", ()):
            reply = broker.post(path, {})
            tally.check(reply.status == 400 and "is missing" in reply.error, f"{path} without {name}: {reply.body}")
        if not schema.get("required") and path != "/v1/check":
            reply = broker.post(path, {})
            tally.check(reply.status == 200 and reply.headers.get("capbroker-exit") in ("0", "1", "3"), f"{path}: {reply.status} {reply.body[:300]}")


def filters(tally, broker):
    """op → question, unknown hosts, aliases, the order asked."""
    definition = guest("web-1", "pc-q35-7.2", running=False)
    held = validator()
    asked = ["new", "nosuch", "compute-1", "old", "new"]
    for op, unknown_ok in (("boot", False), ("cold", False), ("evacuate", True), ("live", False)):
        reply = broker.post("/v1/filter", {"op": op, "xml": definition, "hosts": asked, "source": "old"})
        tally.check(reply.status == 200 and not problems(held, reply.json), f"filter {op}: {reply.body[:400]} {problems(held, reply.json)}")
        hosts = reply.json["hosts"]
        tally.check([one["host"] for one in hosts] == asked, f"{op}: the order")
        tally.check(hosts[1]["verdict"] == "unknown" and hosts[1]["ok"] is unknown_ok and hosts[1]["class"] is None, f"{op}: {hosts[1]}")
        tally.check(hosts[2]["class"] == hosts[3]["class"], f"{op}: an alias is another host")
        # the same as check says of each
        for one in (hosts[0], hosts[3]):
            question = {"document": {"text": definition, "label": "x"}, "to": [one["host"]]}
            verdict = broker.post("/v1/check", dict(question, **({"from": "old"} if op == "live" else {}))).json["verdicts"][0]
            worst = max([verdict["start"], *([verdict["migrate"]] if op == "live" else [])], key=["ok", "warn", "unknown", "block"].index)
            # a move that ends where none goes on from warns in check; a filter says so by onward_hosts
            tally.check(one["verdict"] == worst or (worst == "warn" and one["verdict"] == "ok"), f"{op} {one}: check says {worst}")
            tally.check(one["ok"] is (one["verdict"] in ("ok", "warn") or (one["verdict"] == "unknown" and unknown_ok)), f"{op}: {one}")
            tally.check(one["verdict"] in ("ok",) or reply.json["reasons"].get(one["class"]), f"{op}: no reason for {one}")
    gone = broker.post("/v1/filter", {"op": "boot", "xml": definition.replace("pc-q35-7.2", "pc-i440fx-1.0"), "hosts": ["new"]}).json
    tally.check(gone["hosts"][0]["verdict"] == "block" and any("machine" in text for text in gone["reasons"][gone["hosts"][0]["class"]]),
                f"a machine type that is gone: {gone}")
    tally.check(broker.post("/v1/filter", {"op": "boot", "guest": "nosuch", "hosts": []}).status == 404, "an unknown guest")


def decisions(tally, broker):
    """What was asked is recorded once, with its inputs."""
    definition = guest("rec-1", "pc-q35-7.2", running=False)
    question = {"document": {"text": definition, "label": "rec"}, "to": ["new"]}
    answer = broker.post("/v1/check", question).json
    broker.post("/v1/check", question)
    broker.put("/v1/hosts/old/profile", host("old", "lab-debian12"))
    reply = broker.get("/v1/decisions/" + answer["decision"]["id"])
    tally.check(reply.status == 200 and len(reply.json["records"]) == 1, f"a decision: {reply.status} {reply.body[:300]}")
    asked = reply.json["check"]["asked"]
    tally.check(asked["question"] == question and asked["inputs"][0]["host"] == "new" and len(asked["inputs"][0]["profile_digest"]) == 64,
                f"its inputs: {asked}")
    again = broker.post("/v1/check", asked["question"]).json
    tally.check(again["decision"] == answer["decision"], "asked again it is another decision")
    status, text, errors = broker.cli("decision", answer["decision"]["id"])
    tally.check(status == 0 and "rec-1" in text, f"capbroker decision: {text} {errors}")
    tally.check(broker.post("/v1/report", {}).json["moves_n"] == 0, "a question counts as a move")


def settings(tally):
    keys = subprocess.run(["capbrokerd", "--list-keys"], text=True, capture_output=True, check=True).stdout.split()
    with open(os.path.join(SCHEMA, "..", "man", "capbrokerd.conf.5.rst"), encoding="utf-8") as file:
        page = file.read()
    for key in keys:
        group, name = key.split(".")
        part = page[page.index(f"\n[{group}]\n"):]
        tally.check(re.search(rf"^(?:\w+, )?{name}(?:, \w+)*$", part, re.M) is not None, f"{key} isn't in the manual")
    for text, words in (("[broker]\nthreads=many\n", "[broker] threads"), ("[brokr]\na=1\n", "no such key"), ("nonsense", "capbrokerd:"),
                        ("[tls]\nlisten=0.0.0.0:1\n", "nothing is sent in the clear"), ("[limits]\nconnections=0\n", "from 1 to"),
                        ("[log]\njson=perhaps\n", "[log] json")):
        broker = Broker()
        with open(broker.file("capbrokerd.conf"), "w", encoding="utf-8") as file:
            file.write(text)
        result = subprocess.run(["capbrokerd", "--check-config", "--config", broker.file("capbrokerd.conf")], text=True, capture_output=True, check=False)
        tally.check(result.returncode == 2 and words in result.stderr and result.stderr.count("\n") == 1, f"{text!r}: {result.stderr}")
        shutil.rmtree(broker.folder)


def unit(tally):
    path = os.path.join(HERE, "packaging", "systemd", "capbrokerd.service")
    if not shutil.which("systemd-analyze"):
        print("the unit's exposure: not tried (systemd-analyze is not there)")
        return
    result = subprocess.run(["systemd-analyze", "security", "--offline=true", path], text=True, capture_output=True, check=False)
    level = re.search(r"exposure level for .*?: ([\d.]+)", result.stdout)
    tally.check(level is not None and float(level.group(1)) < 2.0, f"the unit: {result.stdout[-300:]} {result.stderr[-300:]}")


def signals(tally, broker):
    """SIGHUP leaves what is right in force; metrics are text."""
    broker.process.send_signal(1)
    text = broker.get("/metrics").body.decode()
    tally.check(all(re.fullmatch(r"# (HELP|TYPE) \w+ .*|\w+({[^}]*})? [-+0-9.eInf]+", line) for line in text.strip().split("\n")), "metrics")
    tally.check("capbroker_hosts 2" in text and "capbroker_requests_total{" in text, f"metrics: {text[:500]}")


def main():
    need_broker()
    try:
        import yaml
    except ImportError:
        print("skipped: the Python module yaml is not there (install python3-yaml)")
        sys.exit(77)
    with open(os.path.join(SCHEMA, "openapi.yaml"), encoding="utf-8") as file:
        document = yaml.safe_load(file)
    tally = Tally()
    form(document, tally)
    routes(document, tally)
    settings(tally)
    unit(tally)
    with Broker() as broker:
        broker.put("/v1/hosts/old/profile?alias=nova=compute-1", host("old", "lab-debian12"))
        broker.put("/v1/hosts/new/profile", host("new", "lab-sid"))
        members(document, tally, broker)
        filters(tally, broker)
        decisions(tally, broker)
        signals(tally, broker)
    tally.end()


main()
