# SPDX-License-Identifier: LGPL-2.1-or-later
"""start_parts.py: parts of seeded guests, each as a definition writes it and as QEMU is told.

A part is a dictionary: "name"; "xml", what it adds to the definition, by place ("devices",
"features", "domain", "os", "clock", "memoryBacking"); "args", the arguments that libvirt makes of
it; "machine", its options of -machine; "cpu", its properties of -cpu; "tpm", the version of a TPM
that must run beside QEMU. Each function of the tables below draws one part.
"""

import json


def device(driver, **properties):
    """-device with JSON, as libvirt gives it; a name's last underscore stands for nothing."""
    return ["-device", json.dumps({"driver": driver, **{
        name.rstrip("_").replace("__", "-"): value for name, value in properties.items()}})]


def qobject(qom_type, name, **properties):
    return ["-object", json.dumps({"qom-type": qom_type, "id": name, **{
        key.replace("__", "-"): value for key, value in properties.items()}})]


def part(name, place, xml, args=(), **more):
    return {"name": name, "xml": {place: xml}, "args": list(args), **more}


def attributes(values):
    return "".join(" %s='%s'" % pair for pair in values.items())


# --- virtual IOMMUs -------------------------------------------------------------------------------

INTEL = {"intremap": "intremap", "caching_mode": "caching-mode", "eim": "eim",
         "iotlb": "device-iotlb", "dma_translation": "dma-translation"}
AS_WORDS = ("intremap", "eim")  # on, off or auto for QEMU; the others are true or false
AMD = {"intremap": "intremap", "passthrough": "pt", "xtsup": "xtsup", "iotlb": "device-iotlb",
       "dma_translation": "dma-translation"}


def some(rng, names, odds):
    return {name: rng.choice(["on", "off"]) for name in names if rng.random() < odds}


def properties_of(chosen, names):
    return {names[name]: value if name in AS_WORDS else value == "on"
            for name, value in chosen.items()}


def iommu_xml(model, chosen):
    driver = "<driver%s/>" % attributes(chosen) if chosen else ""
    return "<iommu model='%s'>%s</iommu>" % (model, driver)


def intel_iommu(rng):
    chosen = some(rng, INTEL, 0.35)
    if rng.random() < 0.4:
        chosen["aw_bits"] = rng.choice(["39", "39", "48", "48", "47", "32", "57", "64"])
    properties = properties_of({k: v for k, v in chosen.items() if k != "aw_bits"}, INTEL)
    if "aw_bits" in chosen:
        properties["aw-bits"] = int(chosen["aw_bits"])
    return part("intel-iommu", "devices", iommu_xml("intel", chosen),
                device("intel-iommu", id="iommu0", **properties))


def amd_iommu(rng):
    chosen = some(rng, AMD, 0.3)
    return part("amd-iommu", "devices", iommu_xml("amd", chosen),
                device("AMDVI-PCI", id="iommu0") +
                device("amd-iommu", pci__id="iommu0", **properties_of(chosen, AMD)))


def virtio_iommu(rng):
    del rng
    return part("virtio-iommu", "devices", iommu_xml("virtio", {}),
                device("virtio-iommu", id="iommu0"))


IOMMUS = [intel_iommu] * 5 + [amd_iommu] * 2 + [virtio_iommu] * 2


def ioapic(rng):
    driver = rng.choice(["qemu", "kvm"])
    return part("ioapic-" + driver, "features", "<ioapic driver='%s'/>" % driver,
                machine=["kernel_irqchip=%s" % ("split" if driver == "qemu" else "on")])


# --- devices --------------------------------------------------------------------------------------

SPELLED = {"virtio": "virtio-net-pci", "virtio-transitional": "virtio-net-pci-transitional",
           "virtio-non-transitional": "virtio-net-pci-non-transitional"}
NICS = (["virtio", "e1000", "e1000e", "rtl8139", "igb", "igb", "igb", "vmxnet3", "pcnet",
         "ne2k_pci", "ne2k_isa", "i82550", "i82559c", "tulip", "usb-net", "virtio-transitional",
         "virtio-non-transitional", "spapr-vlan", "lan9118", "sungem", "e1000-82545em", "nosuch"])


