# SPDX-License-Identifier: LGPL-2.1-or-later
"""viommu_draw.py: seeded guests with an assigned device: QEMU's arguments, and of which stratum."""

MACHINES = {
    "7.2": ["q35", "pc-q35-3.1", "pc-q35-4.0", "pc-q35-5.2", "pc-q35-6.2", "pc-q35-7.0",
            "pc-q35-7.1", "pc-q35-7.2"],
    "10.0": ["q35", "pc-q35-5.2", "pc-q35-7.0", "pc-q35-7.2", "pc-q35-8.2", "pc-q35-9.0",
             "pc-q35-9.1", "pc-q35-9.2", "pc-q35-10.0"],
    "11.1": ["q35", "pc-q35-7.0", "pc-q35-7.2", "pc-q35-8.2", "pc-q35-9.1", "pc-q35-9.2",
             "pc-q35-10.0", "pc-q35-10.2", "pc-q35-11.0", "pc-q35-11.1"],
}
IRQCHIP = ["", "", ",kernel-irqchip=split", ",kernel-irqchip=split", ",kernel-irqchip=split",
           ",kernel-irqchip=on", ",kernel-irqchip=off"]
CPUS = ["qemu64", "qemu64,vendor=GenuineIntel", "qemu64,vendor=GenuineIntel", "EPYC",
        "Skylake-Server", "Opteron_G3", "Nehalem"]
PHYS_BITS = [36, 40, 46, 48] + [52] * 8
# All of a guest's memory is pinned in the host, page by page: little of it.
RAM = [32, 64, 64, 128]
DIMM = 64 << 20
# Where hosts end or have holes.
EDGES = [1 << 36, 1 << 38, 1 << 39, 0xfd00000000, 1 << 40, 1 << 46, 1 << 47, 1 << 48]
SCALABLE = {"7.2": "x-scalable-mode", "10.0": "x-scalable-mode", "11.1": "scalable-mode"}
FIRST = {"7.2": "x-flts", "10.0": "x-flts", "11.1": "fsts"}
SWITCH = ["on", "off"]

INTEL = [("device-iotlb", SWITCH), ("dma-translation", SWITCH), ("intremap", ["on", "off", "auto"]),
         ("eim", ["on", "off", "auto"]), ("snoop-control", SWITCH), ("pt", SWITCH),
         ("dma-drain", SWITCH), ("stale-tm", SWITCH), ("fs1gp", SWITCH), ("x-buggy-eim", SWITCH),
         ("x-pasid-mode", SWITCH), ("pasid-bits", ["0", "8", "20", "21"]), ("svm", SWITCH)]
AMD = [("intremap", ["on", "off", "auto"]), ("device-iotlb", SWITCH), ("pt", SWITCH),
       ("xtsup", SWITCH), ("dma-translation", SWITCH)]
VIRTIO = [("granule", ["4k", "8k", "16k", "64k", "host", "4k"]), ("boot-bypass", SWITCH),
          ("disable-legacy", ["on"]), ("ats", SWITCH), ("iommu_platform", ["on"])]


def some(rng, table, most):
    return ["%s=%s" % (name, rng.choice(values))
            for name, values in rng.sample(table, rng.randint(0, most))]


def intel(rng, qemu):
    words = []
    if rng.random() < 0.65:
        words.append("aw-bits=%s" % rng.choice(["39", "39", "48", "48", "48", "57", "40"]
                                               if rng.random() < 0.3 else ["39", "48"]))
    if rng.random() < 0.8:
        words.append("caching-mode=%s" % rng.choice(["on"] * 6 + ["off"]))
    if rng.random() < 0.25:
        other = rng.random() < 0.1
        spelling = {"x-scalable-mode": "scalable-mode", "scalable-mode": "x-scalable-mode"}
        name = SCALABLE[qemu]
        words.append("%s=on" % (spelling[name] if other else name))
        if rng.random() < 0.5:
            words.append("%s=on" % FIRST[qemu])
    elif rng.random() < 0.05:
        words.append("%s=on" % FIRST[qemu])
    return words + some(rng, INTEL, rng.choice([0, 0, 1, 1, 2]))


def amd(rng, qemu):
    words = some(rng, AMD, 2)
    if qemu == "11.1" or rng.random() < 0.1:
        words += ["dma-remap=%s" % rng.choice(["on", "on", "off"])] if rng.random() < 0.7 else []
    return words


def virtio(rng, _qemu):
    words = some(rng, VIRTIO, rng.choice([0, 1, 2]))
    if rng.random() < 0.5:
        words.append("aw-bits=%d" % rng.choice([32, 39, 40, 48, 52, 64, 64, 31]))
    return words


MODELS = {"intel-iommu": intel, "amd-iommu": amd, "virtio-iommu-pci": virtio}


