# SPDX-License-Identifier: LGPL-2.1-or-later
"""The recorded hosts of tests/hosts: what each is made of (make-hosts.py does it) and its README.

Every step names recorded facts; none is invented.  Where a host is put together from several
sources, its README says which facts are whose.
"""

import textwrap

RECIPES = {}

DEBIAN = {"a": "Debian 12 (QEMU 7.2.22, libvirt 9.0.0)",
          "b": "Debian 13 (QEMU 10.0.13, libvirt 11.3.0)"}
ONE_MACHINE = "the processor's registers as libvirt's tests record them (CPUID, MSRs where named)"
OLD_QEMU = ("what QEMU made of the processor there under KVM: the reply to "
            "query-cpu-model-expansion that libvirt's tests record, of an older QEMU whose version "
            "they don't say")
CPUID = "CPUID as read on such a machine and published by InstLatx64"
RAW_ONLY = CPUID + ("; nothing of kernel, KVM, QEMU or libvirt, so what a guest would get there is "
                    "unknown")
RAW_MSRS = [RAW_ONLY, "feature MSRs of the same machine, from the same place "
            "(../recordings/msrs.tsv)"]


def host(name, title, steps, facts, shows):
    paragraphs = ["SPDX-License-Identifier: LGPL-2.1-or-later", f"{name}: {title}",
                  *(f"- {fact}" for fact in facts), f"Shows: {shows}"]
    text = "\n".join(textwrap.fill(p, 78, subsequent_indent="  " if p.startswith("- ") else "",
                                   break_on_hyphens=False) for p in paragraphs)
    RECIPES[name] = {"steps": steps, "readme": text.replace("\n- ", "\n\nFacts:\n- ", 1)
                     .replace("\nShows:", "\n\nShows:") + "\n"}


def real(name, title, recorded, lab, shows, models=True, lscpu=None, msrs=None):
    """A real machine of libvirt's tests, with a lab host's machine types."""
    steps = [("qemu_of", lab), ("machine", recorded, msrs) if msrs else ("machine", recorded)]
    facts = [ONE_MACHINE,
             OLD_QEMU + ("; and to query-cpu-definitions" if models else ""),
             f"machine types and versions: {DEBIAN[lab]}, asked on another machine"]
    if msrs:
        facts.append(MSRS)
    if lscpu:
        steps.append(("lscpu", lscpu))
        facts.append("flags and mitigations: lscpu of another machine with this processor, "
                     "published by linuxhw/LsCPU")
    host(name, title, steps, facts, shows)


# --- production ---------------------------------------------------------------------------------

real("broadwell-e5-2650v4", "Xeon E5-2650 v4 (Broadwell-EP), microcode of before 2018",
     "Xeon-E5-2650-v4", "a",
     "TSX without spec-ctrl: what one class with old microcode costs a baseline; cpu-missing for "
     "every -IBRS model.")
real("broadwell-e5-2623v4", "Xeon E5-2623 v4 (Broadwell-EP), microcode of early 2018",
     "Xeon-E5-2623-v4", "a", "spec-ctrl without ssbd and md-clear; -IBRS models run.")
real("cascadelake-8268", "Xeon Platinum 8268 (Cascade Lake)", "Xeon-Platinum-8268", "b",
     "AVX-512 with VNNI and TSX; ARCH_CAPABILITIES read but not given to guests by that QEMU; "
     "machine types up to 10.0, deprecated ones among them (machine-deprecated).")
real("cooperlake", "Xeon, Cooper Lake", "Cooperlake", "b",
     "AVX-512 BF16, ARCH_CAPABILITIES given to guests (immunities and taa-no), nested VMX "
     "features; the richest Intel host of the fleet.")
real("naples-7601", "EPYC 7601 (Naples), IBPB microcode", "EPYC-7601-32-Core-ibpb", "a",
     "one feature (rdtscp) that its kernel withheld makes the model EPYC unusable, and the "
     "baseline of a group fall back to a much smaller one.")
real("rome-7502", "EPYC 7502 (Rome)", "EPYC-7502-32-Core", "b",
     "EPYC-Rome usable; AMD's speculation controls; more than 255 vCPUs.")
