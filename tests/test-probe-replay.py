# SPDX-License-Identifier: LGPL-2.1-or-later
"""A recording of this host replays to the same profile, byte for byte but for times."""

import json
import os
import re
import shutil

from probe_fixture import (STATES, check, done, facts, probe, profile, scratch, seconds, sources,
                           timeless, write)


def looks_whole(document):
    check(document["format"] == "capbroker.profile/1", "the format")
    check(document["host"]["name"], "the host has a name")
    uuid = document["host"].get("uuid", "")
    check(not uuid or re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", uuid),
          f"the UUID {uuid}")
    if document["host"].get("uuid_from") == "machine-id":
        check(uuid[14] == "8" and uuid[19] in "89ab", f"{uuid} is no UUID of version 8")
    check(document["probe"]["version"] and document["probe"]["dictionary"], "versions are told")
    named = [s["name"] for s in document["probe"]["sources"]]
    check(len(named) == len(set(named)), f"a source is told twice: {named}")
    for name in ("kernel", "cpuid", "msr", "kvm", "mitigations", "guests", "libvirt"):
        check(name in named, f"no source {name}")
    check(any(n.startswith("qemu") for n in named), "no source qemu")
    for source in document["probe"]["sources"]:
        check(source["state"] in STATES, f"{source['name']}: state {source['state']}")
        check((source["state"] == "ok") != ("reason" in source and bool(source["reason"])),
              f"{source['name']}: {source['state']} with reason {source.get('reason')!r}")
    for fact in document["facts"]:
        check(fact["origin"], f"{fact['id']}: no origin")


with scratch() as folder:
    recording = os.path.join(folder, "recording")
    guests = [os.path.join(folder, name) for name in ("guests-live", "guests-replayed")]
    # Little time on purpose: what QEMU doesn't get done is part of the recording too.
    live, document = profile("--record", recording, "--guests", guests[0], "--timeout",
                             seconds(8))
    replayed, _ = profile("--replay", recording, "--guests", guests[1])
    looks_whole(document)
    check(timeless(live) == timeless(replayed), "the replay differs from what was recorded")
    check(open(guests[0], encoding="utf-8").read() == open(guests[1], encoding="utf-8").read(),
          "the replay's guests differ from those recorded")
    for path in ("proc/cpuinfo", "proc/cmdline", "uname", "recording.json", "dev/cpu/0/cpuid"):
        if path != "dev/cpu/0/cpuid" or sources(document)["cpuid"]["state"] == "ok":
            check(os.path.isfile(os.path.join(recording, path)), f"no {path} in the recording")
    check(not os.path.exists(os.path.join(recording, "etc/machine-id")),
          "the machine id is in the recording")

    # What is taken out is missed, and only that.
    shutil.rmtree(os.path.join(recording, "ioctl"))
    shutil.rmtree(os.path.join(recording, "qmp"), ignore_errors=True)
    _, poorer = profile("--replay", recording)
    check(sources(poorer)["kvm"]["state"] == "missing", "KVM is known without its recording")
    check(not facts(poorer, "kvm"), "facts of KVM without its recording")
    check(facts(poorer, "raw").keys() >= {i for i, f in facts(document, "raw").items()
                                          if f["origin"] == "cpuid"},
          "facts of CPUID are gone although their recording is there")
    check(not any("facts" in e and e["facts"] for e in poorer["emulators"]
                  if e.get("view", "qemu") == "qemu"), "facts of QEMU without its recording")

    # Only some probes: the recording knows which.
    small = os.path.join(folder, "small")
    live, document = profile("--record", small, "--only", "cpuid")
    replayed, _ = profile("--replay", small)
    check(timeless(live) == timeless(replayed), "a replay of --only differs")
    check(set(sources(document)) == {"kernel", "cpuid"},
          f"--only cpuid ran {list(sources(document))}")

    # One that was cut short when it was recorded is so in the replay.
    with open(os.path.join(small, "recording.json"), encoding="utf-8") as file:
        told = json.load(file)
    told["outcomes"] = {"cpuid": {"state": "timed-out", "reason": "no end", "fragments": 0}}
    write(small, "recording.json", json.dumps(told))
    _, document = profile("--replay", small)
    check(sources(document)["cpuid"]["state"] == "timed-out", "the replay knows how it ended")
    check(not facts(document, "raw"), "the replay has what never came")

    status, _, errors = probe("--record", small)
    check(status == 2 and "not empty" in errors, "a folder is recorded into twice")
done()
