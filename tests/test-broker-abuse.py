#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""test-broker-abuse.py: what no client should send: the right status or an end, memory within bounds,
and others are served meanwhile."""

import json
import re
import socket
import threading
import time

from broker_fixture import Broker, Tally, need_broker
from fleet_fixture import guest, host

MIB = 1 << 20


class Raw:
    """A connection that sends what one likes."""

    def __init__(self, broker):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(20)
        self.socket.connect(broker.socket)

    def send(self, data):
        """False where the other side has ended it."""
        try:
            self.socket.sendall(data if isinstance(data, bytes) else data.encode("latin-1"))
            return True
        except (BrokenPipeError, ConnectionResetError):
            return False

    def rest(self):
        """All that comes until its end."""
        data = b""
        try:
            while part := self.socket.recv(65536):
                data += part
        except (ConnectionResetError, BrokenPipeError):
            pass
        except socket.timeout:
            data += b"TIMEOUT"
        self.socket.close()
        return data

    def statuses(self):
        return [int(code) for code in re.findall(rb"HTTP/1\.[01] (\d{3})", self.rest())]


def once(broker, text):
    raw = Raw(broker)
    raw.send(text)
    raw.socket.shutdown(socket.SHUT_WR)
    return raw.statuses()


def paths(broker, tally):
    tricks = {"/v1/hosts/..%2f..%2fetc%2fpasswd": (400, 404), "/v1/hosts/%2e%2e/profile": (400, 404), "/v1//hosts": (400, 404),
              "/v1/hosts/": (400, 404), "/v1/hosts/%00": (400,), "/v1/hosts/%zz": (400,), "/v1/hosts/%ff": (400,),
              "/v1/hosts/a%0ab": (400,), "/v1/hosts/" + "x" * 7000: (400, 404, 414), "/v1/" + "a/" * 50: (400, 404),
              "/V1/hosts": (404,), "//etc/passwd": (400, 404), "/v1/hosts/r1/../r2": (400, 404), "*": (400, 404), "r1": (400, 404),
              "/v1/hosts?select=%ff": (400,), "/v1/hosts/" + "%41" * 3000: (404, 414, 431)}
    for path, wanted in tricks.items():
        got = once(broker, f"GET {path} HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n")
        tally.check(got and got[0] in wanted, f"GET {path[:60]}: {got}, not {wanted}")
    for method in ("DELETE", "PATCH", "POST", "HEAD", "OPTIONS", "TRACE", "CONNECT", "BREW"):
        got = once(broker, f"{method} /v1/hosts/r1 HTTP/1.1\r\nHost: b\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        tally.check(got and got[0] in (400, 405, 501), f"{method}: {got}")


def smuggling(broker, tally):
    """One request never is two."""
    inner = "GET /v1/status HTTP/1.1\r\nHost: b\r\n\r\n"
    cases = {
        "both lengths": f"POST /v1/hosts HTTP/1.1\r\nHost: b\r\nContent-Length: {len(inner)}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{inner}",
        "two lengths": f"POST /v1/hosts HTTP/1.1\r\nHost: b\r\nContent-Length: 0\r\nContent-Length: {len(inner)}\r\n\r\n{inner}",
        "equal lengths": f"POST /v1/hosts HTTP/1.1\r\nHost: b\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{{}}{inner}",
        "odd encoding": f"POST /v1/hosts HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n{inner}",
        "two encodings": f"POST /v1/hosts HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n{inner}",
        "listed encodings": f"POST /v1/hosts HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n{inner}",
        "negative": f"POST /v1/hosts HTTP/1.1\r\nHost: b\r\nContent-Length: -1\r\n\r\n{inner}",
        "signed": f"POST /v1/hosts HTTP/1.1\r\nHost: b\r\nContent-Length: +2\r\n\r\n{{}}{inner}",
        "hexadecimal": f"POST /v1/hosts HTTP/1.1\r\nHost: b\r\nContent-Length: 0x2\r\n\r\n{{}}{inner}",
        "huge": f"POST /v1/hosts HTTP/1.1\r\nHost: b\r\nContent-Length: 99999999999999999999999\r\n\r\n{inner}",
        "bad chunk": f"POST /v1/hosts HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{inner}",
        "no host": f"GET /v1/hosts HTTP/1.1\r\n\r\n{inner}",
        "two hosts": f"GET /v1/hosts HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n{inner}",
        "two tokens": f"GET /v1/hosts HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n{inner}",
    }
    for name, text in cases.items():
        got = once(broker, text)
        # libmicrohttpd sends the head of an error of its own twice, with one body
        tally.check(len(got) <= 2 and set(got) <= {400, 401, 413} and len(set(got)) <= 1, f"smuggling, {name}: {got}")
    for text in ("", "\r\n" * 3, "GET\r\n\r\n", "\x16\x03\x01\x02\x00", "GET / HTTP/9.9\r\nHost: b\r\n\r\n", "\0" * 100):
        got = once(broker, text)
        tally.check(all(code in (400, 404, 505) for code in got), f"{text[:20]!r}: {got}")


def bodies(broker, tally):
    """Status of bodies that are too large, or no question."""
    raw = Raw(broker)
    raw.send(f"POST /v1/check HTTP/1.1\r\nHost: b\r\nContent-Length: {100 * MIB}\r\n\r\n")
    sent = 0
    while sent < 100 * MIB and raw.send(b"x" * MIB):
        sent += MIB
    got = raw.statuses()
    tally.check(got in ([413], []) and sent < 20 * MIB, f"100 MiB: {got}, {sent >> 20} MiB were taken")
    raw = Raw(broker)
    raw.send("PUT /v1/hosts/r1/profile HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(100):
        if not raw.send(b"100000\r\n" + b"x" * MIB + b"\r\n"):
            break
    raw.send(b"0\r\n\r\n")
    raw.socket.shutdown(socket.SHUT_WR)
    got = raw.statuses()
    tally.check(got in ([413], []), f"100 MiB in chunks: {got}")
    texts = {"deep": "[" * 100000, "deep objects": '{"a":' * 5000 + "1" + "}" * 5000, "bytes": b'{"guest":"\xff\xfe"}', "nothing": "",
             "half": '{"guest":', "twice": '{"guest":"a","guest":"b"}', "a list": "[]", "a number": "7", "NUL": '{"guest":"a\\u0000b"}',
             "unknown member": '{"gest":"a"}', "wrong type": '{"guest":7}', "many": json.dumps({"guest": "a", "to": ["x"] * 200000}),
             "long": json.dumps({"guest": "a" * 100000}), "XML bomb": json.dumps({"document": {"text": "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"}}),
             "no base64": '{"document":{"base64":"%%%"}}', "deep XML": json.dumps({"document": {"text": "<a>" * 50000}})}
    for name, text in texts.items():
        for path in ("/v1/check", "/v1/filter"):
            reply = broker.post(path, text)
            tally.check(reply.status in (400, 404, 413) and "error" in reply.json, f"{path}, {name}: {reply.status} {reply.body[:200]}")
    for text in texts.values():
        reply = broker.put("/v1/hosts/r1/profile", text)
        tally.check(reply.status in (400, 413), f"a profile of {str(text)[:30]}: {reply.status}")
        reply = broker.put("/v1/hosts/r1/guests", text)
        tally.check(reply.status in (400, 413), f"guests of {str(text)[:30]}: {reply.status}")
    for bad in ({"op": "fly", "hosts": [], "guest": "g"}, {"op": "live", "guest": "g"}, {"op": "live", "hosts": [7], "guest": "g"},
                {"op": "live", "hosts": []}, {"op": "live", "hosts": [], "guest": "g", "xml": "<a/>"}, {"op": "boot", "hosts": [], "needs": 7}):
        reply = broker.post("/v1/filter", bad)
        tally.check(reply.status in (400, 404), f"filter {bad}: {reply.status}")


def heads(broker, tally):
    """Headers without an end, in number and in length."""
    for line in ("X: " + "y" * 1000 + "\r\n", "X" * 60 + "\r\n", "A:b\r\n"):
        raw = Raw(broker)
        raw.send("GET /v1/hosts HTTP/1.1\r\nHost: b\r\n")
        sent = 0
        while sent < 4 * MIB and raw.send(line * 100):
            sent += len(line) * 100
        got = raw.statuses()
        tally.check(sent < MIB and (not got or got[0] in (400, 413, 414, 431)), f"a head of {line[:8]!r}…: {got} after {sent} bytes")


def slow(broker, tally):
    """Who takes too long is cut off: in the head, in the body, before the first byte."""
    begun = time.monotonic()
    raws = []
    for text in ("", "GET /v1/ho", "POST /v1/check HTTP/1.1\r\nHost: b\r\nContent-Length: 1000\r\n\r\n{"):
        for _ in range(20):
            raw = Raw(broker)
            raw.send(text)
            raws.append(raw)
    drip = Raw(broker)
    drip.send("GET /v1/hosts HTTP/1.1\r\nHost: b\r\n")
    dripped = 0
    while dripped < 60 and drip.send("X"):
        dripped += 1
        time.sleep(0.2)
    took = time.monotonic() - begun
    tally.check(took < 8, f"a dripping head held on for {took:.1f} s")
    for raw in raws:
        raw.socket.settimeout(10)
        data = raw.rest()
        tally.check(b"TIMEOUT" not in data, "a connection that says nothing goes on")
    drip.rest()


def many(broker, tally):
    """More connections than there may be: the others wait or are refused, none is lost after."""
    raws = []
    for _ in range(300):
        try:
            raws.append(Raw(broker))
        except OSError:
            break
    for raw in raws:
        raw.socket.close()
    time.sleep(0.2)
    tally.check(broker.get("/healthz").status == 200, "served after a flood of connections")


class Meanwhile(threading.Thread):
    """Somebody else, who asks what is right."""

    def __init__(self, broker):
        super().__init__()
        self.broker, self.ending, self.times, self.wrong = broker, False, [], []

    def run(self):
        while not self.ending:
            begun = time.monotonic()
            try:
                reply = self.broker.post("/v1/check", {"guest": "web-1", "to": ["all"]}, timeout=20)
                if reply.status != 200:
                    self.wrong.append(reply.status)
            except OSError as error:
                self.wrong.append(str(error))
            self.times.append(time.monotonic() - begun)
            time.sleep(0.05)


def main():
    need_broker()
    tally = Tally()
    limits = {"request_seconds": 3, "idle_seconds": 5, "connections": 200, "body_mib": 16, "bodies_mib": 64}
    with Broker({"limits": limits}) as broker:
        broker.put("/v1/hosts/r1/profile", host("r1", "lab-debian12"))
        status, out, errors = broker.cli("import", "--host", "r1", _write(broker, guest("web-1", "pc-q35-7.2")), database=True)
        tally.check(status == 0, out + errors)
        broker.process.send_signal(1)
        time.sleep(0.5)
        other = Meanwhile(broker)
        before = broker.memory_kib()
        other.start()
        for part in (paths, smuggling, bodies, heads, slow):
            part(broker, tally)
        other.ending = True
        other.join()
        grown = broker.memory_kib() - before
        tally.check(not other.wrong and len(other.times) > 10, f"meanwhile: {other.wrong[:5]} of {len(other.times)}")
        print(f"meanwhile {len(other.times)} questions, the longest {max(other.times) * 1000:.0f} ms; memory {before >> 10} MiB, grown by {grown >> 10}")
        tally.check(grown < 200 * 1024, f"memory grew by {grown} KiB")
        many(broker, tally)
        tally.check(broker.get("/v1/hosts").json["hosts"][0]["name"] == "r1", "r1 is still there")
    tally.end()


def _write(broker, text):
    path = broker.file("guest.xml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


main()
