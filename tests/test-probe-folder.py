# SPDX-License-Identifier: LGPL-2.1-or-later
"""A folder of files copied by hand replays for what it holds; processors that differ are met."""

import os

from probe_fixture import check, done, facts, profile, scratch, sources, write

VULNERABILITIES = "sys/devices/system/cpu/vulnerabilities/"

# A processor with SSE3 and AVX2; the second block: one of the others lacks AVX2, has AVX-512F.
LEAF_1 = "00000001 00 000806f8 00000800 00000001 00000000\n"
CPUID = ("# leaf subleaf eax ebx ecx edx\n"
         "00000000 00 00000007 756e6547 6c65746e 49656e69\n" + LEAF_1 +
         "00000007 00 00000000 00000020 00000000 00000000\n")
OTHERS = "# processors\n# cpu 4\n00000007 00 00000000 00010000 00000000 00000000\n"


def empty(folder):
    _, document = profile("--replay", folder)
    check(document["host"]["name"] == os.path.basename(folder),
          "a nameless host has the folder's name")
    check(not document["facts"] and not document["emulators"], "facts out of an empty folder")
    for name, source in sources(document).items():
        check(source["state"] == ("partial" if name == "kernel" else "missing"),
              f"{name}: {source['state']} in an empty folder")


def some(folder):
    write(folder, "uname",
          "Linux r1n04 7.2.13 #1 SMP Sun Nov 22 08:23:42 UTC 2026 x86_64 GNU/Linux\n")
    write(folder, "proc/cmdline", "quiet intel_iommu=on\n")
    write(folder, "proc/cpuinfo",
          "processor\t: 0\nmicrocode\t: 0x2b\nflags\t\t: sse avx2 rep_good\n\n"
          "processor\t: 1\nmicrocode\t: 0x99\nflags\t\t: avx512f\n")
    write(folder, "sys/class/dmi/id/product_uuid", "4C4C4544-0000-1000-8000-ABCDEF012345\n")
    write(folder, VULNERABILITIES + "mds", "Not affected\n")
    write(folder, VULNERABILITIES + "l1tf", "Mitigation: PTE Inversion\n")
    write(folder, VULNERABILITIES + "retbleed", "Vulnerable\n")
    write(folder, VULNERABILITIES + "itlb_multihit", "KVM: Mitigation: Split huge pages\n")
    write(folder, VULNERABILITIES + "srbds", "Unknown: Dependent on hypervisor status\n")
    write(folder, VULNERABILITIES + "from_the_future", "Mitigation: Time\n")
    write(folder, "sys/module/kvm_intel/parameters/nested", "Y\n")
    _, document = profile("--replay", folder)
    kernel = facts(document, "kernel")
    check(document["host"]["name"] == "r1n04", "the name is that of uname")
    check(document["host"]["arch"] == "x86_64", "the arch is that of uname")
    check(document["host"]["uuid"] == "4c4c4544-0000-1000-8000-abcdef012345", "the firmware's UUID")
    check(document["host"]["uuid_from"] == "dmi", "where the UUID is from")
    check(document["fingerprint"]["kernel"] == "7.2.13", "the kernel's release")
    check(document["fingerprint"]["microcode"] == "0x2b", "the first processor's microcode")
    check(document["fingerprint"]["modules"] == {"kvm_intel.nested": "Y"}, "parameters of modules")
    check(kernel["cpu.avx2"]["value"] is True, "a flag of the kernel's")
    check("cpu.avx512f" not in kernel, "another processor's flags are the first one's")
    check(not [i for i in kernel if "rep_good" in i], "the kernel's own invention is a feature")
    expected = {"mds": 2, "l1tf": 1, "retbleed": 0, "itlb_multihit": 1}
    for name, value in expected.items():
        check(kernel["mitigation." + name]["value"] == value, f"{name} is not {value}")
    check("PTE Inversion" in kernel["mitigation.l1tf"]["origin"], "the kernel's text is kept")
    check(kernel["mitigation.srbds"]["state"] == "unknown", "what the kernel doesn't know is known")
    check(kernel["mitigation.from_the_future"]["value"] == "Mitigation: Time",
          "a vulnerability newer than the dictionary is dropped")
    check(not facts(document, "raw") and not facts(document, "kvm"), "facts nobody recorded")


def libvirts_names(folder):
    """The names that the installed libvirt knows are read of its files, x86's alone."""
    cpu_map = "usr/share/libvirt/cpu_map/"
    write(folder, "page-size", "65536\n")
    write(folder, cpu_map + "x86_features.xml",
          "<cpus><feature name='sse'><cpuid/></feature><feature name='movrs'/></cpus>")
    write(folder, cpu_map + "x86_Xeon-Next.xml",
          "<cpus><model name='Xeon-Next'><feature name='not-at-the-top'/></model></cpus>")
    write(folder, cpu_map + "arm_Next.xml", "<cpus><model name='Next'/></cpus>")
    write(folder, cpu_map + "x86_torn.xml", "<cpus><model name=")
    _, document = profile("--replay", folder)
    of_libvirt = facts(document, "libvirt")
    check(of_libvirt["libvirt.cpu-features"]["value"] == ["movrs", "sse"], "the features' names")
    check(of_libvirt["libvirt.cpu-models"]["value"] == ["Xeon-Next"], "the models' names")
    check(facts(document, "kernel")["host.page-size"]["value"] == 65536, "the size of pages")


def hybrid(folder):
    write(folder, "dev/cpu/0/cpuid", CPUID)
    _, alone = profile("--replay", folder, "--only", "cpuid")
    write(folder, "dev/cpu/others", OTHERS)
    _, met = profile("--replay", folder, "--only", "cpuid")
    check(sources(alone)["cpuid"]["state"] == "ok", "one kind of processor is partial")
    check(facts(alone, "raw")["cpu.avx2"]["value"] is True, "AVX2 of a processor that has it")
    check(sources(met)["cpuid"]["state"] == "partial", "processors that differ are not told")
    check("processors differ: 4" in sources(met)["cpuid"]["reason"], "which one differs")
    raw = facts(met, "raw")
    check(raw["cpu.avx2"]["value"] is False, "a feature that one processor lacks is offered")
    check(raw["cpu.avx512f"]["value"] is False, "a feature that only one processor has is offered")
    check(raw["cpu.pni"]["value"] is True, "a register that doesn't differ is changed")
    check(raw["cpu.vendor"]["value"] == "Intel", "the vendor")


with scratch() as base:
    for test in (empty, some, libvirts_names, hybrid):
        place = os.path.join(base, "host-" + test.__name__)
        os.mkdir(place)
        test(place)
done()
