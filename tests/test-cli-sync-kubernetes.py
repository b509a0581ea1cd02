#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""test-cli-sync-kubernetes.py: 'capbroker sync kubernetes' against a stub of an API server that keeps to
JSON patch (RFC 6902) and to Kubernetes' rules for labels, in pages and with others who write; and the
feature file for NFD, whose lines are the same labels."""

import copy
import http.server
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import urllib.parse

from answers_fixture import problems, validator
from fleet_fixture import MID, NEW, OLD, host

OURS = "capbroker.io/"
TOKEN = "a-service-account-token-%d." % os.getpid() + "x" * 900
LABEL = re.compile(r"^([a-z0-9.-]{1,253}/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$")
VALUE = re.compile(r"^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$")


def apply_patch(document, patch):
    """RFC 6902 for what is asked here; raises where an operation doesn't fit."""
    document = copy.deepcopy(document)
    for operation in patch:
        *parents, last = [part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]]
        at = document
        for part in parents:
            at = at[part]
        if operation["op"] == "add":
            at[last] = operation["value"]
        elif operation["op"] == "remove":
            del at[last]
        elif operation["op"] == "test":
            if at[last] != operation["value"]:
                raise KeyError(last)
        else:
            raise KeyError(operation["op"])
    return document


class Stub(http.server.ThreadingHTTPServer):
    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.nodes = {name: {"metadata": {"name": name, "resourceVersion": "1", "labels": {
            "kubernetes.io/hostname": name, "example.com/mine": "yes"}}} for name in ("deb12", "n2.example", "stranger")}
        self.nodes["bare"] = {"metadata": {"name": "bare", "resourceVersion": "1"}}
        self.patches, self.before, self.forbidden, self.reply = [], None, False, None
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return "http://127.0.0.1:%d" % self.server_port

    def labels(self, name):
        return self.nodes[name]["metadata"].get("labels", {})


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body):
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def refuse(self, status, message):
        self.answer(status, {"kind": "Status", "status": "Failure", "message": message, "code": status})

    def log_message(self, *_):
        pass

    def handle_any(self):
        stub, length = self.server, int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        url = urllib.parse.urlsplit(self.path)
        if stub.reply is not None:
            self.answer(200, stub.reply)
        elif self.headers.get("Authorization") != "Bearer " + TOKEN or stub.forbidden:
            self.refuse(403, "nodes is forbidden\nfor you")
        elif url.path == "/api/v1/nodes":
            self.page(stub, urllib.parse.parse_qs(url.query))
        else:
            self.node(stub, urllib.parse.unquote(url.path.rsplit("/", 1)[1]), body)

    def page(self, stub, query):
        """Two at a time, whatever was asked for."""
        names, start = sorted(stub.nodes), int(query.get("continue", ["0"])[0].partition("&")[0] or 0)
        more = {"continue": "%d&x=/" % (start + 2)} if start + 2 < len(names) else {}
        self.answer(200, {"kind": "NodeList", "apiVersion": "v1", "metadata": more,
                          "items": [stub.nodes[name] for name in names[start:start + 2]]})

    def node(self, stub, name, body):
        if self.command == "GET":
            self.answer(200, stub.nodes[name])
            return
        if self.headers["Content-Type"] != "application/json-patch+json":
            self.refuse(415, "no patch of a kind that is known")
            return
        if stub.before:
            stub.before(stub.nodes[name])
        patch = json.loads(body)
        try:
            node = apply_patch(stub.nodes[name], patch)
        except KeyError as missing:
            self.refuse(422, "the patch doesn't fit: %s" % missing)
            return
        for label, value in node["metadata"]["labels"].items():
            if not LABEL.match(label) or not VALUE.match(value):
                self.refuse(422, "%s=%s is no label" % (label, value))
                return
        node["metadata"]["resourceVersion"] = str(int(node["metadata"]["resourceVersion"]) + 1)
        stub.nodes[name] = node
        stub.patches.append((name, patch))
        self.answer(200, node)

    do_GET = do_PATCH = handle_any


def expect(what, truth, more=""):
    if not truth:
        sys.exit("not so: %s %s" % (what, more))
    print("ok %s" % what)