host("genoa-qemu9.2", "an EPYC of the Genoa generation under QEMU 9.2",
     [("domcapabilities", "libvirt-domaincaps", "qemu_9.2.0-q35.x86_64+amdsev.xml"),
      ("domcapabilities", "libvirt-domaincaps", "qemu_9.2.0.x86_64+amdsev.xml"),
      ("qemucaps", "9.2.0_x86_64+amdsev")],
     ["all of one host: what libvirt's tests record of QEMU 9.2.0 there (machine types, CPU "
      "models with what each lacks, the host's CPU with and without what can't migrate), and the "
      "domain capabilities libvirt makes of it",
      "no registers, kernel or libvirt version"],
     "migratable and other features told apart; unknown numbers (phys-bits, TSC frequency) where "
     "nobody read them; AVX-512 on AMD.")

# --- edge and old -------------------------------------------------------------------------------

real("skylake-e3-1225v5", "Xeon E3-1225 v5 (Skylake), microcode of 2019", "Xeon-E3-1225-v5", "a",
     "hle and rtm with md-clear and ssbd: the only edge host a guest with lock elision can go to; "
     "tsx-force-abort.")
real("skylake-e3-1245v5", "Xeon E3-1245 v5 (Skylake), microcode of before 2018",
     "Xeon-E3-1245-v5", "a",
     "the same generation without spec-ctrl: equal machines that differ by microcode alone.")
real("snowridge-p5362", "Atom P5362 (Snow Ridge)", "Atom-P5362", "b",
     "no AVX at all, yet newer than most (gfni, cldemote, movdiri); CORE_CAPABILITIES.")
real("sandybridge-e5-2650", "Xeon E5-2650 (Sandy Bridge-EP)", "Xeon-E5-2650", "a",
     "AVX without AVX2; mitigations of a kernel of 2020.",
     lscpu="Intel__Xeon__Xeon_E5-2650_0__6-45-7__0E54CE0AF8")
real("haswell-e5-2650v3", "Xeon E5-2650 v3 (Haswell-EP), TSX disabled by microcode",
     "Xeon-E5-2650-v3", "a",
     "a Haswell that must be called Haswell-noTSX; no list of usable models was recorded, so "
     "naming a model for its group says so.", models=False,
     lscpu="Intel__Xeon__Xeon_E5-2650_v3__6-63-2__DC30F3885A")
real("nehalem-e7540", "Xeon E7540 (Nehalem-EX)", "Xeon-E7540", "a",
     "no AES, no AVX, but spec-ctrl and ssbd by late microcode.")
real("westmere-e7-4830", "Xeon E7-4830 (Westmere-EX)", "Xeon-E7-4830", "a",
     "AES and PCLMULQDQ without AVX.")
real("opteron-2350", "Opteron 2350 (Barcelona)", "Opteron-2350", "a",
     "AMD's oldest: sse4a, misalignsse, 3dnowext; no list of usable models.", models=False)

# --- IOMMUs --------------------------------------------------------------------------------------

ADAPTERS = ("two network adapters, 82574L, each a group of its own and given to vfio-pci, and a kernel "
            "that remaps interrupts, as our lab has them; nobody asked their driver by --claim")
SAPPHIRE = ("CAP and ECAP as kernel logs of Sapphire Rapids servers show them; the processor's registers "
            "are of another machine")


def with_iommu(name, title, recorded, unit, facts, shows):
    host(name, title, [("qemu_of", "b"), ("machine", recorded), unit],
         [ONE_MACHINE, f"machine types and versions: {DEBIAN['b']}, asked on another machine", facts,
          ADAPTERS], shows)


with_iommu("viommu-client", "Core i5-4670T (Haswell) with a VT-d unit of 39 bits", "Core-i5-4670T",
           ("vtd", "d2008020660462", "f010da", "intel_iommu=on"),
           "CAP and ECAP as kernel logs of Haswell desktops show them",
           "a guest's Intel IOMMU of 48 bits, the default from pc-q35-9.2 on, can't stand before "
           "its devices; with 39 bits it can.")
