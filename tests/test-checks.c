/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-checks.c: each named check is fired by a host and a guest that differ from a sound pair in
 * one thing, and by that alone; a check that no row fires fails the test.
 */
#include "config.h"

#include <string.h>

#include "guest/needs.h"
#include "judge/rulebook.h"
#include "judge/verdict.h"

/* Documents are written with ' for " and parsed after replacing it. */
#define HEAD "{'format':'capbroker.profile/1','host':{'name':'h','arch':'x86_64'},"
#define SOURCES "'probe':{'sources':[{'name':'cpuid','state':'ok','complete':true,'view':'raw'}]},"
#define PHYS                                                                                      \
	"{'id':'cpu.phys-bits','value':39,'state':'known','scope':{'view':'raw'},'origin':'t'}"
#define FACTS "'facts':[" PHYS "],"
#define QEMU                                                                                      \
	"{'path':'/usr/bin/qemu-system-x86_64','version':'10.0.3','accel':'kvm','machine':'none'," \
	"'complete':true,'migratable':false,"                                                     \
	"'machines':[{'name':'pc-q35-10.0','alias':'q35','cpu_max':288},"                         \
	"{'name':'pc-i440fx-2.6','deprecated':true,'cpu_max':240}],"                              \
	"'cpu_models':[{'name':'486','usable':true,'missing':[]},"                                \
	"{'name':'Nehalem','usable':false,'missing':['sse4.2']}],"                                \
	"'devices':{'cpu':['fpu','pse','vme','de','sse4-2','invtsc','rdctl-no','arch-capabilities','hypervisor','lm','vmx']},"
#define OFFER_OF(vendor, more)                                                                    \
	"'facts':[{'id':'cpu.fpu','value':true},{'id':'cpu.pse','value':true},"                   \
	"{'id':'cpu.vme','value':true},{'id':'cpu.vendor','value':'" vendor "'}" more "]}"
#define OFFER(more) OFFER_OF("Intel", more)
#define HOST_WITH(more) HEAD SOURCES FACTS "'emulators':[" QEMU OFFER(more) "]}"
#define HOST HOST_WITH("")
#define DEVICES                                                                                   \
	",{'path':'/usr/bin/qemu-system-x86_64','accel':'tcg','machine':'none','facts':[],"       \
	"'devices':{'igb':['mac'],'hda-ich9':null},'devices_complete':true,'objects':['secret']}"
#define HOST_DEVICES HEAD SOURCES FACTS "'emulators':[" QEMU OFFER("") DEVICES "]}"
#define LIBVIRT9                                                                                  \
	",{'id':'libvirt.version','value':'9.0.0','state':'known','scope':{'view':'libvirt'},'origin':'t'}"
#define NO_NESTED_STATE                                                                           \
	",{'id':'kvm.nested-state','value':0,'state':'known','scope':{'view':'kvm'},'origin':'t'}"
#define HOST_NO_NESTED_STATE                                                                      \
	HEAD SOURCES "'facts':[" PHYS NO_NESTED_STATE "],'emulators':["                           \
	QEMU OFFER(",{'id':'cpu.vmx','value':true}") "]}"
#define SETTABLE(value)                                                                           \
	",{'id':'kvm.arch-capabilities-settable','value':" value ",'state':'known',"              \
	"'scope':{'view':'kvm'},'origin':'t'}"
#define ARCH_CAPS                                                                                 \
	",{'id':'cpu.arch-capabilities','value':true},{'id':'msr.arch-cap.rdctl-no','value':true}"
#define HOST_LISTS(settable)                                                                      \
	HEAD SOURCES "'facts':[" PHYS SETTABLE(settable) "],'emulators':[" QEMU OFFER(ARCH_CAPS) "]}"
#define HOST_AMD(more)                                                                            \
	HEAD SOURCES "'facts':[" PHYS more "],'emulators':[" QEMU OFFER_OF("AMD", ARCH_CAPS) "]}"
#define INSIDE                                                                                    \
	",{'id':'cpu.hypervisor','value':true,'state':'known','scope':{'view':'raw'},'origin':'t'}"
#define IMMUNE                                                                                    \
	"<cpu check='partial'><model>486</model><feature policy='optional' name='arch-capabilities'/>" \
	"<feature policy='optional' name='rdctl-no'/></cpu>"
#define HOST_LIBVIRT9 HEAD SOURCES "'facts':[" PHYS LIBVIRT9 "],'emulators':[" QEMU OFFER("") "]}"

#define HOST_TCG                                                                                  \
	HEAD SOURCES "'facts':[" PHYS "],'emulators':[{'path':'/usr/bin/qemu-system-x86_64',"         \
	"'version':'10.0.3','accel':'tcg','machine':'none','complete':true,'machines':"               \
	"[{'name':'pc-q35-10.0','alias':'q35','cpu_max':4096}],'facts':[{'id':'cpu.x2apic','value':true}]}]}"
#define LAID_OUT(vcpus, topology)                                                                 \
	DOMAIN("type='qemu'", vcpus, "q35", "<cpu><topology " topology "/></cpu>", "")
#define HOST_PINNED(processors)                                                                   \
	HEAD SOURCES "'facts':[" PHYS LIBVIRT9                                                        \
	",{'id':'host.processors','value':" processors ",'state':'known','scope':{'view':'kernel'},"  \
	"'origin':'t'}],'emulators':[" QEMU OFFER("") "]}"
#define PINNED(pins) DOMAIN(KVM, "1", "q35", CPU486 "<cputune>" pins "</cputune>", "")
#define ARM_HOST                                                                                  \
	"{'format':'capbroker.profile/1','host':{'name':'h','arch':'aarch64'},'facts':["          \
	"{'id':'arm64.gic-versions','value':['3'],'state':'known','scope':{'view':'kvm'},"        \
	"'origin':'t'}],'emulators':[{'path':'/usr/bin/qemu-system-aarch64','version':'10.0.3',"  \
	"'accel':'kvm','machine':'none','machines':[{'name':'virt-10.0','alias':'virt',"          \
	"'cpu_max':512}],'facts':[]}]}"
#define ARM_DOMAIN(features)                                                                      \
	"<domain type='kvm'><name>g</name><vcpu>1</vcpu><os><type arch='aarch64' machine='virt'>" \
	"hvm</type></os><features>" features "</features></domain>"

#define DOMAIN(attributes, vcpu, machine, cpu, devices)                                           \
	"<domain " attributes "><name>g</name><vcpu>" vcpu "</vcpu><os><type arch='x86_64' "      \
	"machine='" machine "'>hvm</type></os>" cpu "<devices>" devices "</devices></domain>"
#define KVM "type='kvm'"
#define CPU486 "<cpu mode='custom' check='partial'><model>486</model></cpu>"