def on_bus(model):
    """libvirt takes every card for a PCI device, this one too."""
    return {"bus": "pci.0"} if model == "ne2k_isa" else {}


def interface(rng):
    model = rng.choice(NICS)
    driver, more = "", {}
    if model.startswith("virtio") and rng.random() < 0.6:
        driver, more = rng.choice([
            ("rx_queue_size='1024'", {"rx_queue_size": 1024}),
            ("rx_queue_size='300'", {"rx_queue_size": 300}),
            ("rx_queue_size='128'", {"rx_queue_size": 128}),
            ("rx_queue_size='2048'", {"rx_queue_size": 2048}),
            ("tx_queue_size='256'", {"tx_queue_size": 256}),
            ("tx_queue_size='100'", {"tx_queue_size": 100}),
            ("packed='on'", {"packed": True}), ("rss='on'", {"rss": True}),
            ("rss='on' rss_hash_report='on'", {"rss": True, "hash": True}),
            ("page_per_vq='on'", {"page__per__vq": True}), ("event_idx='off'", {"event_idx": False}),
            ("iommu='on'", {"iommu_platform": True}), ("ats='on'", {"ats": True})])
        driver = "<driver %s/>" % driver
    mtu = ""
    if model.startswith("virtio") and rng.random() < 0.2:
        size = rng.choice([1500, 9000, 60])
        mtu, more = "<mtu size='%d'/>" % size, {**more, "host_mtu": size}
    return part("nic-" + model, "devices",
                "<interface type='user'><mac address='52:54:00:11:22:33'/><model type='%s'/>%s%s"
                "</interface>" % (model, driver, mtu),
                ["-netdev", json.dumps({"type": "user", "id": "hostnet0"})] +
                device(SPELLED.get(model, model), netdev="hostnet0", id="net0",
                       mac="52:54:00:11:22:33", **more, **on_bus(model)))


VIDEOS = {"vga": "VGA", "cirrus": "cirrus-vga", "vmvga": "vmware-svga", "qxl": "qxl-vga",
          "virtio": "virtio-vga", "bochs": "bochs-display", "ramfb": "ramfb"}


def video(rng):
    model = rng.choice(list(VIDEOS) + ["qxl", "qxl", "virtio"])
    xml, more = "", {}
    if model == "virtio" and rng.random() < 0.4:
        heads = rng.choice([1, 4, 16, 17])
        xml, more = " heads='%d'" % heads, {"max_outputs": heads}
    elif model in ("vga", "vmvga") and rng.random() < 0.4:
        mebibytes = rng.choice([4, 16, 64, 512])
        xml, more = " vram='%d'" % (mebibytes * 1024), {"vgamem_mb": mebibytes}
    elif model == "bochs" and rng.random() < 0.4:
        mebibytes = rng.choice([2, 4, 16, 512])
        xml, more = " vram='%d'" % (mebibytes * 1024), {"vgamem": mebibytes * 1048576}
    elif model == "qxl":
        xml, more = " ram='65536' vram='65536' vgamem='16384'", {
            "ram_size": 67108864, "vram_size": 67108864, "vgamem_mb": 16}
    return part("video-" + model, "devices",
                "<video><model type='%s'%s/></video>" % (model, xml),
                device(VIDEOS[model], id="video0", **more))


SOUNDS = {"ich6": ["intel-hda", "hda-duplex"], "ich9": ["ich9-intel-hda", "hda-duplex"],
          "ac97": ["AC97"], "es1370": ["ES1370"], "sb16": ["sb16"], "usb": ["usb-audio"],
          "virtio": ["virtio-sound-pci"]}


