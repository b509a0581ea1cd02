# SPDX-License-Identifier: LGPL-2.1-or-later
"""A broker of one's own, on a unix socket, and on TLS where that is asked for; and its clients."""

import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time

HERE = os.environ.get("top_builddir", "..")


def need_broker():
    """Ends the test where no broker was built."""
    if not os.path.exists(os.path.join(HERE, "src", "broker", "capbrokerd")):
        print("skipped: capbrokerd was not built (install libmicrohttpd-dev, configure again)")
        sys.exit(77)


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout=60):
        super().__init__("broker", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Reply:
    def __init__(self, reply):
        self.status = reply.status
        self.headers = dict((key.lower(), value) for key, value in reply.getheaders())
        self.body = reply.read()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def error(self):
        return self.json["error"]["message"]


class Broker:
    """capbrokerd with a database of its own; use as a context."""

    def __init__(self, settings=None, tls=False, folder=None, wait=True):
        """@settings: {"group": {"key": value}} beside what it needs"""
        self.folder = folder or tempfile.mkdtemp(prefix="capbroker-broker-test-")
        self.own = folder is None
        self.socket = os.path.join(self.folder, "broker.sock")
        self.database = os.path.join(self.folder, "broker.db")
        self.tokens = os.path.join(self.folder, "tokens")
        self.log = os.path.join(self.folder, "log")
        self.port = None
        self.process = None
        self.groups = {"broker": {"database": self.database, "tokens": self.tokens}, "unix": {"socket": self.socket}}
        if tls:
            self.make_certificate("server")
            self.port = free_port()
            self.groups["tls"] = {"listen": f"127.0.0.1:{self.port}", "certificate": self.file("server.pem"),
                                  "key": self.file("server.key")}
        for group, keys in (settings or {}).items():
            self.groups.setdefault(group, {}).update(keys)
        self.wait = wait
        self.configure()

    def file(self, name):
        return os.path.join(self.folder, name)

    def configure(self):
        with open(self.file("capbrokerd.conf"), "w", encoding="utf-8") as file:
            for group, keys in self.groups.items():
                file.write(f"[{group}]\n" + "".join(f"{key}={value}\n" for key, value in keys.items()))

    def make_certificate(self, name, days=("+1", "d")):
        """A certificate that signs itself, good for localhost."""
        result = subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
             self.file(name + ".key"), "-out", self.file(name + ".pem"), "-days", "2", "-subj", "/CN=localhost",
             "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"], capture_output=True, text=True, check=False)
        if result.returncode:
            print("skipped: openssl can't make a certificate:", result.stderr.strip())
            sys.exit(77)

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(["capbrokerd", "--config", self.file("capbrokerd.conf")], stderr=log,
                                            stdin=subprocess.DEVNULL)
        until = time.monotonic() + 60
        while self.wait:
            try:
                if self.get("/healthz", timeout=5).status in (200, 503):
                    break
            except OSError:
                pass
            if self.process.poll() is not None or time.monotonic() > until:
                sys.exit(f"the broker doesn't begin:\n{self.text()}")
            time.sleep(0.05)
        return self

    def text(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()

    def stop(self):
        """Its exit status."""
        if self.process is None:
            return 0
        self.process.terminate()
        try:
            status = self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            sys.exit(f"the broker doesn't end:\n{self.text()}")
        self.process = None
        return status

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = None

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        if self.process is not None and self.process.poll() is not None:
            print(f"the broker ended by itself ({self.process.returncode}):\n{self.text()[-3000:]}")
            self.process = None
            if kind is None:
                sys.exit(1)
        status = self.stop()
        if status and kind is None:
            sys.exit(f"the broker ended with {status}:\n{self.text()[-3000:]}")
        if self.own:
            shutil.rmtree(self.folder, ignore_errors=True)

    def connection(self, tls=False, timeout=60, context=None):
        if not tls:
            return UnixConnection(self.socket, timeout)
        context = context or ssl.create_default_context(cafile=self.file("server.pem"))
        return http.client.HTTPSConnection("localhost", self.port, timeout=timeout, context=context)

    def request(self, method, path, body=None, tls=False, token=None, headers=None, timeout=60, connection=None):
        own = connection is None
        connection = connection or self.connection(tls, timeout)
        headers = dict(headers or {})
        if token:
            headers["Authorization"] = "Bearer " + token
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        try:
            connection.request(method, path, body, headers)
            return Reply(connection.getresponse())
        finally:
            if own:
                connection.close()

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def post(self, path, body, **more):
        return self.request("POST", path, body, **more)

    def put(self, path, body, **more):
        return self.request("PUT", path, body, **more)

    def token(self, *arguments):
        """The text of a new token."""
        result = subprocess.run(["capbroker", "token", "create", "--tokens", self.tokens, *arguments], text=True,
                                capture_output=True, check=True)
        return result.stdout.strip()

    def cli(self, *arguments, database=False):
        """(exit status, stdout, stderr) of capbroker, asking the broker, or its database."""
        where = ["--db", self.database] if database else ["--broker", "unix:" + self.socket]
        result = subprocess.run(["capbroker", *where, *arguments], text=True, capture_output=True,
                                stdin=subprocess.DEVNULL, check=False)
        return result.returncode, result.stdout, result.stderr

    def memory_kib(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Tally:
    """What held and what didn't."""

    def __init__(self):
        self.fine, self.wrong = 0, []

    def check(self, holds, text):
        if holds:
            self.fine += 1
        else:
            self.wrong.append(text)

    def end(self):
        print(f"{self.fine} statements hold, {len(self.wrong)} don't")
        for text in self.wrong[:20]:
            print("  " + text[:2000])
        sys.exit(1 if self.wrong else 0)