#define SOUND_AT(bus, slot, function)                                                              \
	"<sound model='ich6'><address type='pci' domain='0x0000' bus='" bus "' slot='" slot            \
	"' function='" function "'/></sound>"
#define PORT "<controller type='pci' index='1' model='pcie-root-port'/>"
#define UNIT(unit) "<address type='drive' controller='0' bus='0' target='0' unit='" unit "'/>"
#define CHANNEL_AT(port)                                                                           \
	"<channel type='null'><target type='virtio'/><address type='virtio-serial' controller='0' "    \
	"bus='0' port='" port "'/></channel>"

/* A host with one unit of VT-d before one device that could be moved. */
#define KNOWN(id, value) ",{'id':'" id "','value':" value ",'state':'known','scope':{'view':'kernel'},'origin':'t'}"
#define WHOLE                                                                                     \
	"'probe':{'sources':[{'name':'cpuid','state':'ok','complete':true,'view':'raw'},"         \
	"{'name':'pci','state':'ok','complete':true}]},"
#define VTD39 "[['0x0','0xfedfffff'],['0xfef00000','0x7fffffffff']]"
#define VTD32 "[['0x0','0x3fffffff']]"
#define HOLED "[['0x0','0xfedfffff'],['0xfef00000','0xfcffffffff'],['0x10000000000','0xffffffffffffffff']]"
#define NEIGHBOUR(driver)                                                                         \
	",{'address':'0000:01:00.1','vendor':'0x8086','device':'0x10d3','class':'0x040300',"      \
	"'iommu':'dmar0'" driver ",'group':7,'eligible':true,'facts':[]}"
#define HOST_UNITS(version, ranges, remapped) HOST_MEMBERS(version, ranges, remapped, "")
#define HOST_MEMBERS(version, ranges, remapped, MEMBER)                                                     \
	HEAD WHOLE "'facts':[" PHYS KNOWN("iommu.option.unsafe-interrupts", "false")            \
	KNOWN("iommu.interrupt-remapping", remapped) "],'iommus':[{'id':'dmar0','type':'vtd',"    \
	"'facts':[{'id':'iommu.ranges','value':" ranges ",'state':'known',"                       \
	"'scope':{'view':'kernel'},'origin':'t'}],'devices':['0000:01:00.0']}],"                  \
	"'devices':[{'address':'0000:01:00.0','vendor':'0x8086','device':'0x10d3','class':'0x020000'," \
	"'iommu':'dmar0','driver':null,'group':7,'eligible':true,'facts':["                       \
	"{'id':'vfio.migration.stop-copy','value':true,'state':'known','scope':{'view':'kernel'},'origin':'t'}" \
	KNOWN("vfio.device-features", "['migration','dma-logging-start']") "]}" MEMBER "],"       \
	"'emulators':[{'path':'/usr/bin/qemu-system-x86_64','version':'" version "',"             \
	"'accel':'kvm','machine':'none','complete':true,'migratable':false,"                      \
	"'machines':[{'name':'pc-q35-10.0','alias':'q35','cpu_max':288}],"                        \
	OFFER("") "]}"
#define UNITS39 HOST_UNITS("10.0.3", VTD39, "true")
#define ASSIGNED(more, bus)                                                                       \
	"<domain type='kvm'><name>g</name><memory unit='GiB'>2</memory><vcpu>1</vcpu><os>"        \
	"<type arch='x86_64' machine='pc-q35-10.0'>hvm</type></os><features><acpi/><ioapic driver='qemu'/>" \
	"</features><devices>" more "<hostdev mode='subsystem' type='pci'><source>"     \
	"<address domain='0' bus='" bus "' slot='0' function='0'/></source></hostdev></devices></domain>"
#define INTEL(attributes) "<iommu model='intel'><driver intremap='on' " attributes "/></iommu>"
#define OVERRIDDEN(property, value)                                                               \
	"<domain type='kvm' xmlns:qemu='" XML_QEMU_NAMESPACE "'><name>g</name><vcpu>1</vcpu><os>" \
	"<type arch='x86_64' machine='pc-q35-10.0'>hvm</type></os><features><acpi/><ioapic driver='qemu'/>" \
	"</features><devices>" INTEL("") "</devices><qemu:override><qemu:device alias='iommu0'>" \
	"<qemu:frontend><qemu:property name='" property "' type='string' value='" value "'/>"     \
	"</qemu:frontend></qemu:device></qemu:override></domain>"

