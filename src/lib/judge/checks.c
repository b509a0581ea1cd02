/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checks.c: the table of named checks, and running them in its order.
 *
 * A check names what should hold. One whose prerequisite failed is not run (state prereq), so one
 * cause makes one message.
 */
#include "config.h"

#include <string.h>

#include "judge/judgement.h"
#include "judge/verdict-policy.h"

#define MAX_PREREQUISITES 5 /* the last is NULL */

struct check {
	struct check_info info;
	void (*run)(struct judgement *j); /* NULL: more than one host decides */
	bool cpu_only; /* makes sense for a bare <cpu> too */
	bool plugged;  /* asked only of a guest that a device is plugged into */
	bool host;     /* asked of each host (answer-check.c): not of guests, and not here */
	const char *before[MAX_PREREQUISITES];
};

#define CHECK(check_name, fn, bare, check_title, check_text, ...)                                 \
	{                                                                                         \
		.info = { .name = (check_name), .title = (check_title), .text = (check_text) },   \
		.run = (fn), .cpu_only = (bare), .before = { __VA_ARGS__ },                       \
	}

#define HOST(check_name, check_title, check_text)                                                 \
	{                                                                                         \
		.info = { .name = (check_name), .title = (check_title), .text = (check_text) },   \
		.host = true,                                                                     \
	}

#define PLUG(check_name, fn, check_title, check_text, ...)                                        \
	{                                                                                         \
		.info = { .name = (check_name), .title = (check_title), .text = (check_text) },   \
		.run = (fn), .plugged = true, .before = { __VA_ARGS__ },                          \
	}

