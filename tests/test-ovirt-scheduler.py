#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""oVirt's external scheduler, the import of its ids and VDSM's hook, with a real broker: verdicts, costs and
errors as the engine reads them, untyped values, 1,000 hosts, hostile requests, a broker that is down."""

import base64
import http.client
import http.server
import json
import os
import socket
import ssl
import statistics
import subprocess
import sys
import threading
import time
import urllib.parse
import xmlrpc.client

from broker_fixture import Broker, Tally, need_broker
from hosts_fixture import TESTS
from ovirt_fixture import GUEST, HOSTS, IDS, OFF, OVIRT, Service, call, fill, untyped

MANY = 1000


def save_api(broker, as_xml):
    """What the engine would say of these hosts, two of them by other names than capbroker's."""
    folder = broker.file("api-xml" if as_xml else "api-json")
    os.mkdir(folder)
    hosts = [{"id": IDS[name], "name": name, "address": f"{name}.example.org", "cluster": {"id": "c1"},
              "hardware_information": {"uuid": "4C4C4544-0046-4610-804A-B5C04F33354A"}} for name in HOSTS]
    hosts[1]["name"] = "renamed"
    documents = {"hosts": hosts, "clusters": [{"id": "c1", "name": "Default"}],
                 "vms": [{"id": GUEST, "name": "web-17"}, {"id": "00000000-bbbb-4000-8000-000000000001", "name": "stranger"}]}
    for kind, items in documents.items():
        single = kind[:-1]
        if as_xml:
            text = "<?xml version='1.0'?>\n<%s>%s</%s>" % (kind, "".join(
                f"<{single} href='/x' id='{item['id']}'>" + "".join(
                    f"<{key} id='{value['id']}'/>" if isinstance(value, dict) and "id" in value else
                    f"<{key}><uuid>{value['uuid']}</uuid></{key}>" if isinstance(value, dict) else f"<{key}>{value}</{key}>"
                    for key, value in item.items() if key != "id") + f"</{single}>" for item in items), kind)
        else:
            text = json.dumps({single: items})
        with open(os.path.join(folder, kind + (".xml" if as_xml else ".json")), "w", encoding="utf-8") as file:
            file.write(text)
    return folder


def ovirt_import(broker, *arguments):
    result = subprocess.run([sys.executable, os.path.join(OVIRT, "capbroker-ovirt-import"), "--db", broker.database, *arguments],
                            capture_output=True, text=True, check=False)
    return result.returncode, result.stdout, result.stderr


def try_import(tally, broker):
    for as_xml in (False, True):
        folder = save_api(broker, as_xml)
        dry = ovirt_import(broker, "--from", folder, "--dry-run")
        tally.check(dry[0] == 3 and "5 of 5 hosts named, 1 of 2 VMs known (dry run" in dry[1], f"dry run: {dry}")
        known = json.loads(broker.cli("--json", "hosts", database=True)[1])["hosts"]
        tally.check(not as_xml or {h["name"]: h["aliases"].get("ovirt") for h in known} == IDS, f"aliases: {known}")
        tally.check(as_xml or not [h for h in known if h["aliases"]], "a dry run gave names")
        done = ovirt_import(broker, "--from", folder)
        tally.check(done[0] == 3 and "doesn't know: stranger" in done[1], f"import: {done}")
        with open(os.path.join(folder, "hosts" + (".xml" if as_xml else ".json")), "w", encoding="utf-8") as file:
            file.write("<hosts><!DOCTYPE x></hosts>" if as_xml else "[]")
        wrong = ovirt_import(broker, "--from", folder)
        tally.check(wrong[0] == 2 and wrong[2].startswith("capbroker-ovirt-import: ") and wrong[2].count("\n") == 1,
                    f"not the API's: {wrong}")
    hosts = json.loads(broker.cli("--json", "hosts", database=True)[1])["hosts"]
    tally.check({h["cluster"] for h in hosts} == {"Default"}, f"cluster: {hosts}")
    tally.check(ovirt_import(broker, "--from", "/nosuch")[0] == 2, "no folder")