static const struct row {
	const char *check; /* the one finding expected; NULL: none */
	enum verdict start, migrate;
	const char *host, *guest;
} rows[] = {
	{ NULL, V_OK, V_OK, HOST, DOMAIN(KVM, "1", "q35", CPU486, "") },
	{ NULL, V_OK, V_OK, HOST, DOMAIN(KVM, "1", "pc-q35-10.0", "", "") },
	{ NULL, V_OK, V_OK, HOST, "<cpu match='exact'><model>486</model></cpu>" },
	{ "arch-supported", V_UNKNOWN, V_UNKNOWN, HEAD "'facts':[]}",
	  "<domain type='qemu'><name>g</name><os><type arch='aarch64' machine='virt'>hvm</type></os></domain>" },
	{ "gic-version", V_BLOCK, V_BLOCK, ARM_HOST, ARM_DOMAIN("<gic version='2'/>") },
	{ NULL, V_OK, V_OK, ARM_HOST, ARM_DOMAIN("<gic version='3'/>") },
	{ "accel-available", V_BLOCK, V_BLOCK, HOST, DOMAIN("type='xen'", "1", "q35", CPU486, "") },
	{ "accel-available", V_UNKNOWN, V_UNKNOWN, HOST, DOMAIN("type='qemu'", "1", "q35", "", "") },
	{ "emulator-present", V_BLOCK, V_BLOCK, HOST,
	  DOMAIN(KVM, "1", "q35", "", "<emulator>/usr/libexec/qemu-kvm</emulator>") },
	{ "emulator-present", V_BLOCK, V_BLOCK,
	  HEAD SOURCES FACTS "'emulators':[{'view':'libvirt','accel':'kvm','path':'/usr/bin/qemu-system-i386','machine':'q35'}]}",
	  DOMAIN(KVM, "1", "q35", "", "<emulator>/usr/bin/qemu-system-i386</emulator>") },
	{ "machine-present", V_BLOCK, V_BLOCK, HOST, DOMAIN(KVM, "1", "pc-q35-11.0", CPU486, "") },
	{ "machine-deprecated", V_WARN, V_WARN, HOST, DOMAIN(KVM, "1", "pc-i440fx-2.6", CPU486, "") },
	{ "vcpu-limit", V_BLOCK, V_BLOCK, HOST, DOMAIN(KVM, "289", "q35", CPU486, "") },
	{ NULL, V_OK, V_OK, HOST, DOMAIN(KVM, "256", "q35", CPU486, "") },
	{ "vcpu-limit", V_BLOCK, V_BLOCK, HOST_TCG, LAID_OUT("255", "sockets='85' cores='3' threads='1'") },
	{ NULL, V_OK, V_OK, HOST_TCG, LAID_OUT("252", "sockets='63' cores='2' threads='2'") },
	{ "cpu-pinning", V_BLOCK, V_BLOCK, HOST_PINNED("'0-3,8'"), PINNED("<vcpupin vcpu='0' cpuset='4-7'/>") },
	{ "cpu-pinning", V_BLOCK, V_BLOCK, HOST_PINNED("'0-3,8'"), PINNED("<emulatorpin cpuset='3-'/>") },
	{ "cpu-pinning", V_WARN, V_WARN, HOST_PINNED("'0-3,8'"), PINNED("<vcpupin vcpu='0' cpuset='8-9'/>") },
	{ "cpu-pinning", V_UNKNOWN, V_UNKNOWN, HOST_LIBVIRT9, PINNED("<iothreadpin cpuset='0'/>") },
	{ NULL, V_OK, V_OK, HOST_PINNED("'0-3,8'"),
	  PINNED("<vcpupin vcpu='0' cpuset='1-4,^4,8'/><vcpupin vcpu='1' cpuset='9'/>") },
	{ "cpu-facts-known", V_UNKNOWN, V_UNKNOWN, HEAD "'facts':[]}", "<cpu><model>486</model></cpu>" },
	{ "cpu-mode-supported", V_BLOCK, V_BLOCK,
	  HEAD SOURCES FACTS "'emulators':[" QEMU OFFER("") ",{'view':'libvirt','accel':'kvm',"
	  "'path':'/usr/bin/qemu-system-x86_64','machine':'pc-q35-10.0','modes':{'maximum':false}}]}",
	  DOMAIN(KVM, "1", "q35", "<cpu mode='maximum'/>", "") },
	{ "cpu-model-known", V_BLOCK, V_BLOCK, HOST,
	  DOMAIN(KVM, "1", "q35", "<cpu mode='custom' check='partial'><model>Penryn</model></cpu>", "") },
	{ "cpu-model-known", V_UNKNOWN, V_UNKNOWN, HOST, "<cpu><model>nosuch</model></cpu>" },
	{ "cpu-feature-known", V_BLOCK, V_BLOCK, HOST,
	  DOMAIN(KVM, "1", "q35",
		 "<cpu mode='custom' check='partial'><model>486</model><feature policy='disable' name='avx10'/></cpu>",
		 "") },
	{ "cpu-feature-known", V_UNKNOWN, V_UNKNOWN, HOST,
	  "<cpu match='exact'><model>486</model><feature policy='require' name='nobody-knows-it'/></cpu>" },
	{ "cpu-vendor", V_BLOCK, V_BLOCK, HOST,
	  DOMAIN(KVM, "1", "q35",
		 "<cpu mode='custom' check='partial'><model>486</model><vendor>AMD</vendor></cpu>", "") },
	{ "cpu-msr-settable", V_BLOCK, V_BLOCK, HOST_LISTS("false"),
	  DOMAIN(KVM, "1", "q35", IMMUNE, "") },
	{ "cpu-msr-settable", V_UNKNOWN, V_UNKNOWN, HOST_AMD(INSIDE), DOMAIN(KVM, "1", "q35", IMMUNE, "") },
	{ NULL, V_OK, V_OK, HOST_AMD(""), DOMAIN(KVM, "1", "q35", IMMUNE, "") },
	{ NULL, V_OK, V_OK, HOST_AMD(INSIDE SETTABLE("true")), DOMAIN(KVM, "1", "q35", IMMUNE, "") },
	{ NULL, V_OK, V_OK, HOST_LISTS("false"), DOMAIN(KVM, "1", "q35", CPU486, "") },
	{ "cpu-missing", V_BLOCK, V_BLOCK, HOST_WITH(",{'id':'cpu.hypervisor','value':true}"),
	  DOMAIN(KVM, "1", "q35",
		 "<cpu mode='custom' check='full'><model>486</model><feature policy='require' name='de'/>"
		 "<feature policy='require' name='hypervisor'/></cpu>",
		 "") },
	{ "cpu-missing", V_BLOCK, V_BLOCK, HOST,
	  "<cpu match='exact'><model>486</model><feature policy='require' name='de'/></cpu>" },
	{ "cpu-forbidden", V_BLOCK, V_BLOCK, HOST_WITH(",{'id':'cpu.de','value':true}"),
	  "<cpu match='exact'><model>486</model><feature policy='forbid' name='de'/></cpu>" },
	{ "cpu-extra", V_BLOCK, V_BLOCK, HOST_WITH(",{'id':'cpu.de','value':true}"),
	  "<cpu match='strict'><model>486</model></cpu>" },
	{ "cpu-extra", V_BLOCK, V_BLOCK, HOST,
	  DOMAIN(KVM, "1", "q35", "<cpu mode='custom' check='full'><model>486</model></cpu>", "") },
	{ "cpu-extra", V_BLOCK, V_BLOCK,
	  HOST_WITH(",{'id':'cpu.hypervisor','value':true},{'id':'cpu.x2apic','value':true}"),
	  DOMAIN(KVM, "1", "q35",
		 "<cpu mode='custom' check='full'><model>486</model>"
		 "<feature policy='require' name='hypervisor'/></cpu>", "") },
	{ "cpu-extra", V_BLOCK, V_BLOCK,
	  HOST_WITH(",{'id':'cpu.hypervisor','value':true},{'id':'cpu.de','value':true}"),
	  DOMAIN(KVM, "1", "q35",
		 "<cpu mode='custom' check='full'><model>486</model>"
		 "<feature policy='require' name='hypervisor'/></cpu>", "") },
	/* the host's model takes the place of one that nobody knows */
	{ "cpu-contract-open", V_WARN, V_WARN, HOST_LIBVIRT9,
	  DOMAIN(KVM, "1", "q35",
		 "<cpu mode='custom' match='minimum' check='none'><model>nosuch</model></cpu>", "") },
	{ "cpu-contract-open", V_WARN, V_WARN, HOST,
	  DOMAIN(KVM, "1", "q35", "<cpu mode='custom' check='none'><model>486</model></cpu>", "") },
	{ "cpu-obligation", V_OK, V_WARN,
	  HOST_WITH(",{'id':'cpu.arch-capabilities','value':true},{'id':'msr.arch-cap.rsba','value':true}"),
	  DOMAIN("type='kvm' id='3'", "1", "q35",
		 "<cpu mode='custom' match='exact' check='partial'><model>486</model>"
		 "<feature policy='require' name='arch-capabilities'/></cpu>", "") },
	{ "cpu-unmigratable", V_OK, V_BLOCK, HOST_WITH(",{'id':'cpu.invtsc','value':true}"),
	  DOMAIN(KVM, "1", "q35",
		 "<cpu mode='custom' check='partial'><model>486</model><feature policy='require' name='invtsc'/></cpu>",
		 "") },
	{ "nested-guests", V_OK, V_WARN, HOST_NO_NESTED_STATE,
	  DOMAIN(KVM, "1", "q35",
		 "<cpu mode='custom' check='partial'><model>486</model><feature policy='require' name='vmx'/></cpu>",
		 "") },
	{ "cpu-host-bound", V_OK, V_UNKNOWN, HOST,
	  DOMAIN(KVM, "1", "q35", "<cpu mode='host-passthrough'/>", "") },
	{ "phys-bits", V_BLOCK, V_BLOCK, HOST,
	  DOMAIN(KVM, "1", "q35",
		 "<cpu mode='custom' check='partial'><model>486</model><maxphysaddr mode='emulate' bits='32'/></cpu>",
		 "") },
	{ "phys-bits", V_BLOCK, V_BLOCK, HOST_WITH(",{'id':'cpu.lm','value':true}"),
	  DOMAIN(KVM, "1", "q35",
		 "<cpu mode='custom' check='partial'><model>486</model><maxphysaddr mode='emulate' bits='40'/>"
		 "<feature policy='require' name='lm'/></cpu>",
		 "") },
	{ NULL, V_OK, V_OK, HOST_WITH(",{'id':'cpu.lm','value':true}"),
	  DOMAIN(KVM, "1", "q35",
		 "<cpu mode='custom' check='partial'><model>486</model><maxphysaddr mode='emulate' bits='36'/>"
		 "<feature policy='require' name='lm'/></cpu>",
		 "") },
	{ "address-space", V_BLOCK, V_BLOCK, HOST,
	  "<domain type='kvm'><name>g</name><memory unit='GiB'>1000</memory><vcpu>1</vcpu><os><type "
	  "arch='x86_64' machine='q35'>hvm</type></os><devices/></domain>" },
	{ NULL, V_OK, V_OK, HOST,
	  "<domain type='kvm'><name>g</name><memory unit='GiB'>970</memory><vcpu>1</vcpu><os><type "
	  "arch='x86_64' machine='q35'>hvm</type></os><devices/></domain>" },
	{ "machine-deprecated", V_WARN, V_WARN, HOST, /* of 32-bit CPUs it isn't asked there */
	  "<domain type='kvm'><name>g</name><memory unit='GiB'>1990</memory><vcpu>1</vcpu><os><type "
	  "arch='x86_64' machine='pc-i440fx-2.6'>hvm</type></os>" CPU486 "<devices/></domain>" },
	{ "tsc-frequency", V_UNKNOWN, V_UNKNOWN, HOST,
	  "<domain type='kvm'><name>g</name><os><type machine='q35'>hvm</type></os><clock offset='utc'>"
	  "<timer name='tsc' frequency='2800000000'/></clock></domain>" },
	{ "device-addresses", V_BLOCK, V_BLOCK, HOST,
	  DOMAIN(KVM, "1", "q35", CPU486, SOUND_AT("0", "5", "0") SOUND_AT("0x00", "0x05", "0x0")) },
	{ NULL, V_OK, V_OK, HOST,
	  DOMAIN(KVM, "1", "q35", CPU486, SOUND_AT("0", "5", "0") SOUND_AT("0", "5", "1")) },
	{ "device-addresses", V_BLOCK, V_BLOCK, HOST,
	  DOMAIN(KVM, "1", "q35", CPU486, SOUND_AT("0", "32", "0")) },
	{ "device-addresses", V_BLOCK, V_BLOCK, HOST,
	  DOMAIN(KVM, "1", "q35", CPU486, SOUND_AT("0", "5", "8")) },
	{ "device-addresses", V_BLOCK, V_BLOCK, HOST,
	  DOMAIN(KVM, "1", "q35", CPU486, SOUND_AT("0", "0x1f", "3")) },
	{ NULL, V_OK, V_OK, HOST,
	  DOMAIN(KVM, "1", "q35", CPU486, SOUND_AT("0", "0x1f", "4")) },
	{ "device-addresses", V_BLOCK, V_BLOCK, HOST,
	  DOMAIN(KVM, "1", "q35", CPU486, PORT SOUND_AT("1", "1", "0")) },
	{ NULL, V_OK, V_OK, HOST,
	  DOMAIN(KVM, "1", "q35", CPU486, PORT SOUND_AT("1", "0", "0")) },
	{ "device-addresses", V_BLOCK, V_BLOCK, HOST,
	  DOMAIN(KVM, "1", "q35", CPU486, "<disk><target dev='sda' bus='scsi'/>" UNIT("0") "</disk><disk><target dev='sdb' bus='scsi'/>" UNIT("0") "</disk>") },
	{ NULL, V_OK, V_OK, HOST,
	  DOMAIN(KVM, "1", "q35", CPU486, "<disk><target dev='sda' bus='scsi'/>" UNIT("0") "</disk><disk><target dev='sdb' bus='scsi'/>" UNIT("1") "</disk>") },
	{ "device-addresses", V_BLOCK, V_BLOCK, HOST,
	  DOMAIN(KVM, "1", "q35", CPU486, CHANNEL_AT("1") CHANNEL_AT("1")) },
	{ NULL, V_OK, V_OK, HOST,
	  DOMAIN(KVM, "1", "q35", CPU486, CHANNEL_AT("1") CHANNEL_AT("2")) },
	{ "part-judged", V_UNKNOWN, V_UNKNOWN, HOST,
	  DOMAIN(KVM, "1", "q35", CPU486, "<hostdev type='usb'/>") },
	{ NULL, V_OK, V_OK, HOST, DOMAIN(KVM, "1", "q35", CPU486, "<iommu model='intel'/>") },
	{ "host-device-present", V_BLOCK, V_BLOCK, UNITS39, ASSIGNED("", "2") },
	{ "host-device-present", V_UNKNOWN, V_UNKNOWN, HOST, ASSIGNED("", "1") },
	{ NULL, V_OK, V_OK, UNITS39, ASSIGNED("", "1") },
	{ "host-device-isolated", V_BLOCK, V_BLOCK, HOST_UNITS("10.0.3", VTD39, "false"), ASSIGNED("", "1") },
	{ "host-device-group", V_BLOCK, V_BLOCK,
	  HOST_MEMBERS("10.0.3", VTD39, "true", NEIGHBOUR(",'driver':'snd_hda_intel'")), ASSIGNED("", "1") },
	{ "host-device-group", V_UNKNOWN, V_UNKNOWN, HOST_MEMBERS("10.0.3", VTD39, "true", NEIGHBOUR("")),
	  ASSIGNED("", "1") },
	{ NULL, V_OK, V_OK, HOST_MEMBERS("10.0.3", VTD39, "true", NEIGHBOUR(",'driver':null")), ASSIGNED("", "1") },
	{ NULL, V_OK, V_OK, HOST_MEMBERS("10.0.3", VTD39, "true", NEIGHBOUR(",'driver':'vfio-pci'")),
	  ASSIGNED("", "1") },
	{ "host-device-mappable", V_BLOCK, V_BLOCK, HOST_UNITS("10.0.3", VTD32, "true"), ASSIGNED("", "1") },
	{ "viommu-properties", V_BLOCK, V_BLOCK, HOST, OVERRIDDEN("aw-bits", "40") },
	{ "viommu-properties", V_BLOCK, V_BLOCK, HOST, OVERRIDDEN("x-flts", "true") },
	{ NULL, V_OK, V_OK, HOST, OVERRIDDEN("aw-bits", "39") },
	{ "viommu-devices", V_BLOCK, V_BLOCK, UNITS39, ASSIGNED(INTEL("caching_mode='on'"), "1") },
	{ "viommu-devices", V_BLOCK, V_BLOCK, UNITS39, ASSIGNED(INTEL("aw_bits='39'"), "1") },
	{ "viommu-reach", V_BLOCK, V_BLOCK, HOST_UNITS("10.0.3", HOLED, "true"),
	  ASSIGNED(INTEL("caching_mode='on'"), "1") },
	{ "host-device-moves", V_OK, V_BLOCK, HOST_UNITS("10.0.3", HOLED, "true"),
	  ASSIGNED(INTEL("caching_mode='on' aw_bits='39'"), "1") },
	{ "viommu-contract", V_OK, V_BLOCK, HOST,
	  "<domain type='kvm' xmlns:qemu='" XML_QEMU_NAMESPACE "'><name>g</name><vcpu>1</vcpu><os>"
	  "<type arch='x86_64' machine='pc-q35-10.0'>hvm</type></os><qemu:commandline>"
	  "<qemu:arg value='-device'/><qemu:arg value='amd-iommu'/></qemu:commandline></domain>" },
};