static const struct check checks[] = {
	CHECK("arch-supported", check_arch, true, "the host runs guests of this architecture",
	      "Fires when the definition asks for another architecture than the host's and KVM; "
	      "emulated it can be, where the host has an emulator of that architecture.", NULL),
	CHECK("emulator-present", check_emulator, false, "the emulator's path exists there",
	      "The definition names the emulator by path; a host that has it elsewhere refuses the "
	      "guest. Link the path, or leave it out of the definition.",
	      "arch-supported", NULL),
	CHECK("accel-available", check_accel, false, "the host has the accelerator",
	      "A guest of domain type kvm needs a usable /dev/kvm and a QEMU built for it; QEMU "
	      "doesn't fall back to emulation by itself.",
	      "emulator-present", NULL),
	CHECK("machine-present", check_machine, false, "that QEMU has the machine type",
	      "A guest can start, and a migration stream be loaded, only where QEMU has the very "
	      "machine type. Upstream removes versioned types after six years.",
	      "emulator-present", NULL),
	CHECK("machine-deprecated", check_machine_age, false, "the machine type has a future",
	      "Warns of a machine type that QEMU itself calls deprecated, or that upstream's clock "
	      "(three years) does: the next upgrade may strand the guest.",
	      "machine-present", NULL),
	CHECK("machine-same", check_machine_same, false, "the machine type is the source's",
	      "A machine type's name is a promise of one vendor's QEMU. Where source and target have "
	      "another vendor's, or one whose releases differ, a guest that moves may find another "
	      "machine than it was started with; warns unless both are known to be the same.",
	      "machine-present", NULL),
	CHECK("qemu-version", check_qemu_version, false, "QEMU there takes over from the source's",
	      "QEMU loads what older releases of it save; of newer ones only by luck: a warning. Pairs of "
	      "releases that are known not to get along are rules.",
	      "machine-present", NULL),
	CHECK("vcpu-limit", check_vcpus, false, "the machine type has room for the vCPUs",
	      "Each machine type has a largest number of virtual CPUs, and so has KVM.",
	      "machine-present", NULL),
	CHECK("cpu-pinning", check_pinning, false, "the host's processors that it is pinned to are there",
	      "libvirt hands pinned sets to the kernel, which refuses one of which no processor is "
	      "online, and ignores those of a set that aren't there.",
	      "emulator-present", NULL),
	CHECK("cpu-facts-known", check_cpu_facts, true, "what CPU the host gives is known",
	      "Unknown when no source told which features the host's QEMU, libvirt or a recorded "
	      "<cpu> gives. Run the probe there, or import its domain capabilities.",
	      "arch-supported", NULL),
	CHECK("cpu-mode-supported", check_cpu_mode, false, "the CPU mode can be had there",
	      "host-passthrough needs KVM; domain capabilities say which modes a libvirt offers.",
	      "accel-available", NULL),
	CHECK("cpu-model-known", check_cpu_model, true, "the CPU model is known there",
	      "An older libvirt or QEMU refuses the names of newer models.", "cpu-mode-supported",
	      NULL),
	CHECK("cpu-feature-known", check_cpu_names, true, "the features' names are known there",
	      "An older libvirt refuses a definition that names a feature it doesn't know, even to "
	      "disable it; QEMU refuses a property it doesn't have.",
	      "cpu-mode-supported", NULL),
	CHECK("cpu-vendor", check_cpu_vendor, true, "the CPU is of the vendor asked for",
	      "Fires when the definition asks for one vendor and the host's CPU is another's. Moves "
	      "between vendors are not supported.",
	      "cpu-facts-known", NULL),
	CHECK("cpu-msr-settable", check_cpu_msr, false, "KVM takes the feature MSRs that the CPU shows",
	      "KVM there lists ARCH_CAPABILITIES and doesn't let QEMU set it, so that QEMU ends when a "
	      "guest is to see a bit of it. The probe tried (kvm.arch-capabilities-settable).",
	      "cpu-facts-known", "cpu-model-known", NULL),
	CHECK("cpu-missing", check_cpu_missing, true, "every feature needed is there",
	      "A feature that the guest was promised is not there: the start fails, or, where the "
	      "definition says check='none' or libvirt looks at the host's own CPU alone, the "
	      "feature is dropped in silence (warn). On POWER: the host's processor is of another "
	      "generation than the model, or older than the mode that the guest is to run in.",
	      "cpu-facts-known", "cpu-model-known", "cpu-vendor", "cpu-msr-settable"),
	CHECK("cpu-forbidden", check_cpu_forbidden, true, "no forbidden feature is there",
	      "The definition forbids a feature (policy='forbid') that the host has.",
	      "cpu-facts-known", NULL),
	CHECK("cpu-extra", check_cpu_extra, true, "nothing is there that must not be",
	      "A strict definition refuses hosts with more features; a running guest must not see "
	      "features appear that it was started without.",
	      "cpu-missing", NULL),
	CHECK("cpu-contract-open", check_cpu_contract, false, "the definition fixes what the guest sees",
	      "With check='none' QEMU drops what it can't give and starts: what the guest sees then "
	      "depends on the host it was started on.",
	      "cpu-facts-known", NULL),
	CHECK("cpu-obligation", check_cpu_obligation, false,
	      "the host obliges the guest to nothing it doesn't know",
	      "The host's CPU needs a mitigation (such as against RSBA) that the guest, started "
	      "elsewhere, was never told of. It runs, less protected.",
	      "cpu-facts-known", NULL),
	CHECK("mitigation-lost", check_mitigations, false, "the guest stays as well protected",
	      "The source's kernel keeps a class of attacks away (or its processor hasn't the weakness), and the "
	      "host there is vulnerable; or a guest with its host's CPU sees such protection go.",
	      "emulator-present", NULL),
	CHECK("xsave-state", check_xsave, false, "KVM there takes the processor's state as it was saved",
	      "KVM of kernels before 5.17 saves protection keys (PKRU) of guests without them, which newer ones "
	      "refuse together with all extended state, and QEMU goes on.",
	      "accel-available", NULL),
	CHECK("cpu-unmigratable", check_cpu_unmigratable, false, "every feature can be moved",
	      "invtsc binds a guest to its host unless the TSC frequency is fixed in the definition "
	      "and the target has that frequency or can scale.",
	      "cpu-model-known", NULL),
	CHECK("cpu-host-bound", check_cpu_host_bound, false, "the CPU isn't tied to its host",
	      "host-passthrough and maximum show the guest what the host has: after a move it sees "
	      "the target's CPU in silence.",
	      "cpu-mode-supported", NULL),
	CHECK("nested-guests", check_nested, false, "guests of the guest's own can move with it",
	      "Warns of a move of a guest with vmx or svm where KVM on either host can't save what "
	      "nested guests are doing, and where the definition names none of the vmx-* features (or "
	      "of svm's), so that they follow the host and the target has fewer, or nobody knows.",
	      "cpu-missing", NULL),
	CHECK("phys-bits", check_phys_bits, true, "the physical address width can be had",
	      "A guest wider than its host addresses memory that the host can't map. On Arm the memory "
	      "itself must fit the addresses that KVM there has room for.",
	      "cpu-facts-known", NULL),
	CHECK("address-space", check_address_space, false, "the guest's memory fits its CPU's addresses",
	      "QEMU refuses a guest whose memory, room for hot-plug and PCI hole reach beyond the address "
	      "width of its CPU, which is 40 bits unless <maxphysaddr> says more.",
	      "machine-present", "cpu-model-known", NULL),
	CHECK("tsc-frequency", check_tsc, false, "the TSC frequency can be had",
	      "A fixed TSC frequency needs the same rate on the host (within KVM's tolerance), or "
	      "TSC scaling.",
	      "accel-available", NULL),
	CHECK("definition-valid", check_definition_valid, false, "libvirt and QEMU accept what is written",
	      "The definition says something that this version of libvirt or QEMU refuses: a value it "
	      "doesn't know, attributes that don't go together, a device in the wrong place.",
	      "emulator-present", NULL),
	CHECK("definition-kept", check_definition_kept, false, "nothing that is written is dropped",
	      "An older libvirt ignores attributes and elements it doesn't know, without a word: the "
	      "guest starts as if they weren't there.",
	      "machine-present", NULL),
	CHECK("device-addresses", check_addresses, false, "every device has a place of its own",
	      "Addresses of devices must be in range, not those of the machine type's own devices, and "
	      "no two of them the same.",
	      "machine-present", NULL),
	CHECK("device-present", check_devices, false, "that QEMU has the devices",
	      "A device model or a property of it that the QEMU there was built without, doesn't know "
	      "yet or knows no more.",
	      "emulator-present", NULL),
	CHECK("device-migratable", check_rules, false, "every device can be moved",
	      "Some devices can't be migrated, or not between these versions of QEMU.",
	      "emulator-present", NULL),
	CHECK("interrupt-controller", check_rules, false, "the interrupt controllers can be had",
	      "I/O APIC, interrupt remapping and extended interrupt mode depend on each other, on the "
	      "machine type and on the accelerator.",
	      "machine-present", NULL),
	CHECK("viommu-supported", check_rules, false, "the virtual IOMMU can be had",
	      "Which virtual IOMMU and which of its attributes can be had depends on the machine type "
	      "and on the versions of libvirt and QEMU.",
	      "emulator-present", NULL),
	CHECK("enlightenments", check_rules, false, "the hypervisor features can be had",
	      "Hyper-V's and KVM's features for guests need each other, the accelerator's support and a "
	      "libvirt that knows them.",
	      "accel-available", NULL),
	CHECK("pseries-promises", check_rules, false, "what the pseries machine promises can be kept",
	      "Levels of protection against the processor's weaknesses, transactional memory, nested "
	      "guests and page sizes are promised to a guest of POWER; KVM there must keep them.",
	      "machine-present", NULL),
	CHECK("gic-version", check_gic, false, "the interrupt controller's version can be had",
	      "On Arm a guest has the very version of the GIC that it was started with; under KVM the "
	      "host's own controller decides which can be had.",
	      "machine-present", NULL),
	CHECK("clock-supported", check_rules, false, "the clock and its timers can be had",
	      "Timers depend on architecture, machine type and accelerator.", "machine-present", NULL),
	CHECK("firmware-available", check_firmware, false, "the firmware is there",
	      "Firmware is chosen among what the host has installed; a firmware of another size, or "
	      "none with the features asked for, keeps the guest from starting.",
	      "machine-present", NULL),
	CHECK("tpm-available", check_rules, false, "the TPM can be had",
	      "An emulated TPM needs swtpm of the version asked for on the host, a passed-through one "
	      "the device itself.",
	      "machine-present", NULL),
	CHECK("memory-backing", check_backing, false, "the memory can be had as asked for",
	      "Huge pages of a size, NUMA nodes, kinds of backing and memory devices need the host's "
	      "and the machine type's support. Free amounts are capacity, and not judged.",
	      "machine-present", NULL),
	CHECK("launch-security", check_rules, false, "the guest's memory can be protected as asked",
	      "SEV, SEV-SNP, TDX and their like need the processor, the kernel, QEMU and firmware.",
	      "machine-present", NULL),
	CHECK("host-resource", check_rules, false, "what the host itself must have is there",
	      "Files, devices and daemons of the host that the definition names.", "machine-present",
	      NULL),
	CHECK("host-device-present", check_host_devices, false, "the assigned devices are there",
	      "A definition names devices by their addresses on the host; where no such device is, or one "
	      "that the host itself needs, the guest can't have it.",
	      "machine-present", NULL),
	CHECK("host-device-isolated", check_host_isolation, false, "the assigned devices can be let go",
	      "The kernel gives a device away only where it is in an IOMMU group and can't forge "
	      "interrupts (or the administrator allowed that).",
	      "host-device-present", NULL),
	CHECK("host-device-group", check_host_group, false, "the devices' groups can be given to the guest",
	      "The kernel gives away whole IOMMU groups: no driver of the host may keep another device of the "
	      "group, and behind a virtual IOMMU two devices of one group can't have addresses of their own.",
	      "host-device-present", NULL),
	CHECK("viommu-properties", check_viommu_properties, false, "QEMU has the virtual IOMMU as written",
	      "Names, values and combinations of a virtual IOMMU's properties that this version of QEMU and "
	      "this machine type take, with unset ones as they make them.",
	      "viommu-supported", NULL),
	CHECK("viommu-devices", check_viommu_devices, false, "the virtual IOMMU can stand before the devices",
	      "Before assigned devices an Intel IOMMU needs caching mode and, from QEMU 9.1 on, no more address "
	      "bits than the host's; an AMD one QEMU 10.2; first-stage tables and an accelerated SMMUv3 need "
	      "the host's IOMMU to use the guest's tables.",
	      "host-device-isolated", "host-device-group", "viommu-properties", NULL),
	CHECK("host-device-mappable", check_host_mappable, false, "the devices reach all of the guest's memory",
	      "All memory is mapped for an assigned device before the guest runs; where the host's IOMMU has a "
	      "hole or ends before that, QEMU doesn't start.",
	      "viommu-devices", NULL),
	CHECK("host-device-window", check_host_window, false, "the devices reach each other's memory",
	      "Firmware may place the memory of PCI devices at the end of the guest CPU's addresses. What the "
	      "host's IOMMU can't map there no assigned device can reach; with shared memory QEMU may end.",
	      "host-device-mappable", NULL),
	CHECK("viommu-reach", check_viommu_reach, false, "the devices reach all that the guest may map",
	      "A guest with a virtual IOMMU may map any address of its width, but for those that it keeps for "
	      "itself. QEMU compares ends, not holes, and older ones nothing: the guest starts, and its DMA "
	      "fails while it runs.",
	      "host-device-mappable", NULL),
	CHECK("viommu-contract", check_viommu_contract, false, "the virtual IOMMU stays as it was started",
	      "QEMU compares nothing of a virtual IOMMU when a guest moves: one that differs goes on showing "
	      "what the source's had, or changes under the guest. Unset values differ by version.",
	      "viommu-properties", NULL),
	CHECK("host-device-moves", check_host_device_moves, false, "the assigned devices can be moved",
	      "An assigned device moves where its driver can save its state, several of them where each can stop "
	      "talking to the others, and behind a virtual IOMMU from QEMU 11.0 on alone.",
	      "host-device-mappable", "viommu-reach", NULL),
	{
		/* onward.c says it, once all other hosts were asked */
		.info = { .name = "move-onward", .title = "the guest can leave the host again",
			  .text = "Warns of a move to a host from where no other would take the guest, not even "
				  "the one that it comes from, as far as it is known." },
		.before = { "machine-present", NULL },
	},
	PLUG("hotplug-supported", check_hotplug_supported, "the device can be plugged into a running guest",
	     "libvirt attaches some kinds of devices to running guests and others not, a virtual IOMMU "
	     "among them; a device on PCI Express needs a free root port. Unknown where something that is "
	     "wrong with the guest already keeps other checks from being asked.",
	     "machine-present", NULL),
	PLUG("hotplug-frozen", check_hotplug_frozen, "the device takes the pages that the guest uses",
	     "A virtio IOMMU's page size is frozen at the start. A device whose host IOMMU doesn't map pages "
	     "of that size is refused from QEMU 9.1 on; older ones end when it is plugged in.",
	     "viommu-devices", NULL),
	PLUG("hotplug-room", check_hotplug_room, "the device reaches the memory that may still come",
	     "A guest with <maxMemory> was promised that memory can be plugged in. It is mapped for each "
	     "assigned device, and where that fails QEMU ends: such a device must not be plugged in.",
	     "host-device-mappable", NULL),
	/* hotplug.c says it, once all other hosts were asked */
	PLUG("hotplug-onward", NULL, "the guest can still leave the host",
	     "Warns where other hosts would take the guest as it is, and none with the device.",
	     "machine-present", NULL),
	HOST("profile-age", "what is known of the host is young enough",
	     "A policy's limit ([age] limit): a host that wasn't probed or imported for longer warns, and "
	     "after the grace that follows it nothing of it is known. Without a policy no age matters."),
	CHECK("part-judged", check_unjudged, false, "every part that decides is judged",
	      "The definition has a part that commonly decides and that this version doesn't judge "
	      "(QEMU options of its own, cache allocation, …): the answer is unknown.",
	      "arch-supported", "accel-available", NULL),
};

