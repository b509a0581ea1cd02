# SPDX-License-Identifier: LGPL-2.1-or-later
"""Firmware, TPMs, kinds of memory and daemons, replayed from folders made for the test.

Each folder differs from the one before in what is checked, so that a fact isn't there by chance.
"""

import json

from probe_fixture import check, done, facts, profile, scratch, sources, write

ONLY = ("--only", "firmware,swtpm,resources", "--replay")
FIRMWARE = "usr/share/qemu/firmware/"
UNAME = "Linux h 6.1.0 #1 SMP x86_64 GNU/Linux\n"


def description(kind, device, features, machines, **mapping):
    """The text of one firmware description."""
    return json.dumps({"description": "made for a test", "interface-types": [kind],
                       "mapping": {"device": device, **mapping}, "features": features,
                       "targets": [{"architecture": arch, "machines": names}
                                   for arch, names in machines.items()], "tags": []})


FLASH = {"executable": {"filename": "/usr/share/OVMF/OVMF_CODE_4M.fd", "format": "raw"},
         "nvram-template": {"filename": "/srv/with space/VARS.fd", "format": "qcow2"}}
UEFI = description("uefi", "flash", ["secure-boot", "requires-smm"], {"x86_64": ["pc-q35-*"]}, **FLASH)
ARM = description("uefi", "flash", ["enrolled-keys"], {"aarch64": ["virt-*"]}, **FLASH)
BIOS = description("bios", "memory", [], {"i386": ["pc-*"], "x86_64": ["pc-*"]},
                   filename="/usr/share/seabios/bios.bin")


def asked(folder):
    """Facts by id, whatever their view, and the sources."""
    _, document = profile(*ONLY, folder)
    return {**facts(document, "kernel"), **facts(document, "libvirt")}, sources(document)


def value(known, name):
    return known[name]["value"] if name in known else None


def firmware(folder):
    write(folder, "uname", UNAME)
    write(folder, "interop/firmware", f"/{FIRMWARE}50-a.json\n/etc/qemu/firmware/60-b.json\n"
                                      f"/{FIRMWARE}70-arm.json\n")
    write(folder, FIRMWARE + "50-a.json", UEFI)
    write(folder, "etc/qemu/firmware/60-b.json", BIOS)
    write(folder, FIRMWARE + "70-arm.json", ARM)
    write(folder, "host/firmware-files", "3653632 /usr/share/OVMF/OVMF_CODE_4M.fd\n"
                                         "- /usr/share/OVMF/OVMF_CODE.fd\n"
                                         "540672 /srv/with space/VARS.fd\n")
    known, states = asked(folder)
    check(states["firmware"]["state"] == "ok", f"firmware: {states['firmware']}")
    lines = value(known, "firmware.descriptor")
    check(lines[0] == "50-a.json types=uefi device=flash mode=split "
          "file=/usr/share/OVMF/OVMF_CODE_4M.fd format=raw template=/srv/with%20space/VARS.fd "
          "template-format=qcow2 machines=x86_64:pc-q35-* features=secure-boot,requires-smm",
          f"the line of flash: {lines[0]}")
    check(lines[1] == "60-b.json types=bios device=memory file=/usr/share/seabios/bios.bin "
          "machines=i386:pc-*,x86_64:pc-* features=", f"the line of memory: {lines[1]}")
    check(value(known, "firmware.file") == ["/usr/share/OVMF/OVMF_CODE_4M.fd:3653632",
                                            "/srv/with space/VARS.fd:540672"], "files with sizes")
    for name, truth in {"efi": True, "bios": True, "secure-boot": True, "enrolled-keys": False}.items():
        check(value(known, "firmware." + name) is truth, f"firmware.{name} isn't {truth}")


def firmware_bad(folder):
    for text in ("{", "[]", '{"interface-types": ["uefi"]}', UEFI.replace("filename", "name"),
                 UEFI.replace('"machines"', '"kinds"'), "x" * 300000):
        write(folder, FIRMWARE + "50-a.json", text)
        known, states = asked(folder)
        check(states["firmware"]["state"] == "partial" and "50-a.json" in states["firmware"]["reason"],
              f"a bad description: {states['firmware']}")
        check("firmware.descriptor" not in known, "what can't all be read is not known")
        check("firmware.file" in known, "files are known for all that")


def firmware_none(folder):
    write(folder, "interop/firmware", "")
    known, _ = asked(folder)
    check(value(known, "firmware.descriptor") == [], "no descriptions")
    check(value(known, "firmware.efi") is False, "no UEFI to choose")