static struct cpu_models *models;
static struct tables tables; /* what QEMU's models have more, alone */

static struct profile *host_of(const char *text, struct universe *universe)
{
	g_autofree char *json = g_strdup(text);
	g_autoptr(GError) error = NULL;
	struct profile *profile;

	g_strdelimit(json, "'", '"');
	profile = profile_parse_bytes(json, strlen(json), universe, &error);
	g_assert_no_error(error);
	return profile;
}

static struct needs *guest_of(const char *text)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(XmlDocument) xml = xml_parse(text, strlen(text), "guest", &error);
	struct needs *needs;

	g_assert_no_error(error);
	needs = needs_from_xml(xml, &error);
	g_assert_no_error(error);
	return needs;
}

/* Prints what was found before failing, so that a log says why. */
static void expect(const struct row *row, const struct verdicts *v)
{
	for (guint i = 0; i < v->findings->len; i++) {
		const struct finding *f = g_ptr_array_index(v->findings, i);

		g_test_message("%s: %s: %s", verdict_name(f->verdict), f->check, f->text);
		g_assert_nonnull(f->text);
	}
	g_assert_cmpuint(v->findings->len, ==, row->check ? 1 : 0);
	if (row->check && v->findings->len) {
		const struct finding *f = g_ptr_array_index(v->findings, 0);

		g_assert_cmpstr(f->check, ==, row->check);
	}
	g_assert_cmpstr(verdict_name(v->start), ==, verdict_name(row->start));
	g_assert_cmpstr(verdict_name(v->migrate), ==, verdict_name(row->migrate));
}