const size_t check_count = G_N_ELEMENTS(checks);

/* check_info points to its prerequisites; they stand in the same row. */
const struct check_info *check_at(size_t i)
{
	static struct check_info infos[G_N_ELEMENTS(checks)];
	static gsize ready;

	if (g_once_init_enter(&ready)) {
		for (size_t k = 0; k < check_count; k++) {
			infos[k] = checks[k].info;
			infos[k].prerequisites = checks[k].before;
		}
		g_once_init_leave(&ready, 1);
	}
	return &infos[i];
}

const struct check_info *check_find(const char *name)
{
	for (size_t i = 0; i < check_count; i++)
		if (!strcmp(checks[i].info.name, name))
			return check_at(i);
	return NULL;
}

struct finding *finding_add(struct judgement *j, enum verdict verdict, enum effect effect,
			    unsigned int on, char *where, char *text, char *fix)
{
	struct finding *f = g_new0(struct finding, 1);

	f->check = checks[j->current].info.name;
	f->verdict = verdict;
	f->effect = effect;
	f->on = on;
	f->need = json_array();
	f->have = json_array();
	f->where = where;
	f->text = text;
	f->fix = fix;
	g_ptr_array_add(j->out->findings, f);
	return f;
}

void finding_item(json_t *items, const char *id, json_t *value)
{
	json_array_append_new(items, json_pack("{s:s, s:o}", "id", id, "value", value));
}