def sound(rng):
    model = rng.choice(list(SOUNDS) + ["virtio"] * 3)
    args = ["-audiodev", json.dumps({"id": "audio1", "driver": "none"})]
    if len(SOUNDS[model]) == 2:
        args += device(SOUNDS[model][0], id="sound0")
        args += device(SOUNDS[model][1], id="sound0-codec0", bus="sound0.0", audiodev="audio1")
    else:
        more = {"streams": 2} if model == "virtio" else {}
        args += device(SOUNDS[model][0], id="sound0", audiodev="audio1", **more)
    return part("sound-" + model, "devices", "<sound model='%s'/>" % model, args)


def watchdog(rng):
    model = rng.choice(["i6300esb", "ib700", "diag288"])
    return part("watchdog-" + model, "devices", "<watchdog model='%s' action='reset'/>" % model,
                device(model, id="watchdog0") + ["-watchdog-action", "reset"])


USBS = {"piix3-uhci": "piix3-usb-uhci", "piix4-uhci": "piix4-usb-uhci", "ehci": "usb-ehci",
        "ich9-ehci1": "ich9-usb-ehci1", "ich9-uhci1": "ich9-usb-uhci1",
        "vt82c686b-uhci": "vt82c686b-usb-uhci", "pci-ohci": "pci-ohci",
        "nec-xhci": "nec-usb-xhci", "qemu-xhci": "qemu-xhci"}
SCSIS = {"virtio-scsi": "virtio-scsi-pci", "lsilogic": "lsi", "lsisas1068": "mptsas1068",
         "lsisas1078": "megasas", "vmpvscsi": "pvscsi", "am53c974": "am53c974", "dc390": "dc-390",
         "virtio-transitional": "virtio-scsi-pci-transitional", "ibmvscsi": "spapr-vscsi"}
PCIS = {"pcie-root-port": "pcie-root-port", "pci-bridge": "pci-bridge",
        "dmi-to-pci-bridge": "i82801b11-bridge", "pcie-to-pci-bridge": "pcie-pci-bridge",
        "pci-expander-bus": "pxb", "pcie-expander-bus": "pxb-pcie"}


def usb_controller(rng):
    model = rng.choice(list(USBS))
    xml, more = "", {}
    if model.endswith("xhci") and rng.random() < 0.5:
        ports = rng.choice([4, 15, 16, 31])
        xml, more = " ports='%d'" % ports, {"p2": ports, "p3": ports}
    return part("usb-" + model, "devices",
                "<controller type='usb' index='0' model='%s'%s/>" % (model, xml),
                device(USBS[model], id="usb", **more))


def scsi_controller(rng):
    model = rng.choice(list(SCSIS))
    return part("scsi-" + model, "devices",
                "<controller type='scsi' index='0' model='%s'/>" % model,
                device(SCSIS[model], id="scsi0"))


def pci_controller(rng):
    model = rng.choice(list(PCIS) + ["pcie-root-port"] * 2)
    xml, more = "", {}
    if model == "pcie-root-port":
        xml = "<target chassis='1' port='0x10'%s/>"
        if rng.random() < 0.3:
            xml, more = xml % " hotplug='off'", {"hotplug": False}
        xml, more = xml.replace("%s", ""), {"port": 16, "chassis": 1, **more}
    elif model == "pci-bridge":
        chassis = rng.choice([1, 2, 0])
        xml, more = "<target chassisNr='%d'/>" % chassis, {"chassis_nr": chassis}
    elif model.endswith("expander-bus"):
        number = rng.choice([254, 128, 0])
        xml, more = "<target busNr='%d'/>" % number, {"bus_nr": number}
    return part(model, "devices",
                "<controller type='pci' index='1' model='%s'>%s</controller>" % (model, xml),
                device(PCIS[model], id="pci.1", **more))


def other_controller(rng):
    kind, xml, args = rng.choice([
        ("sata", "<controller type='sata' index='0'/>", device("ahci", id="sata0")),
        ("virtio-serial", "<controller type='virtio-serial' index='0'/>",
         device("virtio-serial-pci", id="virtio-serial0")),
        ("virtio-serial-0-ports", "<controller type='virtio-serial' index='0' ports='0'/>",
         device("virtio-serial-pci", id="virtio-serial0", max_ports=0)),
        ("virtio-serial-40-ports", "<controller type='virtio-serial' index='0' ports='40'/>",
         device("virtio-serial-pci", id="virtio-serial0", max_ports=40)),
        ("ccid", "<controller type='ccid' index='0'/>", device("usb-ccid", id="ccid0"))])
    return part("controller-" + kind, "devices", xml, args)