static void test_row(const void *data)
{
	const struct row *row = data;
	g_autoptr(Universe) universe = universe_new();
	g_autoptr(Profile) profile = host_of(row->host, universe);
	g_autoptr(Needs) needs = guest_of(row->guest);
	struct judge judge = { .universe = universe, .models = models, .tables = &tables };
	struct cpu_need *cpu = needs->cpu ? cpu_need_new(needs->cpu, needs->arch, models, universe) : NULL;
	struct verdicts *v = judge_guest(&judge, needs, cpu, NULL, profile);

	expect(row, v);
	verdicts_free(v);
	cpu_need_free(cpu);
}

/* host-passthrough with a source: equal hosts warn, unequal ones are a silent hazard. */
static void test_passthrough_from(void)
{
	g_autoptr(Universe) universe = universe_new();
	g_autoptr(Profile) here = host_of(HOST, universe);
	g_autoptr(Profile) twin = host_of(HOST, universe);
	g_autoptr(Profile) other = host_of(HOST_WITH(",{'id':'cpu.de','value':true}"), universe);
	g_autoptr(Needs) needs = guest_of(DOMAIN(KVM, "1", "q35", "<cpu mode='host-passthrough'/>", ""));
	struct judge judge = { .universe = universe, .models = models };
	struct cpu_need *cpu = cpu_need_new(needs->cpu, needs->arch, models, universe);
	struct verdicts *same = judge_guest(&judge, needs, cpu, here, twin);
	struct verdicts *differs = judge_guest(&judge, needs, cpu, here, other);
	const struct finding *f = g_ptr_array_index(differs->findings, 0);

	g_assert_cmpint(same->migrate, ==, V_WARN);
	g_assert_cmpint(differs->migrate, ==, V_BLOCK);
	g_assert_cmpint(f->effect, ==, EFFECT_HAZARD);
	g_assert_cmpint(differs->start, ==, V_OK);
	verdicts_free(same);
	verdicts_free(differs);
	cpu_need_free(cpu);
}

/*
 * A guest that check='partial' let start with less than its definition says has what its source
 * gave: a target must give that, and no more; who doesn't know the source can't tell.
 */
static void test_move_from(void)
{
	g_autoptr(Universe) universe = universe_new();
	g_autoptr(Profile) with = host_of(HOST_WITH(",{'id':'cpu.de','value':true}"), universe);
	g_autoptr(Profile) without = host_of(HOST, universe);
	g_autoptr(Needs) needs = guest_of(DOMAIN(KVM, "1", "q35",
						 "<cpu mode='custom' check='none'><model>486</model>"
						 "<feature policy='require' name='de'/></cpu>", ""));
	struct judge judge = { .universe = universe, .models = models };
	struct cpu_need *cpu = cpu_need_new(needs->cpu, needs->arch, models, universe);
	static const struct {
		bool from, source_has, target_has;
		enum verdict migrate;
	} cases[] = {
		{ true, true, false, V_BLOCK }, { true, false, false, V_WARN },
		{ true, true, true, V_WARN },	{ true, false, true, V_WARN },
		{ false, false, false, V_UNKNOWN }, { false, false, true, V_WARN },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		const struct profile *source = cases[i].source_has ? with : without;
		struct verdicts *v = judge_guest(&judge, needs, cpu, cases[i].from ? source : NULL,
						 cases[i].target_has ? with : without);

		g_assert_cmpstr(verdict_name(v->migrate), ==, verdict_name(cases[i].migrate));
		g_assert_cmpint(v->start, ==, V_WARN);
		verdicts_free(v);
	}
	cpu_need_free(cpu);
}