/* The places of each check's prerequisites, -1 behind the last; looked up by name once. */
static const signed char (*prerequisites(void))[MAX_PREREQUISITES]
{
	static signed char places[G_N_ELEMENTS(checks)][MAX_PREREQUISITES];
	static gsize ready;

	_Static_assert(G_N_ELEMENTS(checks) < 128, "a place must fit");
	if (!g_once_init_enter(&ready))
		return (const signed char(*)[MAX_PREREQUISITES])places;
	for (size_t i = 0; i < check_count; i++) {
		for (size_t p = 0; p < MAX_PREREQUISITES; p++) {
			const char *name = checks[i].before[p];

			places[i][p] = -1;
			for (size_t k = 0; name && k < check_count; k++)
				if (!strcmp(checks[k].info.name, name))
					places[i][p] = (signed char)k;
		}
	}
	g_once_init_leave(&ready, 1);
	return (const signed char(*)[MAX_PREREQUISITES])places;
}

/*
 * What a check may still speak of: everything; or only what no prerequisite has settled (what QEMU
 * itself would do, where libvirt alone refuses); or nothing.
 */
static unsigned int may_speak_of(const struct judgement *j, size_t check)
{
	const signed char *places = prerequisites()[check];
	unsigned int on = ON_ALL;

	for (size_t p = 0; p < MAX_PREREQUISITES && places[p] >= 0; p++)
		on &= j->left[places[p]];
	return on;
}

