# SPDX-License-Identifier: LGPL-2.1-or-later
"""oVirt's external scheduler in front of a broker, the fleet that it is asked about, and calls as the engine
writes them."""

import http.client
import os
import re
import subprocess
import sys
import time
import xmlrpc.client

from broker_fixture import free_port
from hosts_fixture import TESTS, profiles

OVIRT = os.path.join(os.environ["top_builddir"], "integrations", "ovirt")
HOSTS = {"r1": "cascadelake-8268", "r2": "cooperlake", "r3": "rome-7502", "r4": "skylake-e3-1225v5", "r5": "nehalem-e7540"}
IDS = {name: f"00000000-aaaa-4000-8000-00000000000{i}" for i, name in enumerate(HOSTS)}
GUEST = "5e0f0000-1000-4000-8000-000000000001"  # web-17, running on r1
OFF = "5e0f0000-1000-4000-8000-0000000000ff"    # known, and off


class Service:
    """The scheduler with settings of its own; use as a context."""

    def __init__(self, broker, **settings):
        self.port = free_port()
        self.path = broker.file("ovirt.conf")
        self.log = broker.file("ovirt.log")
        settings = dict({"listen": f"127.0.0.1:{self.port}", "broker": "unix:" + broker.socket, "timeout": "5",
                         "guests_every": "1"}, **settings)
        with open(self.path, "w", encoding="utf-8") as file:
            file.write("[scheduler]\n" + "".join(f"{key} = {value}\n" for key, value in settings.items()))

    def __enter__(self):
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen([sys.executable, os.path.join(OVIRT, "capbroker-ovirt-scheduler"), "--config",
                                             self.path], stderr=log)
        self.proxy = xmlrpc.client.ServerProxy(f"http://127.0.0.1:{self.port}/", allow_none=True)
        for _ in range(200):
            try:
                self.proxy.discover()
                return self
            except OSError:
                time.sleep(0.05)
        sys.exit("the scheduler doesn't begin: " + self.text())

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)

    def text(self):
        with open(self.log, encoding="utf-8") as file:
            return file.read()

    def post(self, body, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("POST", "/", body, headers or {})
            return connection.getresponse().status
        finally:
            connection.close()


def fill(broker):
    for name, kind in HOSTS.items():
        broker.cli("import", "--name", name, profiles()[kind], database=True)
    broker.cli("import", "--host", "r1", os.path.join(TESTS, "guests", "web-17.xml"), database=True)
    with open(os.path.join(TESTS, "guests", "build-host-model.xml"), encoding="utf-8") as file:
        text = file.read()
    text = text.replace(text[text.index("<uuid>") + 6:text.index("</uuid>")], OFF)
    text = re.sub("<domain ([^>]*?) id='[0-9]+'", r"<domain \1", text)
    with open(broker.file("off.xml"), "w", encoding="utf-8") as file:
        file.write(text)
    broker.cli("import", broker.file("off.xml"), database=True)


def untyped(method, *values):
    """A call as the engine's library writes it: texts without a type."""
    def value(v):
        if isinstance(v, list):
            return "<value><array><data>" + "".join(map(value, v)) + "</data></array></value>"
        return f"<value>{v}</value>" if isinstance(v, str) else f"<value><i4>{v}</i4></value>"
    return ("<?xml version='1.0'?><methodCall><methodName>%s</methodName><params>%s</params></methodCall>" % (
        method, "".join(f"<param>{value(v)}</param>" for v in values))).encode()


def call(port, body):
    """What is answered to a call."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("POST", "/RPC2", body, {"Content-Type": "text/xml"})
        return xmlrpc.client.loads(connection.getresponse().read())[0][0]
    finally:
        connection.close()