#define VENDORS "package\tvendor\tsource\nMine *\tmine\ts\nYours *\tyours\ts\n-\tupstream\ts\n"
#define DOWNSTREAM                                                                                \
	"vendor\tname\tupstream\tsteady\tdiffers\tsource\nmine\tpc-q35-[0-9]*\t=\tyes\tnone\ts\n"  \
	"upstream\tpc-q35-[0-9]*\t=\tyes\tnone\ts\n"
#define HOST_OF(package, machine)                                                                 \
	HEAD SOURCES FACTS "'emulators':[{'path':'/usr/bin/qemu-system-x86_64','version':'10.0.3'," \
			   "'accel':'kvm','machine':'none','complete':true,'migratable':false,"   \
			   "'package':'" package "','machines':[{'name':'pc-q35-10.0'},"          \
			   "{'name':'" machine "','alias':'q35'}]," OFFER("") "]}"

/* The machine type of the source, which may be another vendor's, or what an alias is there. */
static void test_machine_from(void)
{
	static const struct {
		const char *source, *target, *machine;
		enum verdict migrate;
	} cases[] = {
		{ HOST_OF("Mine 1", "pc-q35-9.0"), HOST_OF("Mine 2", "pc-q35-9.0"), "pc-q35-10.0", V_OK },
		{ HOST_OF("Mine 1", "pc-q35-9.0"), HOST_OF("", "pc-q35-9.0"), "pc-q35-10.0", V_OK },
		{ HOST_OF("Mine 1", "pc-q35-9.0"), HOST_OF("Yours 1", "pc-q35-9.0"), "pc-q35-10.0", V_WARN },
		{ HOST_OF("Mine 1", "pc-q35-9.0"), HOST_OF("Nobody 1", "pc-q35-9.0"), "pc-q35-10.0", V_OK },
		{ HOST_OF("Mine 1", "pc-q35-10.1"), HOST_OF("Mine 1", "pc-q35-9.0"), "q35", V_BLOCK },
		{ HOST_OF("Mine 1", "pc-q35-10.1"), HOST_OF("Mine 1", "pc-q35-10.1"), "q35", V_OK },
	};
	struct tables known = { .vendors = table_parse(VENDORS, strlen(VENDORS), "v", NULL),
				.downstream = table_parse(DOWNSTREAM, strlen(DOWNSTREAM), "d", NULL) };

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(Universe) universe = universe_new();
		g_autoptr(Profile) source = host_of(cases[i].source, universe);
		g_autoptr(Profile) target = host_of(cases[i].target, universe);
		g_autofree char *guest = g_strdup_printf(DOMAIN(KVM, "1", "%s", "", ""), cases[i].machine);
		g_autoptr(Needs) needs = guest_of(guest);
		struct judge judge = { .universe = universe, .models = models, .tables = &known };
		struct verdicts *v = judge_guest(&judge, needs, NULL, source, target);

		g_assert_cmpstr(verdict_name(v->migrate), ==, verdict_name(cases[i].migrate));
		g_assert_cmpint(v->start, ==, V_OK);
		g_assert_cmpuint(v->findings->len, ==, cases[i].migrate != V_OK);
		if (v->findings->len)
			g_assert_cmpstr(((struct finding *)g_ptr_array_index(v->findings, 0))->check, ==,
					"machine-same");
		verdicts_free(v);
	}
	table_free(known.vendors);
	table_free(known.downstream);
}

/*
 * Checks of a move from a known source: test_machine_from(), test-move-checks.py and, of move-onward,
 * test-cli-onward.sh fire them.
 */
static const char *const by_moves[] = {
	"machine-same", "qemu-version", "mitigation-lost", "xsave-state", "move-onward",
};

/* Checks of a device that is plugged into a running guest: test-cli-hotplug.py fires each. */
static const char *const by_plugs[] = {
	"hotplug-supported", "hotplug-frozen", "hotplug-room", "hotplug-onward",
};

/* Asked of hosts, not of guests: test-plan-answers.py. */
static const char *const by_hosts[] = { "profile-age" };

/* Of what firmware places: test-viommu-window.py fires it. */
static const char *const by_windows[] = { "host-device-window" };

/* Checks whose findings come from rules: each fires for its own rule, and not for its neighbour's. */
static const char *const by_rules[] = {
	"definition-valid",	"definition-kept", "device-present",	 "device-migratable",
	"interrupt-controller", "viommu-supported", "enlightenments", "clock-supported",
	"firmware-available",	"tpm-available",   "memory-backing",	 "launch-security",
	"host-resource",	"pseries-promises",
};

#define RULES_HEADER                                                                              \
	"rule\tcheck\tby\tverdict\teffect\ton\tsince\tuntil\tguest\thost\ttext\tfix\tsource\n"

static struct rulebook *rules_of(const char *rows, struct table **table)
{
	g_autofree char *text = g_strconcat(RULES_HEADER, rows, NULL);
	g_autoptr(GError) error = NULL;
	struct rulebook *rules;

	*table = table_parse(text, strlen(text), "rules", &error);
	g_assert_no_error(error);
	rules = rulebook_new(table, 1, &error);
	g_assert_no_error(error);
	return rules;
}

static struct verdicts *judge_by(const struct rulebook *rules, const char *host, const char *guest)
{
	g_autoptr(Universe) universe = universe_new();
	g_autoptr(Profile) profile = host_of(host, universe);
	g_autoptr(Needs) needs = guest_of(guest);
	struct judge judge = { .universe = universe, .models = models, .rules = rules };

	return judge_guest(&judge, needs, NULL, NULL, profile);
}