/* Settles a check's state, and what is left to say for those that come after it. */
static void settle_check(struct judgement *j, size_t i, guint before, unsigned int on)
{
	j->out->states[i] = CHECK_PASSED;
	j->left[i] = on;
	for (guint f = before; f < j->out->findings->len; f++) {
		struct finding *finding = g_ptr_array_index(j->out->findings, f);

		finding->on &= on;
		if (finding->verdict < V_UNKNOWN || !finding->on)
			continue;
		j->out->states[i] = CHECK_FAILED;
		/* what a site lets pass hides nothing that comes after it */
		verdict_policy_apply(j->judge->policy, finding);
		if (finding->verdict < V_UNKNOWN)
			continue;
		if (finding->on & ON_QEMU && finding->on & ON_START)
			j->left[i] = 0;
		else
			j->left[i] &= ~finding->on;
	}
}

static void run_check(struct judgement *j, size_t i)
{
	guint before = j->out->findings->len;
	unsigned int on;

	j->left[i] = ON_ALL;
	if (!checks[i].run || checks[i].host || (j->needs->cpu_only && !checks[i].cpu_only) ||
	    (checks[i].plugged && !j->needs->plugged))
		return;
	on = may_speak_of(j, i);
	if (!on) {
		j->out->states[i] = CHECK_PREREQ;
		j->left[i] = 0;
		return;
	}
	j->current = i;
	j->check = checks[i].info.name;
	checks[i].run(j);
	settle_check(j, i, before, on);
	if (on != ON_ALL && j->out->states[i] == CHECK_PASSED)
		j->out->states[i] = CHECK_PREREQ;
}