class Engine(http.server.BaseHTTPRequestHandler):
    """The REST API's pages, for whoever has the password. 600 VMs are more than a page."""

    def do_GET(self):
        parts = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qs(parts.query)
        kind, number, size = parts.path.rsplit("/", 1)[1], int(query["search"][0].split()[1]), int(query["max"][0])
        items = {"clusters": [{"id": "c1", "name": "Default"}],
                 "hosts": [{"id": "engine-" + name, "name": name, "cluster": {"id": "c1"}} for name in HOSTS],
                 "vms": [{"id": f"vm-{i}", "name": f"vm-{i}"} for i in range(600)]}[kind]
        login = base64.b64encode(b"admin@internal:secret word").decode()
        fine = self.headers.get("Authorization") == "Basic " + login and self.headers.get("Accept") == "application/json"
        body = json.dumps({kind[:-1]: items[(number - 1) * size:number * size]} if number * size < len(items) + size else {})
        self.send_response(200 if fine else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format, *args):
        pass


def try_rest(tally, broker):
    """The import from an engine over TLS."""
    broker.make_certificate("engine")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Engine)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(broker.file("engine.pem"), broker.file("engine.key"))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"https://localhost:{server.server_address[1]}/ovirt-engine/api"
    with open(broker.file("password"), "w", encoding="utf-8") as file:
        file.write("secret word\n")
    trust = ("--password-file", broker.file("password"), "--ca-file", broker.file("engine.pem"))
    found = ovirt_import(broker, "--url", url, *trust, "--dry-run")
    tally.check(found[0] == 3 and "5 of 5 hosts named, 0 of 600 VMs known" in found[1] and "vm-599" in found[1], f"REST: {found}")
    with open(broker.file("password"), "w", encoding="utf-8") as file:
        file.write("another\n")
    for what, arguments in (("401", (url, *trust)), ("certificate", (url, *trust[:2])),
                            ("https://", ("http://localhost/x", *trust)), ("No such file", (url, "--password-file", "/nosuch"))):
        wrong = ovirt_import(broker, "--url", *arguments)
        tally.check(wrong[0] == 2 and what in wrong[2] and wrong[2].count("\n") == 1, f"REST, {what}: {wrong}")
    server.shutdown()


def try_answers(tally, broker, service):
    ids = list(IDS.values())
    proxy = service.proxy
    found = proxy.discover()
    tally.check(list(found["filters"]) == ["capbroker_filter"] and list(found["scores"]) == ["capbroker_onward"] and
                found["balance"] == {} and all(len(v) == 2 for v in found["filters"].values()), f"discover: {found}")
    live = broker.post("/v1/filter", {"guest": GUEST, "op": "live", "hosts": ids}).json["hosts"]
    passed = [h["host"] for h in live if h["ok"]]
    tally.check(0 < len(passed) < len(ids), f"the broker: {live}")
    answer = proxy.runFilters(["capbroker_filter"], ids, GUEST, "")
    tally.check(answer == {"result_code": 0, "result": passed}, f"filter: {answer}")
    tally.check(f"vm {GUEST}: not to" in service.text() and "cpu-missing" in service.text(), "the log has no reasons")
    ways = {h["host"]: h["onward_hosts"] or 0 for h in live}
    costs = dict(map(tuple, proxy.runCostFunctions([["capbroker_onward", 3]], ids, GUEST, {})["result"]))
    tally.check(costs == {host: 3 * (max(ways.values()) - on) for host, on in ways.items()} and len(set(costs.values())) > 1,
                f"costs: {costs}")
    off = broker.post("/v1/filter", {"guest": OFF, "op": "boot", "hosts": ids}).json["hosts"]
    strict = broker.post("/v1/filter", {"guest": OFF, "op": "live", "hosts": ids}).json["hosts"]
    tally.check([h["ok"] for h in off] != [h["ok"] for h in strict], "starting and moving are the same here")
    for _ in range(100):
        started = proxy.runFilters(["capbroker_filter"], ids, OFF.upper(), {})["result"]
        if started == [h["host"] for h in off if h["ok"]]:
            break
        time.sleep(0.1)
    tally.check(started == [h["host"] for h in off if h["ok"]], f"a VM that is off: {started}, {off}")
    stranger = proxy.runFilters(["capbroker_filter"], ids, "00000000-0000-4000-8000-00000000cccc", {})
    tally.check(stranger["result"] == ids and stranger["result_code"] == 1 and "isn't known" in
                stranger["plugin_errors"]["capbroker_filter"][0], f"a VM nobody knows: {stranger}")
    nowhere = proxy.runFilters(["capbroker_filter"], ["nosuch"], GUEST, {})
    tally.check(nowhere == {"result_code": 0, "result": []}, f"a host nobody knows: {nowhere}")