class Ours:
    def __init__(self, folder, stub):
        self.command = ["capbroker", "--db", os.path.join(folder, "x.db")]
        self.there = ["--url", stub.url, "--token-file", os.path.join(folder, "token")]
        self.validator = validator()
        with open(self.there[3], "w", encoding="utf-8") as file:
            file.write(TOKEN + "\n")

    def run(self, *arguments):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("KUBERNETES_")}
        return subprocess.run(self.command + list(arguments), capture_output=True, text=True, check=False, env=environment)

    def sync(self, *arguments, status=0):
        process = self.run("--json", "sync", "kubernetes", *self.there, *arguments)
        answer = json.loads(process.stdout)
        expect("exit %d of sync kubernetes %s" % (status, " ".join(arguments)), process.returncode == status, process.stderr)
        wrong = problems(self.validator, answer)
        expect("its answer is as the schema says", not wrong, wrong)
        return answer

    def refused(self, what, *arguments):
        process = self.run(*arguments)
        expect("refused: %s" % what, process.returncode == 2 and process.stderr.count("\n") == 1 and
               what in process.stderr and TOKEN not in process.stderr, process.stderr)


def ours(labels):
    return {label: value for label, value in labels.items() if label.startswith(OURS)}


def plain(our, stub):
    planned = our.sync("--dry-run")
    expect("a dry run writes nothing", len(planned["changed"]) == 3 and not stub.patches)
    done = our.sync()
    expect("a name and an alias are found, in all pages", {c["name"] for c in done["changed"]} ==
           {"deb12", "n2.example", "bare"} and done["unmatched"] == ["lost"] and done["strangers_n"] == 1)
    labels = stub.labels("deb12")
    expect("machine types, virtual IOMMUs and the class are labels", labels[OURS + "machine-pc-q35-7.2"] == "true" and
           labels[OURS + "viommu-intel"] == "true" and len(labels[OURS + "class"]) >= 8)
    expect("others' stay", labels["example.com/mine"] == "yes" and labels["kubernetes.io/hostname"] == "deb12")
    expect("a node without labels gets them", ours(stub.labels("bare")))
    written = len(stub.patches)
    expect("the second time nothing is written", not our.sync()["changed"] and len(stub.patches) == written)
    nfd = our.run("show", "deb12", "--format", "nfd")
    expect("NFD's file has the same labels", nfd.returncode == 0 and
           dict(line.split("=", 1) for line in nfd.stdout.splitlines()) == ours(labels))
    expect("it is as NFD wants it", len(nfd.stdout) < 65536 and not nfd.stdout.startswith("#") and
           all(LABEL.match(line.split("=")[0]) for line in nfd.stdout.splitlines()))


def beside(our, stub):
    """What is to go is gone already; a label of somebody else's comes at the same time."""
    def meddle(node):
        stub.before = None
        node["metadata"]["labels"].pop(OURS + "machine-gone")
        node["metadata"]["labels"]["example.com/new"] = "1"
    stub.labels("deb12").update({OURS + "machine-gone": "true", OURS + "class": "00000000"})
    stub.before = meddle
    answer = our.sync()
    expect("a patch that doesn't fit is made again", answer["retries"] == 1 and len(answer["changed"]) == 1)
    expect("nobody's label is lost", stub.labels("deb12")["example.com/new"] == "1" and
           stub.labels("deb12")[OURS + "class"] != "00000000")


def pruned(our, stub):
    stub.labels("stranger")[OURS + "class"] = "12345678"
    our.sync()
    expect("a stranger is left alone", ours(stub.labels("stranger")))
    our.sync("--prune")
    expect("but for --prune", not ours(stub.labels("stranger")) and
           stub.labels("stranger")["example.com/mine"] == "yes")


def refusals(our, stub):
    stub.forbidden = True
    our.refused("nodes is forbidden for you (may the account", "sync", "kubernetes", *our.there)
    stub.forbidden = False
    our.refused("say --url, or run it in a pod", "sync", "kubernetes")
    our.refused("--auth-url: Kubernetes has none", "sync", "kubernetes", "--auth-url", "https://x")
    our.refused("/nonexistent", "sync", "kubernetes", "--url", stub.url, "--token-file", "/nonexistent")
    our.refused("none of text, json, nfd", "show", "deb12", "--format", "yaml")
    for reply in (b"", b"[]", b'{"items": {}}', b"<html>"):
        stub.reply = reply
        our.refused("Kubernetes answers", "sync", "kubernetes", *our.there)
    stub.reply = None


def main():
    with tempfile.TemporaryDirectory() as folder:
        stub = Stub()
        our = Ours(folder, stub)
        for name, qemu, alias in (("deb12", OLD, None), ("deb13", MID, "node=n2.example"), ("bare", NEW, None),
                                  ("lost", OLD, None)):
            path = os.path.join(folder, name + ".json")
            with open(path, "w", encoding="utf-8") as file:
                json.dump(host(name, qemu), file)
            process = our.run("import", path, *(["--alias", alias] if alias else []))
            expect("%s is known" % name, process.returncode == 0, process.stderr)
        plain(our, stub)
        beside(our, stub)
        pruned(our, stub)
        refusals(our, stub)


if __name__ == "__main__":
    main()