/* Findings that nothing is left of to bear on. */
static void drop_silenced(GPtrArray *findings)
{
	for (guint f = findings->len; f-- > 0;) {
		struct finding *finding = g_ptr_array_index(findings, f);

		if (!finding->on) {
			g_ptr_array_remove_index(findings, f);
			finding_free(finding);
		}
	}
}

/* The worst that bears on something: as it was found, or as the site has it. */
static enum verdict worst(const GPtrArray *findings, unsigned int on, bool found)
{
	enum verdict worst = V_OK;

	for (guint i = 0; i < findings->len; i++) {
		const struct finding *f = g_ptr_array_index(findings, i);

		if (f->on & on)
			worst = MAX(worst, found && f->by_policy ? f->found : f->verdict);
	}
	return worst;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static GPtrArray *names_of(const GArray *places, const struct universe *universe)
{
	GPtrArray *names = g_ptr_array_new();

	for (guint i = 0; places && i < places->len; i++)
		g_ptr_array_add(names, (void *)universe_feature_name(
					       universe, g_array_index(places, int, i)));
	g_ptr_array_sort(names, compare_names);
	return names;
}

/* Tells how the CPU that is asked for relates to what the host gives. */
static void tell_relation(struct judgement *j)
{
	struct verdicts *out = j->out;
	const struct offer *offer = j->target.judged;

	if (j->judge->brief && (!j->needs->cpu_only || j->family == ARCH_X86)) {
		if (j->cpu && offer && j->cpu->def->match == CPU_MATCH_STRICT) {
			cpu_compare(j->cpu, offer, j->judge->universe, &j->comparison);
			j->compared = true;
		}
		return;
	}
	if (j->cpu && j->needs->cpu_only && j->cpu->family != j->family) {
		out->relation = CPU_INCOMPATIBLE;
		out->reason = g_strdup("CPU architecture does not match that of the host");
		out->view = offer ? view_name(offer->scope.view) : NULL;
		out->cpu_judged = true;
	} else if (j->cpu && offer) {
		cpu_compare(j->cpu, offer, j->judge->universe, &j->comparison);
		j->compared = true;
		out->relation = j->comparison.relation;
		out->reason = g_strdup(j->comparison.reason);
		out->view = view_name(offer->scope.view);
		out->cpu_judged = true;
	} else {
		out->relation = CPU_RELATION_UNKNOWN;
		out->reason = g_strdup(j->cpu ? "what CPU the host gives is not known" :
						"the definition has no <cpu>");
	}
	out->missing = names_of(j->comparison.missing, j->judge->universe);
	out->extra = names_of(j->comparison.extra, j->judge->universe);
}

/*
 * Whose names a definition has that tells no architecture is told by the host: its CPU is expanded
 * again where that is another one. Returns what is to be freed, or NULL.
 */
static struct cpu_need *settle_family(struct judgement *j)
{
	const char *arch = j->needs->arch ? j->needs->arch : j->target.profile->arch;
	struct cpu_need *own;