def viommu(rng, qemu):
    """(stratum, arguments)"""
    model = rng.choice(["none"] * 3 + ["intel-iommu"] * 8 + ["amd-iommu"] * 3 +
                       ["virtio-iommu-pci"] * 4)
    if model == "none":
        return model, []
    words = MODELS[model](rng, qemu)
    if words and rng.random() < 0.08:
        moved = words.pop(rng.randrange(len(words)))
        return model, ["-global", "%s.%s" % (model, moved), "-device", ",".join([model] + words)]
    return model, ["-device", ",".join([model] + words)]


def size(n):
    for unit, name in ((40, "T"), (30, "G"), (20, "M")):
        if n and not n % (1 << unit):
            return "%d%s" % (n >> unit, name)
    return "%d" % (n >> 20)


def cpu(rng, likely):
    if rng.random() > likely:
        return []
    text = rng.choice(CPUS)
    if rng.random() < 0.75:
        text += ",phys-bits=%d" % rng.choice(PHYS_BITS)
    return ["-cpu", text]


def dimm(rng, where):
    """A DIMM at an address, with room for it as a rule; or wherever QEMU puts it."""
    ram, words = rng.choice(RAM) << 20, []
    if where is None:
        top = rng.choice([1 << 30, 4 << 30, 1 << 37, 1 << 39, 2 << 40])
        address = ""
    else:
        address = ",addr=%#x" % where
        top = rng.choice([2 << 40, 2 << 40, 4 << 40, 510 << 40]) if where < 1 << 41 else \
            rng.choice([where + DIMM, 2 * where])
        top = min(top, 1 << 50) >> 30 << 30
    words += ["-m", "%s,slots=%d,maxmem=%s" % (size(ram), rng.choice([1, 2, 4]), size(top))]
    words += ["-cpu", "%s,phys-bits=%d" % (rng.choice(CPUS[:5]), rng.choice(PHYS_BITS))] \
        if rng.random() < 0.95 else []
    return words + ["-object", "memory-backend-ram,id=m0,size=%s" % size(DIMM),
                    "-device", "pc-dimm,memdev=m0" + address]


def memory(rng):
    """(stratum, arguments, what -machine says)"""
    kind = rng.choice(["plain"] * 6 + ["maxmem"] * 2 + ["dimm"] * 4 + ["dimm-free", "below-4g",
                                                                      "below-4g"])
    ram = rng.choice(RAM) << 20
    if kind == "plain":
        return kind, ["-m", size(ram)] + cpu(rng, 0.3), ""
    if kind == "maxmem":
        most = rng.choice([4 << 30, 64 << 30, 512 << 30, 900 << 30, 1 << 40, 2 << 40, 100 << 40])
        return kind, ["-m", "%s,slots=2,maxmem=%s" % (size(ram), size(most))] + cpu(rng, 0.9), ""
    if kind == "dimm":
        edge = rng.choice(EDGES)
        return kind, dimm(rng, rng.choice([edge - DIMM, edge, edge - DIMM // 2, edge + DIMM])), ""
    if kind == "dimm-free":
        return kind, dimm(rng, None), ""
    more = ",max-ram-below-4g=%s" % rng.choice(["16M", "64M", "1G"])
    most = rng.choice([4 << 30, 900 << 30, 1 << 40, 2 << 40, 4 << 40])
    words = ["-m", "%s,slots=2,maxmem=%s" % (size(ram), size(most))] if rng.random() < 0.7 else \
        ["-m", size(ram)]
    return kind, words + cpu(rng, 0.9), more


def draw(rng, qemu, address):
    """One guest: {"qemu", "machine", "args", "kind"}."""
    layout, args, more = memory(rng)
    model, before = viommu(rng, qemu)
    iommufd = rng.random() < (0.08 if qemu == "7.2" else 0.5)
    device = ["-device", "vfio-pci,host=" + address]
    if iommufd:
        device = ["-object", "iommufd,id=iommufd0"] + device
        device[-1] += ",iommufd=iommufd0"
    order = "first"
    if model != "none" and rng.random() < 0.12:
        before, device, order = device, before, "late"
    elif model != "none" and rng.random() < 0.03:
        other = rng.choice(sorted(MODELS))
        device += ["-device", ",".join([other] + MODELS[other](rng, qemu))]
        order = "two"
    machine = rng.choice(MACHINES[qemu])
    if rng.random() < 0.06:
        machine = machine.replace("q35", "i440fx") if "-" in machine else "pc"
    machine += rng.choice(IRQCHIP) + more
    return {"qemu": qemu, "machine": machine, "args": args + before + device,
            "kind": {"model": model, "memory": layout, "order": order,
                     "backend": "iommufd" if iommufd else "container"}}