static void test_by_rules(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(by_rules); i++) {
		size_t next = (i + 1) % G_N_ELEMENTS(by_rules);
		g_autofree char *rows = g_strdup_printf(
			"mine\t%s\tqemu\tblock\thazard\tboth\t-\t-\tdevices/sound[@model='ich9']\t-\tsound {@model}\tleave it out\ttest\n"
			"other\t%s\tqemu\tblock\thazard\tboth\t-\t-\tdevices/sound[@model='ac97']\t-\tx\t-\ttest\n",
			by_rules[i], by_rules[next]);
		struct table *table;
		struct rulebook *rules = rules_of(rows, &table);
		struct verdicts *v = judge_by(rules, HOST, DOMAIN(KVM, "1", "q35", "", "<sound model='ich9'/>"));
		const struct finding *f = g_ptr_array_index(v->findings, 0);

		g_assert_cmpuint(v->findings->len, ==, 1);
		g_assert_cmpstr(f->check, ==, by_rules[i]);
		g_assert_cmpstr(f->text, ==, "sound ich9");
		g_assert_cmpstr(f->where, ==, "/domain/devices/sound");
		g_assert_cmpint(v->start, ==, V_BLOCK);
		verdicts_free(v);
		rulebook_free(rules);
		table_free(table);
	}
}

/* Versions, terms of the host and who refuses: what of a rule that is true of the guest holds. */
static void test_rule_conditions(void)
{
	static const struct {
		const char *by, *since, *until, *guest, *term;
		enum verdict start;
	} cases[] = {
		{ "qemu", "-", "-", "devices/sound", "-", V_BLOCK },
		{ "libvirt", "-", "-", "devices/sound", "-", V_OK }, /* nobody said libvirt drives it */
		{ "qemu", "10.0.3", "-", "devices/sound", "-", V_BLOCK },
		{ "qemu", "10.1", "-", "devices/sound", "-", V_OK },
		{ "qemu", "9.0<11.0", "-", "devices/sound", "-", V_UNKNOWN },
		{ "qemu", "10.0.3<11.0", "-", "devices/sound", "-", V_OK },
		{ "qemu", "-", "10.0", "devices/sound", "-", V_OK },
		{ "qemu", "-", "10.1", "devices/sound", "-", V_BLOCK },
		{ "qemu", "-", "10.0<10.2", "devices/sound", "-", V_UNKNOWN },
		{ "qemu", "-", "-", "devices/sound", "qemu>=10 accel=kvm", V_BLOCK },
		{ "qemu", "-", "-", "devices/sound", "accel=kvm !qemu>=10", V_OK },
		{ "qemu", "-", "-", "devices/sound", "machine=pc-q35-*|isapc", V_BLOCK },
		{ "qemu", "-", "-", "devices/sound", "!machine=pc-q35-*", V_OK },
		{ "qemu", "-", "-", "devices/sound", "!device:hda-{@model}", V_UNKNOWN },
		{ "qemu", "-", "-", "devices/sound", "fact:libvirt.version=9", V_UNKNOWN },
		{ "qemu", "-", "-", "devices/sound", "fact:cpu.de", V_OK },
		{ "qemu", "-", "-", "devices/sound", "fact:cpu.vme", V_BLOCK },
		{ "qemu", "-", "-", "devices/sound", "fact:cpu.de||fact:cpu.vme", V_BLOCK },
		{ "qemu", "-", "-", "devices/sound", "fact:cpu.de||!fact:cpu.vme", V_OK },
		{ "qemu", "-", "-", "devices/sound", "fact:cpu.de||device:ufs", V_UNKNOWN },
		{ "qemu", "-", "-", "devices/sound", "device:ufs||fact:cpu.vme", V_BLOCK },
		{ "qemu", "-", "-", "devices/sound", "?!device:ufs", V_OK },
		{ "qemu", "-", "-", "devices/sound", "?device:ufs||fact:cpu.vme", V_BLOCK },
		{ "qemu", "-", "-", "devices/sound", "?fact:cpu.vme", V_BLOCK },
		{ "qemu", "-", "-", "$family = 'q35' and $accel = 'kvm'", "-", V_BLOCK },
		{ "qemu", "-", "-", "$machine = 'q35'", "-", V_OK },
		{ "qemu", "-", "-", "matches-any(lower(devices/sound/@model), 'ac97 ich9')", "-", V_BLOCK },
		{ "qemu", "-", "-", "count(devices/sound) > 1", "-", V_OK },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *row = g_strdup_printf(
			"r\tdefinition-valid\t%s\tblock\thazard\tboth\t%s\t%s\t%s\t%s\tt\t-\ttest\n", cases[i].by,
			cases[i].since, cases[i].until, cases[i].guest, cases[i].term);
		struct table *table;
		struct rulebook *rules = rules_of(row, &table);
		struct verdicts *v = judge_by(rules, HOST, DOMAIN(KVM, "1", "q35", "", "<sound model='ich9'/>"));

		g_test_message("row %zu: %s", i, row);
		g_assert_cmpstr(verdict_name(v->start), ==, verdict_name(cases[i].start));
		verdicts_free(v);
		rulebook_free(rules);
		table_free(table);
	}
}

/* What the target's QEMU has: yes, no by a complete list, or not known. */
static void test_rule_devices(void)
{
	static const struct {
		const char *term;
		enum verdict listed, unlisted; /* on a host that has such lists, and on one without */
	} cases[] = {
		{ "device:hda-{@model}", V_BLOCK, V_UNKNOWN }, { "!device:hda-{@model}", V_OK, V_UNKNOWN },
		{ "!device:ufs", V_BLOCK, V_UNKNOWN },	       { "lacks:ufs", V_BLOCK, V_OK },
		{ "lacks:igb", V_OK, V_OK },		       { "property:igb.mac", V_BLOCK, V_UNKNOWN },
		{ "!property:igb.rss", V_BLOCK, V_UNKNOWN },   { "lacks:igb.rss", V_BLOCK, V_OK },
		{ "lacks:igb.mac", V_OK, V_OK },	       { "lacks:hda-ich9.audiodev", V_OK, V_OK },
		{ "!property:hda-ich9.audiodev", V_UNKNOWN, V_UNKNOWN },
		{ "object:secret", V_BLOCK, V_UNKNOWN },       { "object:iommufd", V_OK, V_UNKNOWN },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *row = g_strdup_printf(
			"r\tdevice-present\tqemu\tblock\thazard\tboth\t-\t-\tdevices/sound\t%s\tt\t-\ttest\n",
			cases[i].term);
		struct table *table;
		struct rulebook *rules = rules_of(row, &table);
		const char *guest = DOMAIN(KVM, "1", "q35", "", "<sound model='ich9'/>");
		struct verdicts *listed = judge_by(rules, HOST_DEVICES, guest);
		struct verdicts *unlisted = judge_by(rules, HOST, guest);

		g_test_message("term %s", cases[i].term);
		g_assert_cmpstr(verdict_name(listed->qemu_starts), ==, verdict_name(cases[i].listed));
		g_assert_cmpstr(verdict_name(unlisted->qemu_starts), ==,
				verdict_name(cases[i].unlisted));
		verdicts_free(unlisted);
		verdicts_free(listed);
		rulebook_free(rules);
		table_free(table);
	}
}

