# SPDX-License-Identifier: LGPL-2.1-or-later
"""The words of schema/dictionary/*.dict and what they mean; gen-dictionary.py reads by them."""

import re

# What the words mean.  The order is that of the enums in dictionary.h, which the C output asserts.
TYPES = ("bool", "uint", "bitmap", "string", "set", "ranges", "pair")
RULES = {
    "lower-safe": (
        "The weakest host decides: a bool is ANDed, a number takes the minimum, a bitmap is "
        "ANDed. A guest fits where the host has at least what the guest was given."),
    "higher-safe": (
        "An obligation, or an erratum that guests must reckon with: a bool is ORed, a number takes "
        "the maximum. A guest that was told of it may run where it is absent; one that was not "
        "told is warned about where it is present, for its mitigations don't cover that host."),
    "immunity": (
        "A promise that the hardware is not open to an attack. It is ANDed, for claiming it on a "
        "vulnerable host would switch mitigations off in the guest; losing it names the class of "
        "attack that is open again."),
    "exact": (
        "All hosts must be equal, or nothing can be promised. A guest fits where the host's "
        "value is its own."),
    "set": (
        "A set of names, intersected. A guest fits where all the names it needs are offered."),
    "ranges": (
        "A sorted list of address ranges, intersected, holes included. A guest fits where each "
        "range it needs lies within one of the host's."),
    "chain": (
        "An ordered list of levels, the least of which all hosts reach. A guest fits where the "
        "host reaches the guest's level."),
    "tolerance": (
        "Values that may differ a little, or at will where the host can scale them: the rate of "
        "the time stamp counter, within 250 parts in a million."),
    "allowed-pair": (
        "Two halves: bits that must be set (ORed) and bits that may be set (ANDed). A guest fits "
        "where the host demands no more and allows no less than the guest was told."),
}
FITS = {
    "bool": ("lower-safe", "higher-safe", "immunity", "exact"),
    "uint": ("lower-safe", "higher-safe", "exact", "chain", "tolerance"),
    "bitmap": ("lower-safe", "higher-safe", "exact"),
    "string": ("exact",),
    "set": ("set", "exact"),
    "ranges": ("ranges", "exact"),
    "pair": ("allowed-pair", "exact"),
}
NAMESPACES = ("libvirt", "qemu", "kernel", "nova")
# word in an attribute line → constant of dictionary.h
FLAGS = {
    "offer": "CAP_OFFER",
    "sight": "CAP_SIGHT",
    "unmigratable": "CAP_UNMIGRATABLE",
    "host-only": "CAP_HOST_ONLY",
    "qemu-option": "CAP_QEMU_OPTION",
    "contract=exact": "CAP_CONTRACT_EXACT",
    "unmigratable=libvirt": "CAP_LIBVIRT_UNMIGRATABLE",
    "libvirt-keeps": "CAP_LIBVIRT_KEEPS",
    "no-autoenable": "CAP_NO_AUTOENABLE",
    "vmm": "CAP_VMM",
}
EMULATORS = {"kvm": "CAP_BY_KVM", "tcg": "CAP_BY_TCG", "qemu": "CAP_BY_QEMU",
             "kernel": "CAP_BY_KERNEL"}
# What the number of a field stands for, where no list is needed: the field plus, or times, this.
VALUES = re.compile(r"[+*]\d{1,3}$")
UNITS = ("bits", "bytes", "khz", "pages")
# Whose names do not stand for themselves: what these call a feature is written ARCH/NAME.
ARCHS = ("arm64", "loongarch64", "ppc64", "riscv64", "s390x")
KEYS = NAMESPACES + ("arch", "emulated-by", "needs", "gate", "level", "promised", "security", "unit",
                     "labels", "source", "values")
REGISTER_KEYS = NAMESPACES + ("arch", "emulated-by", "needs", "gate", "security", "unit", "labels",
                              "width")
# Rooms of registers that have names instead of numbers.
NAMED_ROOMS = ("vtd", "amdvi", "smmuv3", "hwinfo", "spapr", "vfio", "pci")
# Rooms of what a processor of each family has: what a <cpu> definition speaks of.
CPU_ROOMS = ("cpu", "msr") + ARCHS

