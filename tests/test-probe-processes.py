#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""test-probe-processes.py: a QEMU that runs without libvirt is a guest of its host.

It is told by its process, as the projection of its command and nothing more: secrets that stand in
it leave neither in the document nor in a recording. A replay tells the same. Exit 77: no QEMU here.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

UUID = "7b10d7af-0000-4c66-b2c3-%012d" % os.getpid()
SECRET = "planted-%d-secret" % os.getpid()


def guests_of(folder, name, *arguments):
    path = os.path.join(folder, name)
    subprocess.run(["capbroker-probe", "--only", "guests", "--guests", path, "--output",
                    path + ".profile", *arguments], check=True)
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def of_uuid(document):
    return [guest for guest in document["guests"] if guest.get("uuid") == UUID]


def holds_secret(folder):
    for place, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(place, name), "rb") as file:
                if SECRET.encode() in file.read():
                    return os.path.join(place, name)
    return None


def expect(what, truth):
    if not truth:
        sys.exit("not so: %s" % what)
    print("ok %s" % what)


def nameless(folder, emulator):
    """Nobody could ask about it, nor know it again."""
    qemu = subprocess.Popen([emulator, "-S", "-nodefaults", "-display", "none", "-M", "q35", "-m", "64", "-uuid", UUID])
    try:
        time.sleep(1)
        expect("it still runs", qemu.poll() is None)
        expect("one without a name isn't told", not of_uuid(guests_of(folder, "nameless.json")))
    finally:
        qemu.kill()
        qemu.wait()


def judge(folder, guest):
    """It is stored with its host, and asked about as a guest that runs."""
    command = ["capbroker", "--db", os.path.join(folder, "x.db")]
    subprocess.run(command + ["probe"], check=True, stdout=subprocess.DEVNULL)
    process = subprocess.run(command + ["--json", "check", UUID, "--to", "all"], check=False,
                             capture_output=True, text=True)
    answer = json.loads(process.stdout)
    expect("it is asked about as running", answer["question"] == "migrate" and
           answer["guest"]["name"] == guest["name"])


def main():
    emulator = shutil.which("qemu-system-x86_64")
    if not emulator:
        print("SKIP: no qemu-system-x86_64 here (install qemu-system-x86)")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        qemu = subprocess.Popen(
            [emulator, "-S", "-nodefaults", "-display", "none", "-M", "q35", "-m", "64", "-uuid", UUID,
             "-name", "guest=alone-%d,debug-threads=on" % os.getpid(), "-cpu", "Nehalem,enforce,-vme",
             "-object", "secret,id=s0,data=" + SECRET, "-fw_cfg", "name=opt/x,string=" + SECRET,
             "-device", "virtio-rng-pci", "-monitor", "none", "-serial", "none"])
        try:
            for _ in range(100):
                found = of_uuid(guests_of(folder, "live.json"))
                if found or qemu.poll() is not None:
                    break
                time.sleep(0.1)
            expect("the guest is found by its process", len(found) == 1)
            guest = found[0]
            expect("it runs what it was told", guest["running"] and guest["os"]["machine"] == "q35" and
                   guest["cpu"]["model"] == "Nehalem" and guest["cpu"]["check"] == "full" and
                   {"name": "vme", "policy": "disable"} in guest["cpu"]["features"])
            expect("its QEMU is the process's", guest["qemu"]["path"] == os.path.realpath(emulator))
            recording = os.path.join(folder, "recording")
            guests_of(folder, "recorded.json", "--record", recording)
            expect("no secret left the process", holds_secret(folder) is None)
            judge(folder, guest)
        finally:
            qemu.kill()
            qemu.wait()
        nameless(folder, emulator)
        again = of_uuid(guests_of(folder, "replayed.json", "--replay", recording))
        expect("a replay tells the same", again == found)
        expect("it is gone with its process", not of_uuid(guests_of(folder, "after.json")))


if __name__ == "__main__":
    main()