def serial(rng):
    kind, target, driver = rng.choice([
        ("isa", "<target type='isa-serial' port='0'/>", "isa-serial"),
        ("isa", "<target type='isa-serial' port='0'/>", "isa-serial"),
        ("pci", "<target type='pci-serial' port='0'/>", "pci-serial"),
        ("usb", "<target type='usb-serial' port='0'/>", "usb-serial"),
        ("debug", "<target type='isa-debug' port='0'><model name='isa-debugcon'/></target>",
         "isa-debugcon"),
        ("spapr", "<target type='spapr-vio-serial' port='0'/>", "spapr-vty")])
    more = {"index": 0} if driver == "isa-serial" else {}
    return part("serial-" + kind, "devices", "<serial type='null'>%s</serial>" % target,
                ["-chardev", "null,id=charserial0"] +
                device(driver, chardev="charserial0", id="serial0", **more))


def serials(rng):
    count = rng.choice([2, 4, 5])
    args = []
    for port in range(count):
        args += ["-chardev", "null,id=charserial%d" % port]
        args += device("isa-serial", chardev="charserial%d" % port, id="serial%d" % port, index=port)
    return part("serials-%d" % count, "devices", "".join(
        "<serial type='null'><target type='isa-serial' port='%d'/></serial>" % port
        for port in range(count)), args)


def parallel(rng):
    del rng
    return part("parallel", "devices", "<parallel type='null'><target port='0'/></parallel>",
                ["-chardev", "null,id=charparallel0"] +
                device("isa-parallel", chardev="charparallel0", id="parallel0"))


def console(rng):
    del rng
    return part("console-virtio", "devices",
                "<controller type='virtio-serial' index='0'/>"
                "<console type='null'><target type='virtio' port='0'/></console>",
                device("virtio-serial-pci", id="virtio-serial0") +
                ["-chardev", "null,id=charconsole0"] +
                device("virtconsole", chardev="charconsole0", id="console0"))


INPUTS = {("mouse", "usb"): "usb-mouse", ("tablet", "usb"): "usb-tablet",
          ("keyboard", "usb"): "usb-kbd", ("mouse", "virtio"): "virtio-mouse-pci",
          ("tablet", "virtio"): "virtio-tablet-pci", ("keyboard", "virtio"): "virtio-keyboard-pci"}


def input_device(rng):
    kind, bus = rng.choice(list(INPUTS))
    controller, args = "", []
    if bus == "usb" and rng.random() < 0.7:
        controller = "<controller type='usb' index='0' model='qemu-xhci'/>"
        args = device("qemu-xhci", id="usb")
    return part("input-%s-%s" % (bus, kind), "devices",
                controller + "<input type='%s' bus='%s'/>" % (kind, bus),
                args + device(INPUTS[(kind, bus)], id="input0"))


def rng_device(rng):
    model = rng.choice(["virtio", "virtio-transitional", "virtio-non-transitional"])
    driver = model.replace("virtio", "virtio-rng-pci", 1)
    return part("rng-" + model, "devices",
                "<rng model='%s'><backend model='builtin'/></rng>" % model,
                qobject("rng-builtin", "objrng0") + device(driver, rng="objrng0", id="rng0"))


def balloon(rng):
    xml, more = rng.choice([("", {}), (" autodeflate='on'", {"deflate__on__oom": True}),
                            (" freePageReporting='on'", {"free__page__reporting": True})])
    return part("balloon", "balloon", "<memballoon model='virtio'%s/>" % xml,
                device("virtio-balloon-pci", id="balloon0", **more))


