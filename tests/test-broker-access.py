#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""test-broker-access.py: who gets in and as what; that nobody else learns or changes anything; and that
tokens are in no log and on no command line."""

import os
import ssl
import subprocess
import sys
import time

from answers_fixture import problems, validator
from broker_fixture import Broker, Tally, need_broker
from fleet_fixture import host

READS = [("GET", "/v1/hosts"), ("GET", "/v1/hosts/r1"), ("GET", "/metrics"), ("GET", "/v1/status"), ("POST", "/v1/check"),
         ("POST", "/v1/matrix"), ("POST", "/v1/filter"), ("GET", "/v1/decisions/00000000")]


def strangers(broker, tally):
    """Without a token, with a wrong one, with none that may."""
    wrong = [None, "cbt_000000000000_" + "0" * 64, "x", "cbt__", "cbt_" + "a" * 5000, "Bearer", "../../etc/passwd"]
    for method, path in READS + [("PUT", "/v1/hosts/r1/profile"), ("PUT", "/v1/hosts/r1/guests"), ("POST", "/v1/enrol"),
                                 ("GET", "/v1/nosuch"), ("DELETE", "/v1/hosts/r1")]:
        for token in wrong:
            reply = broker.request(method, path, "{}" if method != "GET" else None, tls=True, token=token)
            tally.check(reply.status == 401, f"{method} {path} with {token}: {reply.status}")
            tally.check("r1" not in reply.body.decode(), f"{method} {path}: tells of r1")
    tally.check(broker.get("/healthz", tls=True).status == 200, "healthz is anybody's")
    for header in ("Basic cm9vdDpyb290", "bearer", "Bearer  ", "Token x"):
        reply = broker.get("/v1/hosts", tls=True, headers={"Authorization": header})
        tally.check(reply.status == 401, f"{header}: {reply.status}")


def roles(broker, tally, tokens):
    for method, path in READS:
        body = {"op": "boot", "hosts": [], "guest": "x"} if path.endswith("filter") else {} if method == "POST" else None
        for role in ("reader", "admin"):
            status = broker.request(method, path, body, tls=True, token=tokens[role]).status
            tally.check(status not in (401, 403), f"{role}: {method} {path}: {status}")
        status = broker.request(method, path, body, tls=True, token=tokens["agent"]).status
        tally.check(status == 403, f"agent: {method} {path}: {status}")
    document = host("r1", "lab-debian12")
    status = broker.put("/v1/hosts/r1/profile", document, tls=True, token=tokens["reader"]).status
    tally.check(status == 403, f"reader puts a profile: {status}")
    reply = broker.put("/v1/hosts/r1/profile", document, tls=True, token=tokens["agent"])
    tally.check(reply.status == 200, f"agent of r1 puts r1: {reply.status} {reply.body[:300]}")
    for path in ("/v1/hosts/r2/profile", "/v1/hosts/r2/guests"):
        reply = broker.put(path, host("r2", "lab-debian12"), tls=True, token=tokens["agent"])
        tally.check(reply.status == 403, f"agent of r1 puts {path}: {reply.status}")
    reply = broker.put("/v1/hosts/r1/profile", host("r2", "lab-debian12"), tls=True, token=tokens["agent"])
    tally.check(reply.status == 400 and "of host 'r2'" in reply.error, f"r2's profile as r1: {reply.status}")
    reply = broker.put("/v1/hosts/r1/profile?cluster=mine", document, tls=True, token=tokens["agent"])
    tally.check(reply.status == 403, f"an agent chooses its cluster: {reply.status}")
    names = [one["name"] for one in broker.get("/v1/hosts").json["hosts"]]
    tally.check(names == ["r1"], f"there are {names}")


def other_names(broker, tally, tokens):
    """An alias or UUID of another host is that host."""
    other = host("r3", "lab-sid")
    other["host"]["uuid"] = "5f0c3a52-6a0e-4b7c-9d5f-0000000000aa"
    reply = broker.put("/v1/hosts/r3/profile?alias=nova=compute-3&cluster=a&label=rack=7", other)
    tally.check(reply.status == 200, f"an admin's r3: {reply.body[:300]}")
    for name in ("compute-3", other["host"]["uuid"]):
        tally.check(broker.put(f"/v1/hosts/{name}/profile", other, tls=True, token=tokens["agent"]).status == 403,
                    f"agent of r1 puts {name}")
        reply = broker.get(f"/v1/hosts/{name}")
        tally.check(reply.status == 200 and reply.json["host"]["name"] == "r3", f"{name} isn't r3: {reply.body[:200]}")
    shown = broker.get("/v1/hosts/r3").json["host"]
    tally.check(shown["cluster"] == "a" and shown["labels"] == {"rack": "7"}, f"r3 is {shown}")


def refused_profile(broker, tally):
    """What is wrong changes nothing."""
    before = broker.get("/v1/hosts/r1?all").body
    broken = host("r1", "lab-debian12")
    broken["facts"][0]["state"] = "maybe"
    twice = host("r1", "lab-debian12")
    for body in (broken, "{", "[]", '{"format":"capbroker.profile/1"}', '{"a":1,"a":2}', dict(twice, format="other/1"), "null",
                 dict(twice, facts=7), {"format": "capbroker.confirm/1"},
                 {"format": "capbroker.confirm/1", "profile_digest": 7, "fingerprint": {}}):
        reply = broker.put("/v1/hosts/r1/profile", body)
        tally.check(reply.status == 400, f"{str(body)[:60]}: {reply.status} {reply.body[:200]}")
    reply = broker.put("/v1/hosts/r1/profile", {"format": "capbroker.confirm/1", "profile_digest": "0" * 64, "fingerprint": {}})
    tally.check(reply.status == 409, f"confirming another digest: {reply.status}")
    after = broker.get("/v1/hosts/r1?all").body
    tally.check([c for c in before if c > 127] == [c for c in after if c > 127] and len(before) - len(after) in range(-9, 9),
                "a refused profile changed something")


def enrolment(broker, tally):
    secret = broker.token("--enrol", "--uses", "2", "--expires", "1h")
    reply = broker.post("/v1/enrol", {"host": "e1"}, tls=True, token=secret)
    tally.check(reply.status == 201, f"enrol e1: {reply.status} {reply.body}")
    token = reply.json["token"]
    tally.check(broker.put("/v1/hosts/e1/profile", host("e1", "lab-sid"), tls=True, token=token).status == 200, "e1's token")
    tally.check(broker.put("/v1/hosts/r1/profile", host("r1", "lab-sid"), tls=True, token=token).status == 403, "e1's for r1")
    reply = broker.post("/v1/enrol", {"host": "e1"}, tls=True, token=secret)
    tally.check(reply.status == 409, f"e1 again: {reply.status}")
    for body in ({}, {"host": ""}, {"host": 7}, {"host": "a/b"}, {"host": "x" * 300}, "["):
        status = broker.post("/v1/enrol", body, tls=True, token=secret).status
        tally.check(status in (400, 409), f"enrol {body}: {status}")
    tally.check(broker.get("/v1/hosts", tls=True, token=secret).status == 403, "a secret reads")
    tally.check(broker.put("/v1/hosts/e2/profile", host("e2", "lab-sid"), tls=True, token=secret).status == 403, "a secret writes")
    tally.check(broker.post("/v1/enrol", {"host": "e2"}, tls=True, token=secret).status == 201, "enrol e2")
    tally.check(broker.post("/v1/enrol", {"host": "e3"}, tls=True, token=secret).status == 403, "a third use of two")
    return [secret, token]


def refused_before_its_body(broker, tally, token):
    """Who is refused by the head alone reads so, though the body is still being sent; who waits sends none."""
    for tls in (True, False):
        for wait in ("", "Expect: 100-continue\r\n"):
            connection = broker.connection(tls)
            connection.connect()
            with connection.sock as sock:
                path = "/v1/hosts/r1/profile" if tls else "/v1/nowhere"
                sock.sendall((f"PUT {path} HTTP/1.1\r\nHost: b\r\nAuthorization: Bearer {token}\r\n"
                              f"Content-Length: 1000000\r\n{wait}\r\n").encode())
                try:
                    for _ in range(0 if wait else 50):
                        time.sleep(0.01)
                        sock.sendall(b"x" * 20000)
                    said = sock.recv(4096).decode()
                except OSError as error:
                    said = str(error)
            wanted = "HTTP/1.1 403" if tls else "HTTP/1.1 404"
            tally.check(said.startswith(wanted), f"{'TLS' if tls else 'socket'}, {wait.strip()!r}: {said[:200]!r}")


def ends(broker, tally, agent):
    """Revoked and expired tokens, at once."""
    token = broker.token("--role", "reader", "--note", "short", "--expires", "2s")
    lasting = broker.token("--role", "reader")
    tally.check(broker.get("/v1/hosts", tls=True, token=token).status == 200, "a token of two seconds")
    subprocess.run(["capbroker", "token", "revoke", lasting.split("_")[1], "--tokens", broker.tokens], check=True,
                   stdout=subprocess.DEVNULL)
    tally.check(broker.get("/v1/hosts", tls=True, token=lasting).status == 401, "a revoked token")
    time.sleep(2.2)
    tally.check(broker.get("/v1/hosts", tls=True, token=token).status == 401, "an expired token")
    listed = subprocess.run(["capbroker", "--json", "token", "list", "--tokens", broker.tokens], text=True, check=True,
                            capture_output=True).stdout
    tally.check(token.split("_")[2] not in listed and '"expired"' in listed, "the list of tokens")
    os.chmod(broker.tokens, 0o644)
    good = broker.put("/v1/hosts/r1/profile", "{", tls=True, token=agent).status
    tally.check(good == 401, f"a file of tokens that others may read: {good}")
    os.chmod(broker.tokens, 0o600)
    return [token, lasting]


def peers(broker, tally):
    """Over the socket, whoever isn't the broker's user needs a role."""
    if os.geteuid() != 0:
        print("other users' connections: not tried, not run as root")
        return
    os.chmod(broker.folder, 0o755)
    script = ("import os, socket, sys; os.setgid(65534); os.setuid(65534); s = socket.socket(socket.AF_UNIX); "
              "s.connect(sys.argv[1]); s.sendall(sys.argv[2].encode()); print(s.recv(4096).decode().split()[1])")
    for line, status in (("GET /v1/hosts", "403"), ("PUT /v1/hosts/r1/profile", "403"), ("GET /healthz", "200")):
        text = f"{line} HTTP/1.1\r\nHost: b\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        result = subprocess.run([sys.executable, "-c", script, broker.socket, text], text=True, capture_output=True, check=False)
        tally.check(result.stdout.strip() == status, f"nobody: {line}: {result.stdout} {result.stderr}")


def expired_certificate(broker, tally):
    """Whoever checks the certificate finds it out; the broker doesn't serve in the clear."""
    result = subprocess.run(["openssl", "x509", "-req", "-in", broker.file("bad.csr"), "-signkey", broker.file("bad.key"), "-days",
                             "-1", "-out", broker.file("bad.pem")], capture_output=True, check=False)
    if result.returncode:
        print("an expired certificate: not made,", result.stderr.decode().strip()[-200:])
        return
    with Broker({}, tls=True) as other:
        other.stop()
        other.groups["tls"].update(certificate=broker.file("bad.pem"), key=broker.file("bad.key"))
        other.configure()
        other.start()
        context = ssl.create_default_context(cafile=broker.file("bad.pem"))
        try:
            connection = other.connection(tls=True, context=context)
            connection.request("GET", "/healthz")
            tally.check(False, "an expired certificate is taken")
        except ssl.SSLError as error:
            tally.check("expired" in str(error), f"an expired certificate: {error}")
        result = subprocess.run(["capbroker", "--broker", f"https://localhost:{other.port}", "--ca-file", broker.file("bad.pem"),
                                 "hosts"], text=True, capture_output=True, check=False)
        tally.check(result.returncode == 2 and result.stderr.count("\n") == 1, f"capbroker: {result.stderr}")


