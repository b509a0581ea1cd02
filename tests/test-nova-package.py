#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""integrations/nova without Nova: its client against a real broker, over the socket and TLS, and against
what is none; the definitions that it makes of flavors and images, judged by that broker. The real Nova is
in lab/test-lab-nova.py."""

import contextlib
import os
import socket
import sys
import threading
import time
import xml.etree.ElementTree

from broker_fixture import Broker, Tally, need_broker
from hosts_fixture import TESTS, profiles

sys.path.insert(0, os.path.join(os.environ["top_srcdir"], "integrations", "nova"))

from capbroker_nova import needs  # noqa: E402
from capbroker_nova.client import BrokerError, Client, UnknownGuest  # noqa: E402

HOSTS = {"old": "lab-debian12", "new": "lab-debian13", "rack": "cascadelake-8268", "ancient": "nehalem-e7540"}
MAPPING = {"avx2": "HW_CPU_X86_AVX2", "vmx": ("HW_CPU_X86_VMX", "HW_CPU_X86_INTEL_VMX"), "aes": "HW_CPU_X86_AESNI"}
GUEST = "5e0f0000-1000-4000-8000-000000000001"  # web-17


def fails(tally, what, text, call, kind=BrokerError):
    try:
        call()
    except kind as error:
        tally.check(text in str(error), f"{what}: {error}")
        return
    tally.check(False, f"{what}: no {kind.__name__}")


def verdicts(client, **question):
    return {host["host"]: host["verdict"] for host in client.filter(dict(question, hosts=list(HOSTS)))["hosts"]}


def try_client(tally, broker):
    client = Client("unix:" + broker.socket)
    found = verdicts(client, guest=GUEST, op="cold")
    tally.check(found["rack"] == "ok" and found["ancient"] == "block", f"the guest: {found}")
    fails(tally, "a guest nobody knows", "nosuch", lambda: verdicts(client, guest="nosuch", op="live"), UnknownGuest)
    fails(tally, "no such operation", "boot, live", lambda: verdicts(client, guest=GUEST, op="fly"))
    tls = "https://localhost:%d" % broker.port
    secret = broker.file("nova.token")
    with open(secret, "w", encoding="ascii") as file:
        file.write(broker.token("--role", "reader") + "\n")
    by_tls = Client(tls, token_file=secret, ca_file=broker.file("server.pem"), timeout=10)
    tally.check(verdicts(by_tls, guest=GUEST, op="cold") == found, "TLS answers otherwise")
    fails(tally, "no token", "401", lambda: verdicts(Client(tls, ca_file=broker.file("server.pem"), timeout=10),
                                                     guest=GUEST, op="cold"))
    fails(tally, "nobody to trust", "certificate", lambda: verdicts(Client(tls, token_file=secret, timeout=10),
                                                                    guest=GUEST, op="cold"))
    for text in ("", "two words", "line\nline", "x" * 5000):
        with open(secret, "w", encoding="ascii") as file:
            file.write(text)
        fails(tally, f"token {text[:10]!r}", "token", lambda: verdicts(by_tls, guest=GUEST, op="cold"))
    fails(tally, "no token file", "token_file", lambda: verdicts(Client(tls, token_file="/nosuch"), guest=GUEST, op="cold"))
    for url in ("http://localhost:1", "https://", "unix:relative", "https://h:x", "https://h/path", ""):
        fails(tally, url, "address", lambda url=url: verdicts(Client(url), guest=GUEST, op="cold"))


@contextlib.contextmanager
def saying(path, reply, pause=0.0):
    """A server that says @reply to whoever connects, a byte each @pause seconds where that is given."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()

        def serve():
            with contextlib.suppress(OSError):
                one, _ = server.accept()
                with one:
                    one.recv(65536)
                    for piece in [reply[i:i + 1] for i in range(len(reply))] if pause else [reply]:
                        one.sendall(piece)
                        time.sleep(pause)
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield
        thread.join(10)
    os.unlink(path)


