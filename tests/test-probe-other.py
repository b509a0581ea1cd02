# SPDX-License-Identifier: LGPL-2.1-or-later
"""What kernels of other architectures than x86 show replays: /proc/cpuinfo in their own forms,
identification registers, and KVM's answers in the recordings of tests/recordings."""

import os

from probe_fixture import TOP, check, done, facts, profile, scratch, sources, write

REGISTERS = "sys/devices/system/cpu/cpu0/regs/identification/"
POWER = ("processor\t: 0\ncpu\t\t: POWER8E (raw), altivec supported\nclock\t\t: 3690.000000MHz\n"
         "revision\t: 2.1 (pvr 004b 0201)\n\n"
         "processor\t: 8\ncpu\t\t: other\nrevision\t: 2.0 (pvr 004e 1200)\n\nmachine\t\t: PowerNV\n")
ARM = ("processor\t: 0\nBogoMIPS\t: 50.00\nFeatures\t: fp asimd aes sve not-yet-known\n"
       "CPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x3\nCPU part\t: 0xd0c\n"
       "CPU revision\t: 1\n\nprocessor\t: 1\nFeatures\t: fp sve2\n")
Z = ("vendor_id       : IBM/S390\n# processors    : 2\nbogomips per cpu: 3033.00\nmax thread id   : 0\n"
     "features\t: esan3 zarch stfle msa ldisp eimm dfp edat etf3eh highgprs te vx vxd vxe sie \n"
     "cache0          : level=1 type=Data scope=Private size=128K line_size=256\n\n"
     "processor 0: version = 00,  identification = 0133E8,  machine = 2964\n")


def replay(base, arch, cpuinfo, more=()):
    folder = os.path.join(base, f"{arch}-{len(os.listdir(base))}")
    os.mkdir(folder)
    write(folder, "uname", f"Linux h 6.12.9 #1 SMP {arch}\n")
    write(folder, "proc/cpuinfo", cpuinfo)
    for path, text in more:
        write(folder, path, text)
    _, document = profile("--replay", folder)
    check(document["host"]["arch"] == arch, f"{arch}: the arch is that of uname")
    check(sources(document)["kernel"]["state"] == "ok", f"{arch}: the kernel was read")
    return facts(document, "kernel")


def value(known, name):
    return known.get(name, {}).get("value")


def power(base):
    known = replay(base, "ppc64le", POWER)
    check(value(known, "ppc64.pvr") == "0x004b0201", "the first processor's version register")
    check(value(known, "ppc64.model") == "POWER8", "the generation by the register")
    check(value(known, "ppc64.compat") == 3, "the newest mode")
    check(value(known, "cpu.vendor") == "IBM", "the maker")
    check(value(known, "host.cpu-model-name") == "POWER8E (raw), altivec supported", "its name")
    known = replay(base, "ppc64", "revision\t: 1.0 (pvr 1234 5678)\n")
    check(value(known, "ppc64.pvr") == "0x12345678", "a register that nobody knows")
    check("ppc64.model" not in known and "ppc64.compat" not in known, "a generation out of thin air")
    for torn in ("", "revision\n", "revision\t: 1.0 (pvr \n", "revision\t: (pvr zz zz)\n"):
        check("ppc64.pvr" not in replay(base, "ppc64le", torn), f"a register read off {torn!r}")


def arm(base):
    known = replay(base, "aarch64", ARM)
    check(all(value(known, f"arm64.{name}") is True for name in ("fp", "asimd", "aes", "sve")),
          "what the first processor can")
    check("arm64.sve2" not in known, "another processor's HWCAPs are the first one's")
    check(not [name for name in known if "not-yet" in name], "a name that the dictionary doesn't know")
    check(value(known, "arm64.midr") == "0x413fd0c1", "the register by the lines that name its parts")
    check(value(known, "arm64.model") == "Neoverse-N1", "the model by the register")
    known = replay(base, "aarch64", ARM, ((REGISTERS + "midr_el1", "0x00000000411fd401\n"),
                                          (REGISTERS + "revidr_el1", "0x0000000000000010\n")))
    check(value(known, "arm64.midr") == "0x411fd401", "the register that the kernel shows counts")
    check(value(known, "arm64.revidr") == "0x10", "the revision's register")
    check(value(known, "arm64.model") == "Neoverse-V1", "the model by the register that it shows")
    known = replay(base, "aarch64", "Features\t: fp\n", ((REGISTERS + "midr_el1", "what?\n"),))
    check("arm64.midr" not in known, "a register of no number")


def ibm_z(base):
    known = replay(base, "s390x", Z)
    check(all(value(known, f"s390x.{name}") is True for name in
              ("esan3", "zarch", "te", "vx", "vxpd", "vxeh")), "features by the kernel's names")
    check("s390x.msa" not in known, "a facility alone stands for QEMU's group of functions")
    check("s390x.vxeh2" not in known, "a feature that nobody named")


def others(base):
    known = replay(base, "loongarch64", "Features\t\t: cpucfg lam ual fpu lsx lasx\n")
    check(not [name for name in known if not name.startswith("host.")],
          "features of an architecture that the dictionary doesn't know")


def recorded():
    for name, view, expected in (
            ("arm64-max-tcg-linux7.2", "kvm",
             {"kvm.arm-vm-ipa-size": 52, "kvm.arm-sve": True, "kvm.arm-mte": True}),
            ("neoverse-n1-tcg-linux7.2", "kvm", {"kvm.arm-vm-ipa-size": 48, "kvm.arm-sve": False}),
            ("neoverse-n1-tcg-linux7.2", "kernel", {"arm64.model": "Neoverse-N1"}),
            ("power10-tcg-linux7.2", "kernel", {"ppc64.model": "POWER10", "ppc64.compat": 5}),
            ("power10-tcg-linux7.2", "kvm",
             {"kvm.ppc-mmu-radix": True, "pseries.cap-nested-hv": True, "pseries.cap-htm": False}),
            ("power9-pseries-tcg-linux7.2", "kvm",
             {"pseries.cap-cfpc": 2, "pseries.cap-sbbc": 2, "pseries.cap-ibs": 1,
              "pseries.cap-ccf-assist": True})):
        _, document = profile("--replay", os.path.join(TOP, "tests", "recordings", name))
        known = facts(document, view)
        for fact, expect in expected.items():
            check(value(known, fact) == expect, f"{name}: {fact} is {value(known, fact)}")


with scratch() as folder:
    for test in (power, arm, ibm_z, others):
        place = os.path.join(folder, test.__name__)
        os.mkdir(place)
        test(place)
recorded()
done()