def panic(rng):
    model, driver = rng.choice([("isa", "pvpanic"), ("pvpanic", "pvpanic-pci")])
    more = {"ioport": 1285} if model == "isa" else {}
    return part("panic-" + model, "devices", "<panic model='%s'/>" % model, device(driver, **more))


def crypto(rng):
    del rng
    return part("crypto", "devices",
                "<crypto model='virtio' type='qemu'><backend model='builtin' queues='1'/></crypto>",
                qobject("cryptodev-backend-builtin", "objcrypto0", queues=1) +
                device("virtio-crypto-pci", cryptodev="objcrypto0", id="crypto0"))


def shmem(rng):
    model = rng.choice(["ivshmem-plain", "ivshmem-plain", "ivshmem"])
    xml = "<shmem name='q'><model type='%s'/><size unit='M'>4</size></shmem>" % model
    if model == "ivshmem":
        return part("shmem-old", "devices", xml, device("ivshmem", id="shmem0", size="4m", shm="q"))
    return part("shmem", "devices", xml,
                qobject("memory-backend-ram", "shmmem-shmem0", size=4194304) +
                device("ivshmem-plain", id="shmem0", memdev="shmmem-shmem0"))


def pstore(rng):
    del rng
    return part("pstore", "devices",
                "<pstore backend='acpi-erst'><path>/tmp/q</path><size unit='KiB'>8</size></pstore>",
                qobject("memory-backend-ram", "mempstore0", size=65536) +
                device("acpi-erst", id="pstore0", memdev="mempstore0"))


DEVICES = [interface, interface, interface, video, video, sound, sound, watchdog, usb_controller,
           scsi_controller, pci_controller, pci_controller, other_controller, serial, serials,
           parallel, console, input_device, rng_device, balloon, panic, crypto, shmem, pstore]


# --- disks ----------------------------------------------------------------------------------------

BLOCK_SIZES = [("logical_block_size='%d'" % size, {"logical_block_size": size})
               for size in (512, 4096, 300, 256, 65536, 4194304)] + [
    ("logical_block_size='4096' physical_block_size='512'",
     {"logical_block_size": 4096, "physical_block_size": 512})]


def disk_place(bus, rng, family):
    """The device, its properties, and the controller that libvirt would add for it."""
    if bus == "scsi":
        model = rng.choice(["virtio-scsi", "virtio-scsi", "lsilogic", "lsisas1078", "am53c974"])
        return ("scsi-hd", {"bus": "scsi0.0"},
                "<controller type='scsi' index='0' model='%s'/>" % model,
                device(SCSIS[model], id="scsi0"))
    if bus == "usb":
        controller = "<controller type='usb' index='0' model='qemu-xhci'/>"
        return "usb-storage", {}, controller, device("qemu-xhci", id="usb")
    if bus == "sata" and family != "q35":
        return ("ide-hd", {"bus": "sata0.0"}, "<controller type='sata' index='0'/>",
                device("ahci", id="sata0"))
    if bus == "fdc" and family == "q35":
        return "floppy", {"unit": 0}, "", device("isa-fdc", id="fdc0")
    return {"virtio": ("virtio-blk-pci", {}, "", []), "sata": ("ide-hd", {"bus": "ide.0"}, "", []),
            "ide": ("ide-hd", {"bus": "ide.0", "unit": 0}, "", []),
            "fdc": ("floppy", {"unit": 0}, "", [])}[bus]


def disk(rng, image, family):
    """A disk of a file that is there: what holds it is judged, not the file."""
    buses = ["virtio", "virtio", "sata", "scsi", "scsi", "usb", "fdc"]
    bus = rng.choice(buses + (["ide"] if family != "q35" else []))
    xml, more = "", {}
    if bus in ("virtio", "scsi") and rng.random() < 0.4:
        xml, more = rng.choice(BLOCK_SIZES)
        xml = "<blockio %s/>" % xml
    elif bus == "virtio" and rng.random() < 0.4:
        count = rng.choice([1, 4, 65535, 1100])
        xml, more = "<driver name='qemu' type='raw' queues='%d'/>" % count, {"num__queues": count}
    driver, where, controller, args = disk_place(bus, rng, family)
    target = {"virtio": "vda", "ide": "hda", "fdc": "fda"}.get(bus, "sda")
    args = args + ["-blockdev", json.dumps({"driver": "file", "filename": image,
                                            "node-name": "libvirt-1", "locking": "off"})]
    return part("disk-" + bus, "devices",
                controller + "<disk type='file' device='%s'><source file='%s'/>%s"
                "<target dev='%s' bus='%s'/></disk>" % (
                    "floppy" if bus == "fdc" else "disk", image, xml, target, bus),
                args + device(driver, drive="libvirt-1", id="disk0", **where, **more))