def try_strangers(tally, folder):
    path = os.path.join(folder, "stranger.sock")
    client = Client("unix:" + path, timeout=0.5)
    fails(tally, "nobody there", path, lambda: client.filter({"hosts": ["a"]}))
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"
    for what, body in (("no JSON", b"<html>"), ("no object", b"[]"), ("no hosts", b"{}"), ("deep", b"[" * 100000),
                       ("another host", b'{"hosts":[{"host":"b","ok":true}],"reasons":{}}'),
                       ("no host", b'{"hosts":[],"reasons":{}}'), ("no verdict", b'{"hosts":[{"host":"a"}],"reasons":{}}'),
                       ("ok is a text", b'{"hosts":[{"host":"a","ok":"false"}],"reasons":{}}')):
        with saying(path, head % (len(body), body)):
            fails(tally, what, "stranger.sock", lambda: client.filter({"hosts": ["a"]}))
    for what, reply in (("no HTTP", b"SSH-2.0\r\n"), ("nothing", b""), ("half", head % (100, b"{"))):
        with saying(path, reply):
            fails(tally, what, "stranger.sock", lambda: client.filter({"hosts": ["a"]}))
    with saying(path, head % (40, b" " * 40), pause=0.06):
        start = time.monotonic()
        fails(tally, "a slow one", "stranger.sock", lambda: Client("unix:" + path, timeout=1.0).filter({"hosts": ["a"]}))
        tally.check(time.monotonic() - start < 9, "a slow one is waited for")


def definition(extra=None, image=None, **more):
    return needs.domain_xml(extra or {}, (image or {}).get, vcpus=2, memory_mb=512, mapping=MAPPING, **more)


def try_needs(tally, client):
    def boot(*arguments, **more):
        return verdicts(client, xml=definition(*arguments, **more), op="boot")
    tally.check(boot()["ancient"] == "ok", f"nothing wanted: {boot()}")
    avx2 = boot({"trait:HW_CPU_X86_AVX2": "required"})
    tally.check((avx2["ancient"], avx2["rack"]) == ("block", "ok"), f"AVX2 by flavor: {avx2}")
    tally.check(boot({}, {"traits_required": ["HW_CPU_X86_AVX2"]}) == avx2, "AVX2 by image")
    tally.check(boot({"trait2:HW_CPU_X86_AVX2": "required"}) == avx2, "AVX2 by a numbered group")
    tally.check(boot({"trait:HW_CPU_X86_AVX2": "forbidden"}) == boot(), "a trait that is forbidden")
    newer = boot({}, {"hw_machine_type": "pc-q35-10.0"})
    tally.check((newer["old"], newer["new"]) == ("block", "ok"), f"machine type: {newer}")
    tally.check(boot({}, {"hw_machine_type": "q35"}, machine="pc-q35-10.0") == newer, "the instance's own machine type")
    arm = boot({}, {"hw_architecture": "aarch64", "hw_machine_type": "virt"})
    tally.check("ok" not in arm.values(), f"another architecture: {arm}")
    custom = boot(cpu_mode="custom", cpu_model="Broadwell-noTSX-IBRS")
    tally.check((custom["ancient"], custom["rack"]) == ("block", "ok"), f"cpu_model: {custom}")
    xml_text = definition({"hw:viommu_model": "intel"}, {"hw_machine_type": "q35"})
    driver = xml.etree.ElementTree.fromstring(xml_text).find("devices/iommu/driver")
    tally.check(driver.attrib == {"intremap": "on", "caching_mode": "on", "aw_bits": "48", "eim": "on", "iotlb": "on"},
                f"vIOMMU: {driver.attrib}")
    found = boot({"hw:viommu_model": "intel"}, {"hw_machine_type": "q35"})
    tally.check(set(found) == set(HOSTS), f"vIOMMU: {found}")
    for image in ({"hw_machine_type": "'><x>&"}, {"hw_viommu_model": "\"'<"}, {"hw_architecture": "<&>"}):
        tree = xml.etree.ElementTree.fromstring(definition({}, image))
        tally.check(list(image.values())[0] in [v for e in tree.iter() for v in e.attrib.values()], f"{image}: lost")
    tally.check(needs.features_of({"HW_CPU_X86_INTEL_VMX", "CUSTOM_X"}, MAPPING) == ["vmx"], "a feature of two traits")


def main():
    need_broker()
    tally = Tally()
    broker = Broker(tls=True)
    for name, kind in HOSTS.items():
        broker.cli("import", "--name", name, profiles()[kind], database=True)
    broker.cli("import", "--host", "rack", os.path.join(TESTS, "guests", "web-17.xml"), database=True)
    with broker:
        try_client(tally, broker)
        try_needs(tally, Client("unix:" + broker.socket, timeout=10))
        try_strangers(tally, broker.folder)
    tally.end()


main()
