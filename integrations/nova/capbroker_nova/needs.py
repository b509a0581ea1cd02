# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a guest that isn't there yet will need, by its flavor and image: a small domain definition.

Only what flavors and images decide is in it: architecture, machine type, CPU features asked for by
traits, physical address bits, the virtual IOMMU. The rest is the compute nodes' own configuration.
"""

from xml.sax.saxutils import quoteattr

X86 = ("x86_64", "i686")


def required_traits(extra_specs, image_traits):
    """All traits that flavor and image require, of whichever group."""
    traits = set(image_traits or ())
    for key, value in extra_specs.items():
        group, colon, trait = key.partition(":")
        if colon and group.startswith("trait") and value == "required":
            traits.add(trait)
    return traits


def features_of(traits, mapping):
    """libvirt's names of the CPU features among @traits; @mapping: Nova's, name → trait or traits."""
    names = set()
    for name, of in mapping.items():
        if traits & ({of} if isinstance(of, str) else set(of)):
            names.add(name)
    return sorted(names)


def cpu_xml(arch, features, extra_specs, image, mode, model):
    mode = mode or ("host-passthrough" if arch == "aarch64" else "host-model")
    lines = [f"<cpu mode={quoteattr(mode)}>"]
    if mode == "custom" and model:
        lines.append(f"<model fallback='forbid'>{''.join(c for c in model if c.isalnum() or c in '-._')}</model>")
    bits = extra_specs.get("hw:maxphysaddr_bits") or image("hw_maxphysaddr_bits")
    how = extra_specs.get("hw:maxphysaddr_mode") or image("hw_maxphysaddr_mode")
    if how:
        lines.append(f"<maxphysaddr mode={quoteattr(how)}" + (f" bits={quoteattr(str(bits))}" if bits else "") + "/>")
    lines += [f"<feature policy='require' name={quoteattr(name)}/>" for name in features]
    return "".join(lines) + "</cpu>"


def viommu_xml(machine, model):
    """(features, device) as Nova writes them."""
    if not model:
        return "", ""
    if model == "auto":
        model = "virtio"  # so from libvirt 8.3 on, whatever the machine type
    eim = "on" if machine and "q35" in machine else "off"
    return ("<ioapic driver='qemu'/>",
            f"<iommu model={quoteattr(model)}><driver intremap='on' caching_mode='on' aw_bits='48' eim='{eim}' "
            "iotlb='on'/></iommu>")


def domain_xml(extra_specs, image, *, vcpus, memory_mb, mapping, name="guest", machine=None, virt_type="kvm",
               cpu_mode=None, cpu_model=None):
    """@image: a function from a property's name to its value; @machine: one that was fixed before"""
    arch = image("hw_architecture")
    machine = machine or image("hw_machine_type")
    features = []
    if not arch or arch in X86:
        features = features_of(required_traits(extra_specs, image("traits_required")), mapping)
    apic, iommu = viommu_xml(machine, extra_specs.get("hw:viommu_model") or image("hw_viommu_model"))
    os_type = "".join(f" {key}={quoteattr(value)}" for key, value in (("arch", arch), ("machine", machine)) if value)
    return (f"<domain type={quoteattr(virt_type)}><name>{name}</name><memory unit='MiB'>{int(memory_mb)}</memory>"
            f"<vcpu>{int(vcpus)}</vcpu><os><type{os_type}>hvm</type></os><features><acpi/><apic/>{apic}</features>"
            + cpu_xml(arch, features, extra_specs, image, cpu_mode, cpu_model) + f"<devices>{iommu}</devices></domain>")