def try_untyped(tally, service):
    ids = list(IDS.values())
    typed = service.proxy.runFilters(["capbroker_filter"], ids, GUEST, {})
    tally.check(call(service.port, untyped("runFilters", ["capbroker_filter"], ids, GUEST, "")) == typed, "untyped filter")
    typed = service.proxy.runCostFunctions([["capbroker_onward", 2]], ids, GUEST, {})
    for weight in ("2", 2):
        tally.check(call(service.port, untyped("runCostFunctions", [["capbroker_onward", weight]], ids, GUEST, "")) == typed,
                    f"untyped cost {weight!r}")


def try_hostile(tally, service):
    request = untyped("runFilters", ["capbroker_filter"], [IDS["r1"]], GUEST, "")
    tally.check(service.post(b"x", {"Content-Length": "5000000"}) == 413, "a body that is too large")
    tally.check(service.post(b"<!DOCTYPE x [<!ENTITY a 'b'>]>" + request) == 400, "a document type")
    tally.check(service.post(request, {"Content-Encoding": "gzip"}) == 501, "a compressed body")
    for arguments in (([], 3, GUEST, {}), (["capbroker_filter"], [["x"]], GUEST, {}), (["capbroker_filter"], [], [], {}),
                      (["capbroker_filter"], ["x"] * 20001, GUEST, {})):
        try:
            service.proxy.runFilters(*arguments)
            tally.check(False, f"{str(arguments)[:60]}: no fault")
        except xmlrpc.client.Fault as fault:
            tally.check("expected" in fault.faultString or "no name" in fault.faultString, fault.faultString)
    idle = [socket.create_connection(("127.0.0.1", service.port)) for _ in range(80)]
    for one in idle:
        one.close()
    for _ in range(100):
        try:
            alive = service.proxy.runFilters(["capbroker_filter"], [IDS["r1"]], GUEST, {})["result"] == [IDS["r1"]]
            break
        except (OSError, http.client.HTTPException):
            time.sleep(0.1)
    tally.check(alive, "after 80 idle connections nobody is served")