def swtpm(folder):
    setup = '{"type": "swtpm_setup", "features": ["tpm-2.0", "cmdarg-profile"], "version": "0.10.1"}'
    write(folder, "host/swtpm", "swtpm /usr/bin/swtpm\nswtpm_setup /usr/bin/swtpm_setup\n" + setup +
          "\nswtpm_ioctl /usr/bin/swtpm_ioctl\n")
    known, _ = asked(folder)
    check(value(known, "tpm.swtpm") is True, "all three are there")
    check(value(known, "tpm.swtpm.2-0") is True and value(known, "tpm.swtpm.1-2") is False, "versions")
    check("cmdarg-profile" in value(known, "tpm.swtpm.feature"), "capabilities")
    write(folder, "host/swtpm", "swtpm /usr/bin/swtpm\n")
    known, _ = asked(folder)
    check(value(known, "tpm.swtpm") is False and value(known, "tpm.swtpm.2-0") is False, "one of three")
    write(folder, "host/swtpm", "".join(f"{name} /usr/bin/{name}\n"
                                        for name in ("swtpm", "swtpm_setup", "swtpm_ioctl")))
    known, _ = asked(folder)
    check(value(known, "tpm.swtpm") is True and "tpm.swtpm.2-0" not in known,
          "versions that weren't told aren't known")


def memory(folder):
    for kib in (2048, 1048576):
        write(folder, f"sys/kernel/mm/hugepages/hugepages-{kib}kB/nr_hugepages", "0\n")
    write(folder, "sys/kernel/mm/transparent_hugepage/hpage_pmd_size", "2097152\n")
    write(folder, "sys/devices/system/node/online", "0-1,4\n")
    write(folder, "proc/meminfo", "MemTotal: 1 kB\nHugepagesize:    2048 kB\n")
    write(folder, "host/hugetlbfs", "hugetlbfs /dev/hugepages hugetlbfs rw,relatime 0 0\n"
                                    "none /mnt/1g hugetlbfs rw,pagesize=1024M 0 0\n"
                                    "tmpfs /mnt/x tmpfs rw,pagesize=16M 0 0\n")
    known, _ = asked(folder)
    check(sorted(value(known, "memory.huge-page")) == ["1048576", "2048"], "sizes of huge pages")
    check(sorted(value(known, "memory.hugetlbfs")) == ["1048576", "2048"], "sizes that are mounted")
    check(value(known, "memory.thp-size") == 2097152, "transparent huge pages")
    check(value(known, "numa.node") == ["0", "1", "4"], "NUMA nodes")
    write(folder, "host/hugetlbfs", "")
    check(value(asked(folder)[0], "memory.hugetlbfs") == [], "nothing is mounted")


def daemons(folder):
    write(folder, "host/devices", "tpm0\ntpmrm0\nvhost-net\nvhost-vdpa-1\n")
    write(folder, "interop/vhost-user", "/usr/share/qemu/vhost-user/50-virtiofsd.json\n"
                                        "/usr/share/qemu/vhost-user/60-gpu.json\n")
    write(folder, "usr/share/qemu/vhost-user/50-virtiofsd.json",
          '{"type": "fs", "binary": "/usr/libexec/virtiofsd", "features": ["migrate-precopy"]}')
    write(folder, "usr/share/qemu/vhost-user/60-gpu.json",
          '{"type": "gpu", "binary": "/usr/libexec/gone"}')
    write(folder, "meta.jsonl", json.dumps({"path": "stat:/usr/libexec/virtiofsd", "size": 1, "inode": 1,
                                            "device": 1, "mtime": 1, "executable": True}) + "\n")
    known, states = asked(folder)
    check(states["resources"]["state"] == "ok", f"resources: {states['resources']}")
    check(value(known, "vhost-user.type") == ["fs"], "a daemon that isn't there counts")
    check(value(known, "virtiofs.feature") == ["migrate-precopy"], "what virtiofsd can")
    check(value(known, "tpm.device") == ["/dev/tpm0"], "TPMs of the host")
    check(value(known, "vhost.vdpa-device") == ["/dev/vhost-vdpa-1"], "vDPA devices")
    check(value(known, "vhost.net") is True and value(known, "vhost.vsock") is False, "vhost")
    write(folder, "usr/share/qemu/vhost-user/60-gpu.json", '{"type": "gpu"}')
    check("60-gpu.json" in asked(folder)[1]["resources"]["reason"], "a bad description of a daemon")


with scratch() as top:
    for part in (firmware, firmware_bad, firmware_none, swtpm, memory, daemons):
        part(top)
done()