# --- what isn't a device --------------------------------------------------------------------------

def genid(rng):
    del rng
    return part("genid", "domain", "<genid>43dc0cf8-809b-4adb-9bea-a9abb5f3d90e</genid>",
                device("vmgenid", guid="43dc0cf8-809b-4adb-9bea-a9abb5f3d90e", id="vmgenid0"))


def vmcoreinfo(rng):
    del rng
    return part("vmcoreinfo", "features", "<vmcoreinfo state='on'/>", device("vmcoreinfo"))


def machine_switch(rng):
    xml, option, place = rng.choice([
        ("<smm state='on'/>", "smm=on", "features"), ("<smm state='off'/>", "smm=off", "features"),
        ("<vmport state='off'/>", "vmport=off", "features"),
        ("<vmport state='on'/>", "vmport=on", "features"),
        ("<timer name='hpet' present='no'/>", "hpet=off", "clock"),
        ("<timer name='hpet' present='yes'/>", "hpet=on", "clock"),
        ("<ps2 state='off'/>", "i8042=off", "features")])
    return part("switch-" + option, place, xml, machine=[option])


def hyperv(rng):
    name, prop = rng.choice([("relaxed", "hv-relaxed=on"), ("vapic", "hv-vapic=on"),
                             ("vpindex", "hv-vpindex=on"), ("runtime", "hv-runtime=on"),
                             ("synic", "hv-synic=on"), ("frequencies", "hv-frequencies=on"),
                             ("tlbflush", "hv-tlbflush=on"), ("ipi", "hv-ipi=on"),
                             ("evmcs", "hv-evmcs=on"), ("avic", "hv-avic=on"),
                             ("emsr_bitmap", "hv-emsr-bitmap=on"),
                             ("xmm_input", "hv-xmm-input=on")])
    return part("hyperv-" + name, "features",
                "<hyperv mode='custom'><%s state='on'/></hyperv>" % name, cpu=[prop])


def kvm_feature(rng):
    xml, option, place = rng.choice([
        ("<kvm><hidden state='on'/></kvm>", "kvm=off", "features"),
        ("<kvm><poll-control state='on'/></kvm>", "kvm-poll-control=on", "features"),
        ("<kvm><hint-dedicated state='on'/></kvm>", "kvm-hint-dedicated=on", "features"),
        ("<pmu state='off'/>", "pmu=off", "features"),
        ("<pvspinlock state='on'/>", "kvm-pv-unhalt=on", "features")])
    return part("kvm-" + option, place, xml, cpu=[option])


def memory_room(rng):
    """Room for memory hot-plug, with a device in it or without."""
    size = rng.choice([1, 16, 1024, 1048576, 268435456])  # GiB: up to 256 EiB
    slots = rng.choice([1, 16, 256, 300])
    domain = "<maxMemory slots='%d' unit='GiB'>%d</maxMemory>" % (slots, size)
    return {"name": "room", "xml": {"domain": domain}, "args": [],
            "memory": "size=65536k,slots=%d,maxmem=%dk" % (slots, size * 1024 * 1024)}


