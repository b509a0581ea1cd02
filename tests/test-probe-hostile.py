# SPDX-License-Identifier: LGPL-2.1-or-later
"""Recordings that are broken or mean harm end well, and nothing outside them is read."""

import json
import os
import shutil

from probe_fixture import check, done, facts, profile, refused, scratch, sources, write

SECRET = "not-for-the-profile"


def host(base, name):
    """A recording with the least in it."""
    folder = os.path.join(base, name)
    write(folder, "uname", "Linux r1n04 7.2.13 #1 SMP 2026 x86_64\n")
    write(folder, "proc/cmdline", "quiet\n")
    return folder


def escapes(base):
    outside = write(base, "outside/cmdline", SECRET)
    write(base, "outside/mds", "Vulnerable: " + SECRET)
    folder = host(base, "escapes")
    os.remove(os.path.join(folder, "proc/cmdline"))
    os.symlink(outside, os.path.join(folder, "proc/cmdline"))
    os.makedirs(os.path.join(folder, "sys/devices/system/cpu"))
    os.symlink(os.path.dirname(outside),
               os.path.join(folder, "sys/devices/system/cpu/vulnerabilities"))
    text, document = profile("--replay", folder)
    check(SECRET not in text, "a symbolic link leads out of the recording")
    cmdline = facts(document, "kernel")["host.cmdline"]
    check(cmdline["state"] == "unreadable" and cmdline["errno"], "a refused link is not told")
    # --record follows no link that somebody put into its way either
    target = os.path.join(base, "target")
    os.mkdir(target)
    os.symlink(target, os.path.join(base, "way"))
    os.mkdir(os.path.join(base, "taken"))
    os.symlink(target, os.path.join(base, "taken", "proc"))
    check("not empty" in refused("--record", os.path.join(base, "taken")), "records over a link")
    check(not os.listdir(target), "a recording left its folder")


def odd_files(base):
    folder = host(base, "odd")
    os.remove(os.path.join(folder, "proc/cmdline"))
    os.mkfifo(os.path.join(folder, "proc/cmdline"))
    with open(write(folder, "proc/cpuinfo", "flags : avx2\n"), "r+b") as file:
        file.truncate(17 << 20)
    os.makedirs(os.path.join(folder, "sys/class/dmi/id/product_uuid"))
    write(folder, "sys/devices/system/cpu/vulnerabilities/mds", b"Vulnerable: \xff\xfe\n")
    _, document = profile("--replay", folder)
    kernel = facts(document, "kernel")
    check(kernel["host.cmdline"]["state"] == "unreadable", "a FIFO is a file")
    check("cpu.avx2" not in kernel, "a file of 17 MiB is read")
    check(kernel["mitigation.mds"]["value"] == 0, "text that is not UTF-8 is lost")


def broken_answers(base):
    folder = host(base, "answers")
    contents = ['{"open":', "[]", '{"open": {}, "calls": 5}', '{"open": {}, "calls": {}}',
                "[" * 100000, '{"open": {}, "calls": {"KVM_GET_API_VERSION": {"rc": "x"}}}',
                '{"open": {"errno": "no"}, "calls": {"KVM_GET_API_VERSION": {"rc": 12}, '
                '"KVM_GET_SUPPORTED_CPUID 128": {"rc": 0, "data": "ffff"}}}']
    for content in contents:
        write(folder, "ioctl/kvm.json", content)
        write(folder, "ioctl/msr.json", content)
        write(folder, "libvirt/info.json", content)
        write(folder, "libvirt/guests.json", content)
        write(folder, "libvirt/capabilities.xml", content)
        write(folder, "dev/cpu/0/cpuid", content)
        _, document = profile("--replay", folder)
        for name in ("kvm", "libvirt", "guests", "cpuid"):
            check(sources(document)[name]["state"] != "ok", f"{name} is ok with {content[:60]!r}")
            check(sources(document)[name]["reason"], f"{name}: no reason")
        check(facts(document, "kernel")["host.cmdline"]["value"] == "quiet",
              f"the rest is lost with {content[:60]!r}")


def broken_meta(base):
    for content in ("{", "5\n", '{"errno": 13}\n', '{"path": 3}\n', "\0\n", "[" * 100000 + "\n"):
        folder = host(base, "meta")
        write(folder, "meta.jsonl", '{"errno": 13, "path": "/proc/cmdline"}\n' + content)
        line = refused("--replay", folder)
        check("meta.jsonl" in line and ("line 2" in line or "NUL" in line), f"which line: {line}")
        shutil.rmtree(folder)
    folder = host(base, "good-meta")
    write(folder, "meta.jsonl", '{"errno": 13, "path": "/proc/cmdline"}\n')
    _, document = profile("--replay", folder)
    check(facts(document, "kernel")["host.cmdline"]["errno"] == 13, "a recorded errno is not told")


def broken_recording(base):
    folder = host(base, "recording")
    for content in ("{", "[]", '{"emulators": [1, "x", "/nowhere"], "outcomes": {"kvm": 3}}',
                    '{"outcomes": {"kvm": {"state": "timed-out"}}, "only": 4}'):
        write(folder, "recording.json", content)
        _, document = profile("--replay", folder)
        check(sources(document)["kvm"]["state"] == "missing", f"{content!r} changes the outcome")
    write(folder, "recording.json", json.dumps({"remote": True}))
    refused("--replay", folder)


def broken_qmp(base):
    folder = host(base, "qmp")
    meta = {"path": "stat:/usr/bin/qemu-system-x86_64", "size": 1, "inode": 2, "device": 3,
            "mtime": 4, "executable": True, "socket": False}
    write(folder, "meta.jsonl", json.dumps(meta) + "\n")
    name = "qmp/usr-bin-qemu-system-x86_64/tcg-none.json"
    for content in ("{", "[]", '{"outcome": "ok"}', '{"outcome": "ok", "replies": {"machines": 5}}',
                    '{"outcome": "ok", "replies": {"machines": {"return": [{"name": 5}, 7]}, '
                    '"definitions": {"return": {}}, "expansion": {"return": []}}}',
                    '{"outcome": "fine", "replies": {}}'):
        write(folder, name, content)
        _, document = profile("--replay", folder)
        check("qemu:/usr/bin/qemu-system-x86_64" in sources(document), "the emulator is forgotten")
        check(not any(e["facts"] for e in document["emulators"]), f"facts out of {content!r}")


with scratch() as place:
    for test in (escapes, odd_files, broken_answers, broken_meta, broken_recording, broken_qmp):
        test(place)
done()