with_iommu("viommu-server", "a server with a VT-d unit of 48 bits", "Cooperlake",
           ("vtd", "9ed008c40780466", "3ee9e86f050df", "intel_iommu=on,sm_off"), SAPPHIRE,
           "what most kernels make of such a unit: 48 bits, no scalable mode, so no nesting.")
with_iommu("viommu-nesting", "the same in scalable mode", "Cooperlake",
           ("vtd", "9ed008c40780466", "3ee9e86f050df", "intel_iommu=on,sm_on"), SAPPHIRE,
           "a unit that nests, and whose kernel maps by the first stage: 47 bits.")
with_iommu("viommu-epyc", "EPYC 7502 (Rome) with its AMD IOMMU", "EPYC-7502-32-Core",
           ("amdvi", "58f77ef22294ade", "0"),
           "EFR as kernel logs of that generation show it; the kernel keeps HyperTransport's addresses "
           "below 1 TiB",
           "a hole below 1 TiB that QEMU's comparison of widths doesn't see.")

# --- the lab ------------------------------------------------------------------------------------

LAB = ["everything is of one host: virsh capabilities, domain capabilities of q35, and QEMU's "
       "replies under KVM and TCG for several machine types; types that give exactly the same "
       "stand once (same_as)",
       "what migrations can be asked for: QEMU's replies in ../recordings, of the same packages",
       "a nested KVM, which gives guests very little (no model past pentium3 is usable)"]
host("lab-debian12", "Debian 12: libvirt 9.0.0, QEMU 7.2.22",
     [("lab_host", "a"), ("replies_of", "qemu-7.2.22")], LAB,
     "both accelerators; names that newer libvirt knows and this one doesn't; TCG's avx512 "
     "state that newer QEMU dropped; pcommit.")
host("lab-debian13", "Debian 13: libvirt 11.3.0, QEMU 10.0.13",
     [("lab_host", "b"), ("replies_of", "qemu-10.0.13")], LAB,
     "usable models with their blockers under both accelerators; deprecated machine types.")
host("lab-sid", "Debian sid: libvirt 12.8.0, QEMU 11.1.3",
     [("lab_host", "d"), ("replies_of", "qemu-11.1.3")], LAB,
     "machine types that are gone (below 5.2), so guests of 12 and 13 that can't come here.")

# --- incoming: known by less than QEMU's answer -------------------------------------------------

host("icelake-6336y", "Xeon Gold 6336Y (Ice Lake-SP)", [("cpuid", "GenuineIntel00606A6_ICX_04")],
     [RAW_ONLY], "cpu-facts-known and emulator-present say unknown, with what to do.")
host("emeraldrapids-8570", "Xeon Platinum 8570 (Emerald Rapids)",
     [("cpuid", "GenuineIntel00C06F2_EmeraldRapids_03")], RAW_MSRS,
     "AMX with its XSAVE components, CET, user interrupts, ENQCMD, architectural LBR.")
host("graniterapids-domcaps", "a Granite Rapids host with TDX under QEMU 10.1",
     [("domcapabilities", "capabilities-other", "kubevirt-domcapabilities_tdx.xml")],
     ["one answer of virsh domcapabilities, as KubeVirt's tests record it"],
     "libvirt's view alone: the CPU is judged, the machine type is unknown (machine-present).")
host("milan-qemu6.2", "an EPYC of the Milan generation under QEMU 6.2",
     [("domcapabilities", "capabilities-other", "virtmanager-kvm-x86_64-domcaps-amd-sev.xml"),
      ("qemucaps", "6.2.0_x86_64", False)],
     ["domain capabilities: a host with SEV, as virt-manager's tests record it",
      "version and machine types: QEMU 6.2.0, as libvirt's tests record it"],
     "libvirt's view with a list of machine types; machine types newer than its QEMU are blocked.")
