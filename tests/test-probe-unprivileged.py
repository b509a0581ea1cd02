# SPDX-License-Identifier: LGPL-2.1-or-later
"""As an ordinary user the probe ends well, and says of what it can't read why and what helps."""

import os
import shutil

from probe_fixture import (PROBE, VALGRIND, check, done, facts, profile, scratch, skip, sources,
                           timeless)

NOBODY = 65534

if os.geteuid() != 0:
    skip("only root can become another user")
if VALGRIND:
    skip("the wrapper that runs valgrind can't be run as another user")

with scratch() as folder:
    # Where the tree is built other users may have no way to.
    os.chmod(folder, 0o755)
    program = os.path.join(folder, PROBE)
    shutil.copy(shutil.which(PROBE), program)
    os.chmod(program, 0o755)
    own = os.path.join(folder, "own")
    os.mkdir(own)
    os.chown(own, NOBODY, NOBODY)
    recording = os.path.join(own, "recording")

    def as_nobody(*arguments):
        return profile(*arguments, program=program, user=NOBODY, group=NOBODY, extra_groups=[],
                       cwd="/")

    _, rooted = profile("--only", "kernel,cpuid,msr,kvm,mitigations")
    text, document = as_nobody("--record", recording, "--timeout", "6")
    kvm, msr = sources(document)["kvm"], sources(document)["msr"]
    check(sources(document)["cpuid"]["state"] == sources(rooted)["cpuid"]["state"],
          "CPUID needs no privilege")
    check(document["host"]["name"] == rooted["host"]["name"], "the host has another name for users")
    if os.path.exists("/dev/kvm") and not os.stat("/dev/kvm").st_mode & 0o006:
        check(kvm["state"] == "unreadable", f"/dev/kvm: {kvm['state']}")
        check("Permission denied" in kvm["reason"] and "(" in kvm["reason"],
              "errno and remedy of KVM")
        check(facts(document, "kvm")["kvm.max-vcpus"]["errno"] == 13, "the fact's errno")
    check(msr["state"] in ("unreadable", "missing") and "(" in msr["reason"], "remedy of MSRs")
    check(all(f["state"] != "known" for f in facts(document, "raw").values()
              if f["id"].startswith("msr.")), "an MSR is known without being read")
    pci = sources(document)["pci"]
    if document["devices"]:
        check(pci["state"] == "partial" and "run as root" in pci["reason"], f"PCI: {pci}")
    replayed, _ = as_nobody("--replay", recording)
    check(timeless(text) == timeless(replayed), "the replay differs")
done()