	j->family = arch_family(arch);
	if (!j->cpu || j->cpu->family_known || j->cpu->family == j->family)
		return NULL;
	own = cpu_need_new(j->cpu->def, arch, j->judge->models, j->judge->universe);
	j->cpu = own;
	return own;
}

/* Is what is asked for blocked already? */
static bool is_settled(const struct judgement *j)
{
	if (j->judge->policy) /* which may let it pass */
		return false;
	for (guint i = j->out->findings->len; j->judge->until && i-- > 0;) {
		const struct finding *f = g_ptr_array_index(j->out->findings, i);

		if (f->verdict == V_BLOCK && f->on & j->judge->until)
			return true;
	}
	return false;
}

struct verdicts *judge_guest(const struct judge *judge, const struct needs *needs,
			     const struct cpu_need *cpu, const struct profile *source,
			     const struct profile *target)
{
	struct verdicts *out = g_new0(struct verdicts, 1);
	struct judgement j = { .judge = judge, .needs = needs, .cpu = cpu, .source = source,
			       .out = out };
	unsigned int left[G_N_ELEMENTS(checks)];
	struct cpu_need *own;

	out->findings = g_ptr_array_new();
	out->states = g_new0(enum check_state, check_count);
	target_resolve(needs, target, judge->universe, &j.target);
	own = settle_family(&j);
	tell_relation(&j);
	j.left = left;
	for (size_t i = 0; i < check_count && !is_settled(&j); i++)
		run_check(&j, i);
	drop_silenced(out->findings);
	for (guint i = 0; i < out->findings->len; i++)
		verdict_policy_apply(judge->policy, out->findings->pdata[i]);
	out->start = worst(out->findings, ON_START, false);
	out->migrate = worst(out->findings, ON_MIGRATE, false);
	out->qemu_starts = worst(out->findings, ON_QEMU, true);
	out->viommu = viommu_stage(&j);
	out->dma_works = needs->has_host_device ? worst(out->findings, ON_DMA, true) : V_OK;
	verdicts_sort(out);
	if (j.compared)
		cpu_comparison_clear(&j.comparison);
	cpu_need_free(own);
	target_clear(&j.target);
	return out;
}