host("rome-7742", "EPYC 7742 (Rome)",
     [("cpuid", "AuthenticAMD0830F10_K17_Rome"),
      ("lscpu", "AMD__EPYC__EPYC_7742_64-Core__23-49-0__D140FF934B")],
     [CPUID, "flags and mitigations: lscpu of another machine with this processor, published "
      "by linuxhw/LsCPU", "nothing of KVM, QEMU or libvirt"],
     "the hardware's and the kernel's views, which are never judged for QEMU's.")
host("turin-9965", "EPYC 9965 (Turin Dense)", [("cpuid", "AuthenticAMD0B10F10_K20_TurinD_03")],
     [RAW_ONLY], "AMD's newest: SEV-SNP, LBR v2, srso-user-kernel-no; bits the dictionary has no "
     "name for, which are kept and counted.")

# --- not in the demo fleet: what no other host has ----------------------------------------------

host("wildcatlake-client", "a Wildcat Lake client processor",
     [("cpuid", "GenuineIntel00D0651_WildcatLake_02")], RAW_MSRS,
     "AVX-IFMA, AVX-VNNI-INT8/16, SHA512, SM3, SM4, LAM, LASS, FRED, hybrid; the newest VMX "
     "controls: CET, FRED, PKRS, secondary exit controls.")
host("graniterapids-658x", "Xeon 658X (Granite Rapids-W)",
     [("cpuid", "GenuineIntel00A06D1_GraniteRapids_03")], RAW_MSRS,
     "AVX10 and its vector widths.")
host("icelake-client-sgx", "an Ice Lake client processor with SGX",
     [("cpuid", "GenuineIntel00706E5_IceLakeY")], [RAW_ONLY],
     "SGX and its attributes, HDC state.")
host("knightslanding", "Xeon Phi (Knights Landing)",
     [("cpuid", "GenuineIntel0050671_KnightsLanding")], [RAW_ONLY],
     "avx512er, avx512pf, prefetchwt1.")
host("steamroller-baldeagle", "an embedded AMD of the Steamroller generation",
     [("cpuid", "AuthenticAMD0630F01_K15_BaldEagle")], [RAW_ONLY],
     "fma4, xop, tbm, lwp with its state, nodeid_msr, ptsc.")
host("via-esther", "VIA C7 (Esther)", [("cpuid", "CentaurHauls00006A9_C5J_Esther")], [RAW_ONLY],
     "a third vendor (Centaur) with PadLock: xstore, xcrypt, ace2, phe, pmm.")

# --- other architectures -------------------------------------------------------------------------

EMULATED = ("all by what a guest of QEMU 11.1.3 that emulates the machine says of itself, and its "
            "KVM; what was left out is said in ../recordings/README")
host("arm64-max-kvm7.2", "an emulated Arm processor with all that QEMU 11.1 knows, Linux 7.2",
     [("recording", "arm64-max-tcg-linux7.2")], [EMULATED],
     "HWCAPs up to those of 2026; KVM with memory tagging, SVE, pointer authentication.")
host("neoverse-n1-kvm7.2", "an emulated Neoverse N1 with Linux 7.2",
     [("recording", "neoverse-n1-tcg-linux7.2")], [EMULATED],
     "a model known by its MIDR; what a server of 2020 lacks of the newest.")
host("arm64-qemu8.2", "an Arm host of QEMU 8.2.0",
     [("of_arch", "aarch64"), ("cache", "8.2.0_aarch64")],
     ["libvirt's cache of QEMU's capabilities, as its tests record it"],
     "vector lengths that QEMU switches, interrupt controllers.")
host("power10-kvm7.2", "an emulated POWER10 without a hypervisor below, Linux 7.2",
     [("recording", "power10-tcg-linux7.2")], [EMULATED],
     "KVM-HV with hashed and radix page tables and nested guests.")
host("power9-pseries-kvm7.2", "an emulated POWER9 partition with Linux 7.2",
     [("recording", "power9-pseries-tcg-linux7.2")], [EMULATED],
     "KVM-HV in a guest; what firmware says of weaknesses (cfpc, sbbc, ibs, ccf-assist).")
host("z16-qemu10.0", "an IBM z16 under QEMU 10.0.0",
     [("of_arch", "s390x"), ("cache", "10.0.0_s390x")],
     ["libvirt's cache of QEMU's capabilities, as its tests record it"],
     "a base model and what comes to it, expanded by our table of models.")