ROOMS = {
    "acpi": "The firmware's tables of IOMMUs: DMAR, IVRS, IORT, VIOT.",
    "amdvi": "AMD's IOMMU: its extended feature registers EFR and EFR2.",
    "arm64": "Processors of 64-bit Arm: what the kernel shows of them, and QEMU's properties.",
    "cpu": "Processor features and numbers, under libvirt's names; the room of CPUID.",
    "host": "The host's kernel, its options and its microcode.",
    "hwinfo": "What IOMMU_GET_HW_INFO answers for a device: which IOMMU it is behind, and what the "
              "kernel's interface to it can do.",
    "iommu": "An IOMMU of any kind: addresses, page sizes, formats of page tables, and what the "
             "kernel allows. At a host, what all units with eligible devices behind them have.",
    "hyperv": "Enlightenments for Windows guests; QEMU lists them among a processor's properties.",
    "kvm": "Answers of KVM_CHECK_EXTENSION, and what KVM's modules were told.",
    "libvirt": "The management daemon.",
    "mitigation": "What the kernel says of each vulnerability: vulnerable, mitigated or not "
                  "affected.",
    "msr": "Feature MSRs: immunities, obligations, and what nested virtualization may use.",
    "pci": "Devices, by their configuration space: translation, requests for pages, isolation.",
    "ppc64": "Processors of the POWER family, by model and by the modes they can run in.",
    "pseries": "What QEMU's pseries machine promises a guest of POWER (its properties cap-…).",
    "s390x": "Features and groups of features of IBM Z processors, as QEMU and libvirt name them.",
    "qemu": "The emulator: machine types, version, and the processor options that are no features.",
    "sev": "Guests whose memory AMD processors encrypt, as kernel, QEMU and libvirt tell of them.",
    "sev-es": "The same with the registers.",
    "sev-snp": "The same with integrity of memory.",
    "sgx": "Enclaves inside guests, as kernel, QEMU and libvirt tell of them.",
    "tdx": "Trust domains: guests that Intel processors keep from their host.",
    "smmuv3": "Arm's SMMUv3: its identification registers, as the kernel tells of them.",
    "spapr": "The IOMMU of POWER hosts, as VFIO tells of it.",
    "vfio": "What VFIO can do on the host, and what a device's driver says of moving it.",
    "vtd": "Intel's VT-d: its capability registers CAP and ECAP.",
    "xsave": "Components of extended state.",
}

WORDS = {
    "offer": "Something a host offers. It meets: a host may offer more than a guest needs.",
    "sight": "Something a guest sees, as the host has it; frozen when the guest starts.",
    "unmigratable": "A guest that has it can't be moved.",
    "unmigratable=libvirt": "libvirt leaves it out of migratable models, QEMU does not.",
    "host-only": "Shown and recorded; takes no part in baselines, classes and checks.",
    "qemu-option": "A switch that QEMU lists among the features; never taken for one.",
    "contract=exact": "Meets by its rule in an offer; a running guest must find it just as it was.",
    "libvirt-keeps": "Libvirt compares it and never passes it to QEMU.",
    "no-autoenable": "QEMU leaves it out of host and max, though it may give it where asked.",
    "vmm": "The kernel's interface lets a virtual machine monitor read this field of the raw "
           "register; others of the same register are not to be concluded from.",
    "emulated-by": "Who can supply it where the hardware lacks it: kvm, tcg (QEMU's emulation of "
                   "processors), qemu itself, or the kernel.",
    "security": "The class of attack that losing it opens, or against which it obliges.",
    "needs": "What it is meaningless without.",
    "level": "A property of QEMU's models that stays set, and is refused, where this is off.",
    "promised": "The first machine type of its family that promises it unless it is told not to.",
    "arch": "The family of processors whose names these are; x86 where it isn't said.",
    "gate": "QEMU takes it away, or refuses it where it was asked for, without this one.",
}


def bits_text(bits):
    """[3, 8, 9] → '3, 8-9'."""
    runs = []
    for bit in sorted(bits):
        if runs and runs[-1][1] == bit - 1:
            runs[-1][1] = bit
        else:
            runs.append([bit, bit])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)
