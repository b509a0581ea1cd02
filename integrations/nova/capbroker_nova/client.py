# SPDX-License-Identifier: LGPL-2.1-or-later
"""One question to a broker, over a unix socket or TLS. Knows nothing of Nova."""

import http.client
import json
import socket
import ssl
import time
import urllib.parse

ANSWER_MAX = 64 * 1024 * 1024
TOKEN_MAX = 4096
PIECE = 1024 * 1024


class BrokerError(Exception):
    """No answer that can be used; the text says why."""


class UnknownGuest(BrokerError):
    """The broker answers, but has never heard of this guest."""


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("broker", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def read_token(path):
    """The token in a file; what is no token is refused before it gets into a header."""
    try:
        with open(path, encoding="ascii") as file:
            token = file.read(TOKEN_MAX + 1).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BrokerError(f"token_file: {error}") from error
    if not token or len(token) > TOKEN_MAX or not token.isprintable() or " " in token:
        raise BrokerError(f"{path}: holds no token (see capbroker token create)")
    return token


class Client:
    """@url: unix:/PATH or https://HOST[:PORT]; @timeout: seconds for each wait, and until the whole answer is there"""

    def __init__(self, url, token_file=None, ca_file=None, timeout=2.0):
        self.url, self.token_file, self.ca_file, self.timeout = url, token_file, ca_file, timeout

    def _connection(self):
        if self.url.startswith("unix:/"):
            return UnixConnection(self.url[len("unix:"):], self.timeout)
        parts = urllib.parse.urlsplit(self.url)
        try:
            port = parts.port or 443
        except ValueError:
            port = None
        if parts.scheme != "https" or not parts.hostname or not port or parts.path not in ("", "/"):
            raise BrokerError(f"{self.url}: not a broker's address (unix:/PATH or https://HOST:PORT)")
        context = ssl.create_default_context(cafile=self.ca_file or None)
        return http.client.HTTPSConnection(parts.hostname, port, timeout=self.timeout, context=context)

    def _read(self, connection, until):
        reply = connection.getresponse()
        body = bytearray()
        while True:
            left = until - time.monotonic()
            if left <= 0:
                raise BrokerError(f"{self.url}: no answer in {self.timeout:g} s")
            if connection.sock:
                connection.sock.settimeout(left)
            piece = reply.read1(PIECE)
            if not piece:
                return reply.status, bytes(body)
            body += piece
            if len(body) > ANSWER_MAX:
                raise BrokerError(f"{self.url}: the answer is larger than {ANSWER_MAX} bytes")

    def _exchange(self, path, question):
        until = time.monotonic() + self.timeout
        headers = {"Content-Type": "application/json"}
        if self.token_file:
            headers["Authorization"] = "Bearer " + read_token(self.token_file)
        connection = None
        try:
            connection = self._connection()
            connection.request("POST", path, json.dumps(question).encode(), headers)
            return self._read(connection, until)
        except (OSError, http.client.HTTPException) as error:
            raise BrokerError(f"{self.url}: {error or type(error).__name__}") from error
        finally:
            if connection is not None:
                connection.close()

    def ask(self, path, question):
        """The answer, an object. Raises BrokerError."""
        status, body = self._exchange(path, question)
        try:
            answer = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise BrokerError(f"{self.url}: the answer ({status}) is no JSON") from error
        if not isinstance(answer, dict):
            raise BrokerError(f"{self.url}: the answer ({status}) is no object")
        if status == 200:
            return answer
        error = answer.get("error") if isinstance(answer.get("error"), dict) else {}
        text = f"{self.url}: {status}: {error.get('where')}: {error.get('message')}"
        if status == 404 and error.get("code") == "unknown-name" and error.get("where") == question.get("guest"):
            raise UnknownGuest(text)
        raise BrokerError(text)

    def filter(self, question):
        """The answer to POST /v1/filter: 'hosts' is as long as, and in the order of, those asked for."""
        answer = self.ask("/v1/filter", question)
        hosts, reasons = answer.get("hosts"), answer.get("reasons")
        if not isinstance(hosts, list) or not isinstance(reasons, dict) or len(hosts) != len(question["hosts"]):
            raise BrokerError(f"{self.url}: that is no answer of a capbrokerd")
        for asked, host in zip(question["hosts"], hosts):
            if not isinstance(host, dict) or host.get("host") != asked or not isinstance(host.get("ok"), bool):
                raise BrokerError(f"{self.url}: the answer isn't about the hosts that were asked for")
        return answer