host("z17-qemu11.0", "an IBM z17 under QEMU 11.0.0",
     [("of_arch", "s390x"), ("replies_of", "z17-qemu11.0")],
     ["what QEMU makes of the host's processor, as libvirt's tests record it "
      "(../recordings/z17-qemu11.0)"],
     "what came with z17: msa10 to msa13, vxeh3, vxpdeh3.")

DOMAIN = "the domain capabilities that libvirt's tests expect of it"
MANAGER = "virsh capabilities and domcapabilities of one machine, as virt-manager's tests record them"
CPUINFO = "/proc/cpuinfo as libvirt's tests record it; nothing of KVM, QEMU or libvirt"
host("power9-qemu7.1", "a POWER9 under QEMU 7.1.0",
     [("of_arch", "ppc64"), ("cache", "7.1.0_ppc64")],
     ["libvirt's cache of QEMU's capabilities, as its tests record it"],
     "the generation as QEMU tells it: the model whose type is the host's.")
PATCHED = "what KVM says of firmware is that of an emulated POWER9 partition with Linux 7.2"
QEMU_7_1 = "libvirt's cache of QEMU's capabilities, as its tests record it of another POWER9"
host("power9-patched", "a POWER9 under QEMU 7.1.0 whose firmware tells of weaknesses",
     [("recording", "power9-pseries-tcg-linux7.2"), ("of_arch", "ppc64"), ("cache", "7.1.0_ppc64")],
     [PATCHED, QEMU_7_1],
     "what a pseries machine promises by default can be kept (capbroker-power(7)).")
host("power9-unpatched", "the same with firmware of before 2018, which doesn't",
     [("unpatched", "power9-pseries-tcg-linux7.2"), ("of_arch", "ppc64"), ("cache", "7.1.0_ppc64")],
     [PATCHED + ", made to say nothing", QEMU_7_1],
     "no cfpc, sbbc and ibs: machine types from pseries-4.0 on don't start.")
host("power8-qemu7.1", "a POWER8 under QEMU 7.1.0",
     [("of_arch", "ppc64"),
      ("cpuinfo", "ppc64le", "cpuinfo-libvirt", "vdsm-cpuinfo_POWER8E_ppc64le.cpuinfo"),
      ("domcapabilities", "libvirt-domaincaps", "qemu_7.1.0.ppc64.xml"),
      ("qemucaps", "7.1.0_ppc64", False)],
     [DOMAIN, "version and machine types of the same QEMU, as libvirt's tests record them of "
      "another machine", "/proc/cpuinfo of a POWER8E, as oVirt's tests record it"],
     "the generation by its version register; beside a POWER9, guests in the older one's mode.")
host("z15-qemu8.1", "an IBM z15 under QEMU 8.1.0",
     [("of_arch", "s390x"), ("cache", "8.1.0_s390x"),
      ("domcapabilities", "libvirt-domaincaps", "qemu_8.1.0.s390x.xml")],
     ["libvirt's cache of QEMU's capabilities, as its tests record it", DOMAIN],
     "what a z16 has and it hasn't: nnpa, packed decimals of 2022.")
host("neoverse-n1-libvirt", "an Arm server of 160 Neoverse N1",
     [("of_arch", "aarch64"), ("capabilities", "capabilities-other", "virtmanager-kvm-aarch64.xml"),
      ("domcapabilities", "capabilities-other", "virtmanager-kvm-aarch64-domcaps.xml")],
     [MANAGER], "libvirt names the processor; a guest with it is bound to it (cpu-host-bound).")
host("loongarch64", "a LoongArch machine of four cores",
     [("of_arch", "loongarch64"),
      ("capabilities", "capabilities-other", "virtmanager-kvm-loongarch64.xml"),
      ("domcapabilities", "capabilities-other", "virtmanager-kvm-loongarch64-domcaps.xml")],
     [MANAGER], "an architecture whose processors nothing compares: machine types and modes are "
     "judged, the CPU is unknown.")