def command_line(broker, tally, tokens):
    """capbroker with a token's file, over TLS."""
    url = f"https://localhost:{broker.port}"
    path = broker.file("reader.token")
    with open(path, "w", encoding="ascii", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(tokens["reader"] + "\n")
    ask = ["capbroker", "--broker", url, "--ca-file", broker.file("server.pem"), "--token-file", path]
    result = subprocess.run([*ask, "hosts"], text=True, capture_output=True, check=False)
    tally.check(result.returncode == 0 and "r1" in result.stdout, f"hosts over TLS: {result.stdout} {result.stderr}")
    result = subprocess.run([*ask, "status"], text=True, capture_output=True, check=False)
    tally.check(result.returncode == 0 and result.stdout.startswith("fine"), f"status: {result.stdout} {result.stderr}")
    os.chmod(path, 0o644)
    result = subprocess.run([*ask, "hosts"], text=True, capture_output=True, check=False)
    tally.check(result.returncode == 2 and "others may read it" in result.stderr, f"a file that others read: {result.stderr}")


def main():
    need_broker()
    tally = Tally()
    broker = Broker({"log": {"requests": "true"}}, tls=True)
    subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                    broker.file("bad.key"), "-out", broker.file("bad.csr"), "-subj", "/CN=localhost"], capture_output=True, check=True)
    with broker:
        tokens = {"reader": broker.token("--role", "reader"), "admin": broker.token("--role", "admin"),
                  "agent": broker.token("--role", "agent", "--host", "r1")}
        strangers(broker, tally)
        roles(broker, tally, tokens)
        other_names(broker, tally, tokens)
        refused_profile(broker, tally)
        refused_before_its_body(broker, tally, tokens["reader"])
        secrets = [*tokens.values(), *enrolment(broker, tally), *ends(broker, tally, tokens["agent"])]
        peers(broker, tally)
        command_line(broker, tally, tokens)
        expired_certificate(broker, tally)
        held = validator()
        for reply in (broker.get("/v1/status"), broker.get("/healthz"), broker.get("/v1/nosuch"), broker.get("/v1/hosts")):
            wrong = problems(held, reply.json)
            tally.check(not wrong, f"not valid: {wrong} {reply.body[:200]}")
        with open(f"/proc/{broker.process.pid}/cmdline", "rb") as file:
            seen = file.read().decode() + broker.text()
        for secret in secrets:
            tally.check(secret not in seen and secret.split("_")[2] not in seen, "a token is in the log or on the command line")
        tally.check("caller=" in seen, "the log tells of nobody")
    tally.end()


main()