/* Each place counts where a term speaks of it, not only the first one found. */
static void test_rule_places(void)
{
	struct table *table;
	struct rulebook *rules = rules_of(
		"r\tdevice-present\tqemu\tblock\thazard\tboth\t-\t-\tdevices/sound\tlacks:hda-{@model}\tno {@model}\t-\ttest\n",
		&table);
	struct verdicts *v = judge_by(rules, HOST_DEVICES,
				      DOMAIN(KVM, "1", "q35", "",
					     "<sound model='ich9'/><sound model='ac97'/><sound model='sb16'/>"));
	const struct finding *f = g_ptr_array_index(v->findings, 0);

	g_assert_cmpuint(v->findings->len, ==, 1);
	g_assert_cmpstr(f->text, ==, "no ac97 (and 1 more of its kind)");
	g_assert_cmpstr(f->where, ==, "/domain/devices/sound[2]");
	verdicts_free(v);
	rulebook_free(rules);
	table_free(table);
}

static void test_rules_refused(void)
{
	static const char *const rows[] = {
		"r\tno-check\tqemu\tblock\thazard\tboth\t-\t-\ta\t-\tt\t-\ttest\n",
		"r\tpart-judged\txen\tblock\thazard\tboth\t-\t-\ta\t-\tt\t-\ttest\n",
		"r\tpart-judged\tqemu\tok\thazard\tboth\t-\t-\ta\t-\tt\t-\ttest\n",
		"r\tpart-judged\tqemu\tblock\tbad\tboth\t-\t-\ta\t-\tt\t-\ttest\n",
		"r\tpart-judged\tqemu\tblock\thazard\tnever\t-\t-\ta\t-\tt\t-\ttest\n",
		"r\tpart-judged\tqemu\tblock\thazard\tboth\tnine\t-\ta\t-\tt\t-\ttest\n",
		"r\tpart-judged\tqemu\tblock\thazard\tboth\t-\t1<2<3\ta\t-\tt\t-\ttest\n",
		"r\tpart-judged\tqemu\tblock\thazard\tboth\t-\t-\ta[\t-\tt\t-\ttest\n",
		"r\tpart-judged\tqemu\tblock\thazard\tboth\t-\t-\ta\tmoon=full\tt\t-\ttest\n",
		("r\tpart-judged\tqemu\tblock\thazard\tboth\t-\t-\ta\t-\tt\t-\ttest\n"
		"r\tpart-judged\tqemu\tblock\thazard\tboth\t-\t-\tb\t-\tt\t-\ttest\n"),
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *text = g_strconcat(RULES_HEADER, rows[i], NULL);
		g_autoptr(GError) error = NULL;
		struct table *table = table_parse(text, strlen(text), "rules", NULL);

		g_assert_null(rulebook_new(&table, 1, &error));
		g_assert_nonnull(error);
		g_assert_nonnull(strstr(error->message, "'r'"));
		g_assert_null(strchr(error->message, '\n'));
		table_free(table);
	}
}

/* Every check has a row that it alone fires in, and a prerequisite that exists. */
static void test_all_fired(void)
{
	for (size_t i = 0; i < check_count; i++) {
		const struct check_info *info = check_at(i);
		bool fired = false;

		for (size_t k = 0; k < G_N_ELEMENTS(by_rules); k++)
			fired |= !strcmp(by_rules[k], info->name);
		for (size_t k = 0; k < G_N_ELEMENTS(by_moves); k++)
			fired |= !strcmp(by_moves[k], info->name);
		for (size_t k = 0; k < G_N_ELEMENTS(by_plugs); k++)
			fired |= !strcmp(by_plugs[k], info->name);
		for (size_t k = 0; k < G_N_ELEMENTS(by_hosts); k++)
			fired |= !strcmp(by_hosts[k], info->name);
		for (size_t k = 0; k < G_N_ELEMENTS(by_windows); k++)
			fired |= !strcmp(by_windows[k], info->name);
		for (size_t k = 0; k < G_N_ELEMENTS(rows); k++)
			fired |= !g_strcmp0(rows[k].check, info->name);
		if (!fired)
			g_test_message("no row fires %s", info->name);
		g_assert_true(fired);
		for (size_t p = 0; info->prerequisites[p]; p++)
			g_assert_nonnull(check_find(info->prerequisites[p]));
	}
}

/* One of the tables that the programs read. */
static struct table *data_table(const char *name)
{
	const char *top = g_getenv("top_srcdir");
	g_autofree char *path = g_build_filename(top ? top : "..", "schema", "data", name, NULL);
	g_autofree char *text = NULL;
	g_autoptr(GError) error = NULL;
	struct table *table;
	gsize length;

	g_file_get_contents(path, &text, &length, &error);
	g_assert_no_error(error);
	table = table_parse(text, length, name, &error);
	g_assert_no_error(error);
	return table;
}

int main(int argc, char **argv)
{
	static const char table[] =
		"name\tvendor\tcanonical\tfirst_libvirt\tsignatures\tdecode\tadded\tremoved\tfeatures\tsource\n"
		"486\t-\t486\t9.0.0\t-\t-\t-\t-\tfpu pse vme\ttest\n"
		"Nehalem\tIntel\tNehalem\t9.0.0\t-\t-\t-\t-\tfpu pse sse4.2 vme\ttest\n"
		"Penryn\tIntel\tPenryn\t9.0.0\t-\t-\t-\t-\tfpu pse vme\ttest\n";
	static const char more[] = "name\tin_libvirt\tmore\n486\tyes\tde\n";
	g_autoptr(GError) error = NULL;
	int failed;

	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	models = cpu_models_parse(table, strlen(table), &error);
	g_assert_no_error(error);
	tables.qemu_models = table_parse(more, strlen(more), "qemu-cpu-models.tsv", &error);
	g_assert_no_error(error);
	tables.viommu = data_table("viommu-properties.tsv");
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *path = g_strdup_printf("/checks/%02zu/%s", i, rows[i].check ? rows[i].check : "sound");

		g_test_add_data_func(path, &rows[i], test_row);
	}
	g_test_add_func("/checks/passthrough-from", test_passthrough_from);
	g_test_add_func("/checks/move-from", test_move_from);
	g_test_add_func("/checks/machine-from", test_machine_from);
	g_test_add_func("/checks/by-rules", test_by_rules);
	g_test_add_func("/checks/rule-conditions", test_rule_conditions);
	g_test_add_func("/checks/rule-devices", test_rule_devices);
	g_test_add_func("/checks/rule-places", test_rule_places);
	g_test_add_func("/checks/rules-refused", test_rules_refused);
	g_test_add_func("/checks/all-fired", test_all_fired);
	failed = g_test_run();
	cpu_models_free(models);
	table_free(tables.qemu_models);
	table_free(tables.viommu);
	return failed;
}