host("z13-lpar", "a partition of an IBM z13",
     [("of_arch", "s390x"),
      ("cpuinfo", "s390x", "cpuinfo-libvirt", "linux-s390x-with-frequency.cpuinfo")],
     [CPUINFO], "what the kernel names of an IBM Z processor's features.")
host("x-gene1", "an Arm server with X-Gene 1 processors",
     [("of_arch", "aarch64"),
      ("cpuinfo", "aarch64", "cpuinfo-libvirt", "linux-aarch64-rhel74-moonshot.cpuinfo")],
     [CPUINFO], "an identification register of a processor that libvirt has no name for.")

host("sid-files", "a Debian sid machine's files", [("recording", "sid-files")],
     ["firmware, swtpm, virtiofsd and the names that libvirt knows, by capbroker-probe in Debian "
      "sid; the kernel is that of the suite", "nothing of the processor, KVM or QEMU"],
     "descriptions of firmware with Secure Boot, SEV and TDX; TPMs that can be emulated.")

# --- more of x86 ---------------------------------------------------------------------------------

MSRS = "feature MSRs of that processor, of another machine (../recordings/msrs.tsv)"
KVM_ONLY = ("some registers as KVM of Linux 6.18 gives them to guests there "
            "(../recordings/kvm.tsv); nothing else")
host("epyc-rome-kvm7.2", "an emulated EPYC with Linux 7.2 and its kvm_amd",
     [("recording", "epyc-tcg-linux7.2")],
     ["all by capbroker-probe in a guest of QEMU 7.2.22 that emulates the processor, SVM too; what "
      "was left out is said in ../recordings/README"],
     "KVM's own answers: extensions, feature MSRs, CPUID as it gives it (guest-phys-bits); nested "
     "guests and their state; what a new kernel says of 18 vulnerabilities.")
host("skylake-6400t", "Core i5-6400T (Skylake)", [("cpuid", "GenuineIntel00506E3_Skylake")],
     RAW_MSRS,
     "the VMX capability MSRs as the hardware has them: pairs of what must and what may be set.")
real("broadwell-5600u", "Core i7-5600U (Broadwell)", "Core-i7-5600U", "a",
     "VMX capability MSRs that allow less than Skylake's; feature control as firmware set it.",
     msrs="core-i7-5600u")
host("kabylake-7100", "Core i3-7100 (Kaby Lake)",
     [("cpuid", "GenuineIntel00906E9_KabyLake_01")], [RAW_ONLY], "srbds-ctrl.")
host("tigerlake-1135g7", "Core i5-1135G7 (Tiger Lake)",
     [("cpuid", "GenuineIntel00806C1_TigerLake_01")], RAW_MSRS, "Key Locker.")
host("bartlettlake-client", "a Bartlett Lake client processor",
     [("cpuid", "GenuineIntel00B0674_BartlettLake_01")], RAW_MSRS, "rfds-clear, gds-ctrl.")
host("cascadelake-kvm6.18", "a Cascade Lake under Linux 6.18", [("kvm_registers", "cascade-lake")],
     [KVM_ONLY], "immunities as guests get them: fb-clear, sbdr-ssdp-no, psdp-no.")
host("graniterapids-kvm6.18", "a Granite Rapids under Linux 6.18",
     [("kvm_registers", "granite-rapids")], [KVM_ONLY],
     "immunities of the newest: its-no, pbrsb-no, fbsdp-no; AVX10 as KVM gives it.")
host("genoa-kvm6.18", "an EPYC of the Genoa generation under Linux 6.18",
     [("kvm_registers", "genoa")], [KVM_ONLY], "verw-clear, tsa-sq-no, tsa-l1-no.")
host("hygon-dhyana", "a Hygon C86 of 2023", [("cpuid", "HygonGenuine0910F00_Hygon_01")], [RAW_ONLY],
     "a fourth vendor (Hygon); ibrs-always-on.")
host("pentium3-katmai", "Pentium III (Katmai) of 1999",
     [("cpuid", "GenuineIntel0000673_P3_Katmai")], [RAW_ONLY],
     "SSE and the serial number, and hardly anything else.")
