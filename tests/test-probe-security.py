# SPDX-License-Identifier: LGPL-2.1-or-later
"""Recordings of hosts with SEV, TDX and SGX replay to the facts that they hold, view by view."""

import json
import struct

from probe_fixture import check, done, facts, profile, scratch, write

QEMU = "/usr/bin/qemu-system-x86_64"
STAT = '{"path": "stat:%s", "size": 1, "inode": %d, "device": 1, "mtime": 1, "executable": %s}\n'


def qmp(folder, accel, replies):
    """What one QEMU without a machine answered."""
    text = json.dumps({"outcome": "ok", "reason": None, "replies": replies})
    write(folder, f"qmp/usr-bin-qemu-system-x86_64/{accel}-none.json", text)


def values(document, view):
    """id → value of what is known in a view, or the state of what isn't."""
    return {i: f["value"] if f["state"] == "known" else f["state"]
            for i, f in facts(document, view).items()}


def parameters(folder, module, **values_of):
    for name, value in values_of.items():
        write(folder, f"sys/module/{module}/parameters/{name}", value + "\n")


def kvm(folder, msrs=None):
    """KVM of the right version, and feature MSRs: number → value."""
    msrs = msrs or {}
    calls = {"KVM_GET_API_VERSION": {"rc": 12}}
    listed = struct.pack("<I128I", len(msrs), *msrs, *[0] * (128 - len(msrs)))
    calls["KVM_GET_MSR_FEATURE_INDEX_LIST 128"] = {"rc": 0, "data": listed.hex()}
    for index, value in msrs.items():
        data = struct.pack("<IIIIQ", 1, 0, index, 0, value)
        calls[f"KVM_GET_MSRS {index:#x}"] = {"rc": 1, "data": data.hex()}
    write(folder, "ioctl/kvm.json", json.dumps({"open": {}, "calls": calls}))


def msr(folder, values_of):
    """/dev/cpu/0/msr; other registers fault."""
    calls = {f"{index:#x}": {"rc": 0, "data": struct.pack("<Q", value).hex()}
             for index, value in values_of.items()}
    write(folder, "ioctl/msr.json", json.dumps({"open": {}, "calls": calls}))


with scratch() as folder:
    write(folder, "uname", "Linux amd 6.12.1 #1 SMP x86_64\n")
    parameters(folder, "kvm_amd", sev="Y", sev_es="Y", sev_snp="N", nested="1")
    write(folder, "meta.jsonl", STAT % (QEMU, 7, "true") + STAT % ("/dev/sev", 8, "false"))
    qmp(folder, "tcg", {"version": {"return": {"qemu": {"major": 9, "minor": 2, "micro": 0}}},
                        "migrate-capabilities": {"return": [
                            {"capability": "multifd", "state": False},
                            {"capability": "postcopy-ram", "state": False}]},
                        "sev": {"error": {"class": "GenericError", "desc": "KVM not enabled"}}})
    _, document = profile("--replay", folder)
    kernel, qemu = values(document, "kernel"), values(document, "qemu")
    check([kernel.get(f"sev{kind}.enabled") for kind in ("", "-es", "-snp")] == [True, True, False],
          f"SEV as the module was told: {kernel}")
    check(kernel.get("kvm.nested") is True, "nested guests as the module was told")
    check(kernel.get("sev.device") is True and "sgx.device" not in kernel, "devices that are there")
    check("tdx.enabled" not in kernel, "TDX of a host that has no such parameter")
    check(qemu.get("qemu.migration-capability") == ["multifd", "postcopy-ram"],
          f"what migrations can be asked for: {qemu}")
    check("sev.enabled" not in qemu, "an emulated guest's word on SEV")

with scratch() as folder:
    write(folder, "uname", "Linux intel 6.16.1 #1 SMP x86_64\n")
    write(folder, "proc/cpuinfo", "processor\t: 0\nflags\t\t: vmx tdx_host_platform sgx sgx_lc\n")
    parameters(folder, "kvm_intel", tdx="Y", sgx="Y", nested="N")
    write(folder, "meta.jsonl", STAT % (QEMU, 7, "true") + STAT % ("/dev/sgx_vepc", 8, "false"))
    # What the hardware allows, and KVM gives of it: another pair, and a shorter list.
    msr(folder, {0x3a: 0x60005, 0x87: 0x2000000010, 0x481: 0x7f00000016})
    kvm(folder, {0x481: 0xff00000016})
    qmp(folder, "kvm", {
        "sev": {"error": {"class": "GenericError", "desc": "SEV is not enabled in KVM"}},
        "sgx": {"return": {"sgx": True, "sgx1": True, "sgx2": True, "flc": True,
                           "sections": [{"node": 0, "size": 67108864}]}}})
    qmp(folder, "tcg", {})
    _, document = profile("--replay", folder)
    kernel, qemu = values(document, "kernel"), values(document, "qemu")
    raw = values(document, "raw")
    check(kernel.get("tdx.enabled") is True and kernel.get("tdx.platform") is True,
          f"TDX as the kernel has it: {kernel}")
    check(kernel.get("kvm.nested") is False, "nested guests as the module was told")
    check(kernel.get("sgx.device") is True, "enclave memory for guests")
    check(qemu.get("sev.enabled") is False, f"QEMU's word on SEV: {qemu}")
    check(qemu.get("sgx.enabled") is True and qemu.get("sgx.epc-bytes") == 67108864,
          f"QEMU's word on SGX: {qemu}")
    check(not any(i.startswith("cpu.") for e in document["emulators"]
                  for i in [f["id"] for f in e.get("facts", [])]),
          "SGX of the emulator as a whole is in what its CPU gives")
    check(raw.get("msr.feature-control.sgx") is True and
          raw.get("msr.feature-control.lmce") is False, "feature control")
    check(raw.get("msr.mktme.private-keys") == 32, "keys for trust domains")
    check(not any(i.startswith("msr.feature-control") for i in values(document, "kvm")),
          "a raw register in KVM's view")
    pairs = [values(document, view).get("msr.vmx-pinbased.controls") for view in ("raw", "kvm")]
    check(pairs == [{"allowed0": "0x16", "allowed1": "0x7f"},
                    {"allowed0": "0x16", "allowed1": "0xff"}], f"pairs of two views: {pairs}")
    check("msr.vmx-procbased.controls" not in values(document, "kvm"),
          "a register that KVM doesn't list")
done()