def memory_device(rng):
    kind = rng.choice(["dimm", "nvdimm", "virtio-mem", "virtio-pmem"])
    domain = "<maxMemory slots='16' unit='GiB'>4</maxMemory>"
    xml, args, machine = {
        "dimm": ("<memory model='dimm'><target><size unit='MiB'>128</size><node>0</node></target>"
                 "</memory>",
                 qobject("memory-backend-ram", "memdimm0", size=134217728) +
                 device("pc-dimm", memdev="memdimm0", id="dimm0", slot=0), []),
        "nvdimm": ("<memory model='nvdimm'><source><path>/tmp/q</path></source><target>"
                   "<size unit='MiB'>128</size><node>0</node></target></memory>",
                   qobject("memory-backend-ram", "memnvdimm0", size=134217728) +
                   device("nvdimm", memdev="memnvdimm0", id="nvdimm0", slot=0), ["nvdimm=on"]),
        "virtio-mem": ("<memory model='virtio-mem'><target><size unit='MiB'>128</size>"
                       "<block unit='MiB'>2</block><requested unit='MiB'>0</requested></target>"
                       "</memory>",
                       qobject("memory-backend-ram", "memvirtiomem0", size=134217728) +
                       device("virtio-mem-pci", block__size=2097152, requested__size=0,
                              memdev="memvirtiomem0", id="virtiomem0"), []),
        "virtio-pmem": ("<memory model='virtio-pmem' access='shared'><source><path>/tmp/q</path>"
                        "</source><target><size unit='MiB'>128</size></target></memory>",
                        qobject("memory-backend-ram", "memvirtiopmem0", size=134217728,
                                share=True) +
                        device("virtio-pmem-pci", memdev="memvirtiopmem0", id="virtiopmem0"), []),
    }[kind]
    drawn = part("memory-" + kind, "devices", xml, args, machine=machine)
    if rng.random() < 0.8:
        drawn["xml"]["domain"] = domain
        drawn["memory"] = "size=65536k,slots=16,maxmem=4194304k"
    return drawn


def numa(rng):
    del rng
    xml = ("<numa><cell id='0' cpus='0' memory='32' unit='MiB'/>"
           "<cell id='1' cpus='1' memory='32' unit='MiB'/></numa>")
    args = []
    for cell in (0, 1):
        args += qobject("memory-backend-ram", "ram-node%d" % cell, size=33554432)
        args += ["-numa", "node,nodeid=%d,cpus=%d,memdev=ram-node%d" % (cell, cell, cell)]
    return part("numa", "cpu", xml, args, vcpus=2, numa=True)


def topology(rng):
    sockets, dies, cores, threads = (rng.choice([1, 1, 2]), rng.choice([1, 1, 2]),
                                     rng.choice([1, 2, 4]), rng.choice([1, 2]))
    total = sockets * dies * cores * threads
    return part("topology", "cpu", "<topology sockets='%d' dies='%d' cores='%d' threads='%d'/>" % (
        sockets, dies, cores, threads), vcpus=total,
        smp=",sockets=%d,dies=%d,cores=%d,threads=%d" % (sockets, dies, cores, threads))


def sev(rng):
    del rng
    return part("sev", "domain", "<launchSecurity type='sev'><cbitpos>47</cbitpos>"
                "<reducedPhysBits>1</reducedPhysBits><policy>0x3</policy></launchSecurity>",
                qobject("sev-guest", "lsec0", cbitpos=47, reduced__phys__bits=1, policy=3),
                machine=["confidential-guest-support=lsec0"])


PLATFORM = [genid, genid, vmcoreinfo, machine_switch, machine_switch, machine_switch, hyperv,
            kvm_feature, memory_room, memory_device, memory_device, numa, topology, topology, sev,
            ioapic]


def tpm(rng):
    model = rng.choice(["tpm-tis", "tpm-crb", "tpm-crb", "tpm-spapr"])
    version = rng.choice(["2.0", "2.0", "1.2"])
    return part("%s-%s" % (model, version), "devices",
                "<tpm model='%s'><backend type='emulator' version='%s'/></tpm>" % (model, version),
                ["-tpmdev", "emulator,id=tpm-tpm0,chardev=chrtpm", "-chardev",
                 "socket,id=chrtpm,path=@TPM@"] + device(model, tpmdev="tpm-tpm0", id="tpm0"),
                tpm=version)