def try_many(tally, broker, service):
    """A thousand ids: each of the hosts has two hundred."""
    times = []
    ids = [f"many-{name}-{i}" for i in range(MANY // len(HOSTS)) for name in HOSTS]
    for _ in range(15):
        start = time.perf_counter()
        result = service.proxy.runFilters(["capbroker_filter"], ids, GUEST, {})["result"]
        times.append((time.perf_counter() - start) * 1000)
    live = broker.post("/v1/filter", {"guest": GUEST, "op": "live", "hosts": ids}).json["hosts"]
    print(f"{MANY} host ids: median {statistics.median(times):.1f} ms, most {max(times):.1f}")
    tally.check(result == [h["host"] for h in live if h["ok"]] and 0 < len(result) < MANY, f"of many {len(result)} pass")
    tally.check(statistics.median(times) < 500, f"{MANY} host ids take {statistics.median(times):.1f} ms")


def try_config(tally, broker):
    path = broker.file("wrong.conf")
    for text, why in (("[scheduler]\nnosuch = 1\n", "nosuch"), ("[other]\n", "other"), ("nothing\n", "section"),
                      ("[scheduler]\ntimeout = soon\n", "timeout"), ("[scheduler]\non_failure = maybe\n", "on_failure"),
                      ("[scheduler]\nlisten = here\n", "listen")):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        result = subprocess.run([sys.executable, os.path.join(OVIRT, "capbroker-ovirt-scheduler"), "--check-config", "--config",
                                 path], capture_output=True, text=True, check=False)
        tally.check(result.returncode == 2 and why in result.stderr and result.stderr.count("\n") == 1,
                    f"{text!r}: {result.returncode}, {result.stderr}")
    example = os.path.join(os.environ["top_srcdir"], "integrations", "ovirt", "ovirt.conf.example")
    result = subprocess.run([sys.executable, os.path.join(OVIRT, "capbroker-ovirt-scheduler"), "--check-config", "--config",
                             example], capture_output=True, text=True, check=False)
    tally.check(result.returncode == 0, f"the example: {result.stderr}")


def try_down(tally, broker):
    ids = list(IDS.values())
    for policy, expected in (("open", ids), ("closed", [])):
        with Service(broker, on_failure=policy) as service:
            answer = service.proxy.runFilters(["capbroker_filter"], ids, GUEST, {})
            tally.check(answer["result"] == expected and answer["result_code"] == 1 and
                        "capbroker_filter" in answer["plugin_errors"], f"down, {policy}: {answer}")
            costs = service.proxy.runCostFunctions([["capbroker_onward", 1]], ids, GUEST, {})
            tally.check(costs["result"] == [] and costs["result_code"] == 1, f"down, {policy}: {costs}")


def try_hook(tally, broker):
    """VDSM's script: where it is put, and that only a decision refuses."""
    hooks = broker.file("hooks")
    install = ["sh", os.path.join(OVIRT, "vdsm-install"), "--hooks", hooks, "--script", os.path.join(OVIRT, "vdsm-hook")]
    point = os.path.join(hooks, "before_vm_migrate_destination", "50_capbroker")
    subprocess.run(install, check=True, capture_output=True)
    tally.check(os.path.islink(point), "the hook isn't there")
    tally.check(subprocess.run(install, check=False, capture_output=True).returncode == 0, "installed twice")
    conf = broker.file("hook.conf")
    guest = os.path.join(TESTS, "guests", "web-17.xml")
    for host, mode, expected in (("r5", "enforce", 2), ("r5", "report", 0), ("r1", "enforce", 0)):
        with open(conf, "w", encoding="utf-8") as file:
            file.write(f"[hook]\nmode={mode}\nenforce=hazard;fails-safely\ndatabase={broker.database}\nhost={host}\n"
                       "changed=trust\nreprobe=no\nlimit-ms=20000\n")
        result = subprocess.run([point], check=False, capture_output=True, text=True, env=dict(
            os.environ, CAPBROKER="capbroker", CAPBROKER_HOOK_CONFIG=conf, _hook_domxml=guest, vmName="web-17"))
        tally.check(result.returncode == expected and not result.stdout and bool(result.stderr) == (expected == 2),
                    f"hook at {host}, {mode}: {result}")
    result = subprocess.run([point], check=False, capture_output=True, text=True, env=dict(
        os.environ, CAPBROKER="/nosuch", CAPBROKER_HOOK_CONFIG=conf, _hook_domxml=guest))
    tally.check(result.returncode == 0 and "ended with status" in result.stderr, f"no program: {result}")
    subprocess.run([*install, "--remove"], check=True, capture_output=True)
    tally.check(not os.path.lexists(point), "the hook is still there")
    with open(point, "w", encoding="utf-8") as file:
        file.write("theirs")
    for more in ([], ["--remove"]):
        tally.check(subprocess.run([*install, *more], check=False, capture_output=True).returncode == 2, f"theirs {more}")
    tally.check(os.path.exists(point), "somebody else's hook is gone")


def main():
    need_broker()
    tally = Tally()
    broker = Broker()
    fill(broker)
    try_import(tally, broker)
    try_rest(tally, broker)
    for name in HOSTS:
        aliases = [word for i in range(MANY // len(HOSTS)) for word in ("--alias", f"many{i}=many-{name}-{i}")]
        broker.cli("import", "--name", name, *aliases, database=True)
    with broker:
        with Service(broker) as service:
            try_answers(tally, broker, service)
            try_untyped(tally, service)
            try_many(tally, broker, service)
            try_hostile(tally, service)
        try_config(tally, broker)
        broker.stop()
        try_down(tally, broker)
        try_hook(tally, broker)
    tally.end()


main()
