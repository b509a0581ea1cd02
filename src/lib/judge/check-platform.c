/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* check-platform.c: architecture, accelerator, emulator, vCPUs. */
#include "config.h"

#include <string.h>

#include "judge/judgement.h"

/* Libvirt's capabilities name the emulators of all architectures; a probe looks for its own. */
static bool all_emulators_known(const struct judgement *j)
{
	const struct profile *profile = j->target.profile;

	for (guint i = 0; i < profile->emulators->len; i++) {
		const struct emulator *e = g_ptr_array_index(profile->emulators, i);

		if (e->scope.view == VIEW_LIBVIRT && e->machines)
			return true;
	}
	return false;
}

/* What a bare <cpu> is of: as it says, or as its model does. */
static const char *guest_arch(const struct judgement *j)
{
	if (!j->needs->cpu_only || !j->cpu)
		return j->needs->arch;
	if (j->cpu->def->arch || !j->cpu->model || arch_family(j->target.profile->arch) == j->cpu->family)
		return j->cpu->def->arch;
	return j->cpu->family == ARCH_X86 ? "x86_64" : arch_room(j->cpu->family);
}

/*
 * A guest of another architecture can be emulated, where an emulator of that one is; nothing but
 * what QEMU itself tells is judged of it.
 */
void check_arch(struct judgement *j)
{
	const char *host = j->target.profile->arch, *guest = guest_arch(j);
	bool block = j->needs->cpu_only || !g_strcmp0(j->needs->accel, "kvm");
	struct finding *f;

	if (arch_native(host, guest) || (!block && j->target.path_listed))
		return;
	block |= all_emulators_known(j);
	f = finding_add(j, block ? V_BLOCK : V_UNKNOWN, EFFECT_FAILS_SAFELY, ON_ALL,
			j->needs->cpu_only ? g_strdup("/cpu/arch") : g_strdup("/domain/os/type/@arch"),
			block ? g_strdup_printf("guest is %s, host is %s", guest, host) :
				g_strdup_printf("whether the host, which is %s, can emulate %s is not known", host,
						guest),
			g_strdup(block ? "choose a host of the guest's architecture" :
					 "import the host's capabilities (virsh capabilities)"));
	finding_item(f->need, "host.arch", json_string(guest));
	finding_item(f->have, "host.arch", json_string(host));
}

static const json_t *source_of(const struct profile *profile, const char *name)
{
	const json_t *sources = json_object_get(json_object_get(profile->doc, "probe"), "sources");
	const json_t *source;
	size_t i;

	json_array_foreach (sources, i, source)
		if (!g_strcmp0(json_string_value(json_object_get(source, "name")), name))
			return source;
	return NULL;
}

/* 1: there, 0: known not to be there, -1: not known. */
static int accel_there(const struct judgement *j, const char *accel)
{
	const struct profile *profile = j->target.profile;
	const json_t *kvm = source_of(profile, "kvm");
	bool libvirt_lists = false;

	for (guint i = 0; i < profile->emulators->len; i++) {
		const struct emulator *e = g_ptr_array_index(profile->emulators, i);

		if (j->target.path && g_strcmp0(e->scope.emulator, j->target.path))
			continue;
		if (!g_strcmp0(e->scope.accel, accel))
			return 1;
		libvirt_lists |= e->scope.view == VIEW_LIBVIRT && e->machines;
	}
	if (libvirt_lists)
		return 0;
	if (!strcmp(accel, "kvm") && kvm &&
	    !strcmp(json_string_value(json_object_get(kvm, "state")), "missing"))
		return 0;
	return -1;
}

/* QEMU's arguments may name two accelerators: then the second is taken where the first isn't there. */
static bool falls_back(struct judgement *j, int there)
{
	const struct xml_node *root = j->needs->argv ? xml_root(j->needs->definition) : NULL;
	const char *fallback = xml_attr(xml_child(root, "argv"), "fallback");
	struct finding *f;

	if (!fallback || there)
		return false;
	f = finding_add(j, V_UNKNOWN, EFFECT_FAILS_SAFELY, ON_ALL, g_strdup("/domain/@type"),
			g_strdup_printf("host has no accelerator %s: QEMU takes %s instead, for which nothing was judged",
					j->needs->accel, fallback),
			g_strdup("choose a host with it"));
	finding_item(f->need, "qemu.accel", json_string(j->needs->accel));
	finding_item(f->have, "qemu.accel", json_string(fallback));
	return true;
}

void check_accel(struct judgement *j)
{
	const char *accel = j->needs->accel;
	struct finding *f;
	int there;

	if (!accel) {
		f = finding_add(j, j->target.emulators_known ? V_BLOCK : V_UNKNOWN,
				EFFECT_FAILS_SAFELY, ON_ALL, g_strdup("/domain/@type"),
				g_strdup_printf("domain type '%s' is neither kvm nor qemu",
						j->needs->type ? j->needs->type : ""),
				g_strdup("use type='kvm' or type='qemu'"));
		finding_item(f->need, "qemu.accel", json_string(j->needs->type ? j->needs->type : ""));
		return;
	}
	there = accel_there(j, accel);
	if (there == 1 || falls_back(j, there))
		return;
	f = finding_add(j, there ? V_UNKNOWN : V_BLOCK, EFFECT_FAILS_SAFELY, ON_ALL,
			g_strdup("/domain/@type"),
			there ? g_strdup_printf("whether the host has accelerator %s is not known", accel) :
				g_strdup_printf("host has no accelerator %s", accel),
			there ? g_strdup("run 'capbroker probe' on the host, or import its domain capabilities") :
				g_strdup("enable virtualization in the firmware and load the kvm module, or use type='qemu'"));
	finding_item(f->need, "qemu.accel", json_string(accel));
	finding_item(f->have, "qemu.accel", there ? json_null() : json_string("tcg"));
}

/* The folders that a probe, and libvirt, look for emulators in. */
static bool usual_place(const char *path)
{
	static const char *const folders[] = { "/usr/bin/", "/usr/local/bin/", "/usr/libexec/" };

	for (size_t i = 0; i < G_N_ELEMENTS(folders); i++)
		if (g_str_has_prefix(path, folders[i]) && !strchr(path + strlen(folders[i]), '/'))
			return true;
	return false;
}

/* Does a program of that name run guests of x86-64? qemu-system-i386 and the like don't. */
static bool is_for_another_arch(const char *path)
{
	static const char *const others[] = { "i386", "aarch64", "arm", "ppc64", "ppc", "s390x", "riscv64" };
	const char *arch = path ? strstr(path, "/qemu-system-") : NULL;

	for (size_t i = 0; arch && i < G_N_ELEMENTS(others); i++)
		if (!strcmp(arch + strlen("/qemu-system-"), others[i]))
			return true;
	return false;
}

void check_emulator(struct judgement *j)
{
	const struct target *t = &j->target;
	const char *asked = j->needs->emulator;
	struct finding *f;

	if (t->path_listed && !g_strcmp0(j->needs->arch, "x86_64") && is_for_another_arch(asked))
		finding_add(j, V_BLOCK, EFFECT_FAILS_SAFELY, ON_ALL, g_strdup("/domain/devices/emulator"),
			    g_strdup_printf("emulator '%s' doesn't run guests of x86_64", asked),
			    g_strdup("leave <emulator> out of the definition"));
	if (t->path_listed)
		return;
	if (asked && t->emulators_known && usual_place(asked))
		f = finding_add(j, V_BLOCK, EFFECT_FAILS_SAFELY, ON_ALL,
				g_strdup("/domain/devices/emulator"),
				g_strdup_printf("host has no emulator '%s'", asked),
				g_strdup("install it there, or leave <emulator> out of the definition"));
	else
		f = finding_add(j, V_UNKNOWN, EFFECT_FAILS_SAFELY, ON_ALL,
				asked ? g_strdup("/domain/devices/emulator") : NULL,
				asked ? g_strdup_printf("whether the host has emulator '%s' is not known", asked) :
					g_strdup("which emulators the host has is not known"),
				g_strdup("run 'capbroker probe' on the host, or import its domain capabilities"));
	if (asked)
		finding_item(f->need, "qemu.emulator", json_string(asked));
}

/* More processors than this have ids that take an x2APIC, which older TCG hasn't. */
#define VCPUS_WITHOUT_X2APIC 255u

/* How many processors the guest starts with; those plugged later are refused then. */
static unsigned int vcpus_online(const struct judgement *j)
{
	const struct xml_node *domain = j->needs->definition ? xml_root(j->needs->definition) : NULL;
	const char *current = xml_attr(xml_child(domain, "vcpu"), "current");
	guint64 n;

	if (current && j->needs->vcpus &&
	    g_ascii_string_to_unsigned(current, 10, 1, j->needs->vcpus, &n, NULL))
		return (unsigned int)n;
	return j->needs->vcpus;
}

static bool lacks_x2apic(const struct judgement *j)
{
	int bit = universe_bit(j->judge->universe, "cpu.x2apic", FALSE);

	return j->family == ARCH_X86 && !g_strcmp0(j->needs->accel, "tcg") && j->target.qemu_offer && bit >= 0 &&
	       offer_get(j->target.qemu_offer, j->judge->universe, bit) == 0;
}

/*
 * Processors of one socket: as laid out; else one, for libvirt gives each a socket of its own,
 * where QEMU by itself makes them cores of one since machine type 6.2.
 */
static unsigned int threads_per_socket(const struct judgement *j, const char *version, unsigned int *on)
{
	const struct cpu_def *def = j->needs->cpu;

	*on = ON_ALL;
	if (def && def->sockets)
		return MAX(def->dies, 1) * MAX(def->clusters, 1) * MAX(def->cores, 1) * MAX(def->threads, 1);
	*on = ON_QEMU;
	return version_compare(version, "6.2") >= 0 ? j->needs->vcpus : 1;
}

/*
 * Machine types up to 8.0 describe sockets by SMBIOS 2, whose counters end at 254 in fact. QEMU
 * 10.0 refuses more, 7.2 doesn't (both measured); of versions between it isn't known.
 */
static void check_smbios(struct judgement *j)
{
	const char *machine = j->target.machine, *dash = machine ? strrchr(machine, '-') : NULL;
	const char *qemu = target_qemu_version(&j->target);
	unsigned int threads, on;
	bool known;

	if (j->family != ARCH_X86 || !dash || !g_ascii_isdigit(dash[1]) || !qemu || version_compare(dash + 1, "8.0") > 0 ||
	    version_compare(qemu, "7.3") < 0)
		return;
	threads = threads_per_socket(j, dash + 1, &on);
	if (threads < 255)
		return;
	known = version_compare(qemu, "10.0") >= 0;
	finding_add(j, known ? V_BLOCK : V_UNKNOWN, EFFECT_FAILS_SAFELY, on, g_strdup("/domain/vcpu"),
		    g_strdup_printf("%u threads in a socket are too many for SMBIOS 2, which %s uses; QEMU %s %s",
				    threads, machine, qemu, known ? "refuses that" : "may refuse that"),
		    g_strdup("spread them over sockets (<topology>), or use a machine type from 8.1 on"));
}

/* Does the definition leave x2APIC out, or its model under TCG? (KVM adds it to every model.) */
static bool defined_without_x2apic(const struct judgement *j)
{
	int bit = universe_bit(j->judge->universe, "cpu.x2apic", FALSE);
	const struct cpu_need *cpu = j->cpu;

	/* what libvirt takes where no model is named (qemu64) has none either */
	if (!cpu || (!cpu->def->model && (cpu->def->mode == CPU_MODE_NONE || cpu->def->mode == CPU_CUSTOM)))
		return (cpu || !j->needs->cpu) && !g_strcmp0(j->needs->accel, "tcg");
	if (bit < 0 || (size_t)bit / 64 >= cpu->words)
		return false;
	if (bits_test(cpu->disable, (size_t)bit) || bits_test(cpu->forbid, (size_t)bit))
		return true;
	return cpu_is_custom(cpu->def) && cpu->def->model && !g_strcmp0(j->needs->accel, "tcg") &&
	       !bits_test(cpu->require, (size_t)bit) && !bits_test(cpu->force, (size_t)bit);
}

/* QEMU that emulates x2APIC wants it of every processor with an id from 255 on. */
#define ASKS_X2APIC_SINCE "9.0"

static bool asks_x2apic(const struct judgement *j)
{
	const char *qemu = target_qemu_version(&j->target);

	return qemu && version_compare(qemu, ASKS_X2APIC_SINCE) >= 0;
}

/* The smallest of what the machine type, the accelerator and libvirt take; 0: not known. */
static uint64_t vcpu_limit(const struct judgement *j, const char **what)
{
	int cap = cap_find("kvm.max-vcpus");
	uint64_t limit = j->target.info ? j->target.info->cpu_max : 0;
	json_int_t libvirt = 0;

	*what = "machine type";
	if (j->target.libvirt)
		libvirt = json_integer_value(json_object_get(j->target.libvirt->json, "vcpu_max"));
	if (libvirt > 0 && (!limit || (uint64_t)libvirt < limit)) {
		limit = (uint64_t)libvirt;
		*what = "libvirt's domain capabilities";
	}
	if (lacks_x2apic(j) && (!limit || limit > VCPUS_WITHOUT_X2APIC)) {
		limit = VCPUS_WITHOUT_X2APIC;
		*what = "TCG has no x2APIC there";
	} else if (asks_x2apic(j) && vcpus_online(j) > VCPUS_WITHOUT_X2APIC &&
		   defined_without_x2apic(j) && (!limit || limit > VCPUS_WITHOUT_X2APIC)) {
		limit = VCPUS_WITHOUT_X2APIC;
		*what = "its CPU is defined without x2APIC";
	}
	for (guint i = 0; cap >= 0 && !g_strcmp0(j->needs->accel, "kvm") &&
			  i < j->target.profile->offers->len;
	     i++) {
		const struct offer *o = g_ptr_array_index(j->target.profile->offers, i);
		uint64_t kvm;

		if (o->scope.view == VIEW_KVM && offer_number(o, cap, &kvm) && (!limit || kvm < limit)) {
			limit = kvm;
			*what = "KVM";
		}
	}
	return limit;
}

/* Bits that number @n things. */
static unsigned int bits_for(unsigned int n)
{
	return n > 1 ? g_bit_storage(n - 1) : 0;
}

/* The id of the last of @n processors: each level of the topology has bits of its own. */
static uint64_t last_apic_id(const struct cpu_def *def, unsigned int n)
{
	unsigned int threads = MAX(def->threads, 1), cores = MAX(def->cores, 1), dies = MAX(def->dies, 1);
	unsigned int last = n - 1, core = last / threads, die = core / cores;
	uint64_t id = die / dies;

	id = id << bits_for(dies) | die % dies;
	id = id << bits_for(cores) | core % cores;
	return id << bits_for(threads) | last % threads;
}

/* Where a level's number is no power of two, ids run ahead of the count. */
static void check_apic_ids(struct judgement *j)
{
	bool none = lacks_x2apic(j);
	const struct cpu_def *def = j->needs->cpu;
	uint64_t last;

	if (j->family != ARCH_X86 || !def || !def->sockets || !j->needs->vcpus ||
	    !(none || (asks_x2apic(j) && defined_without_x2apic(j))))
		return;
	last = last_apic_id(def, none ? j->needs->vcpus : vcpus_online(j));
	if (last < VCPUS_WITHOUT_X2APIC)
		return;
	finding_add(j, V_BLOCK, EFFECT_FAILS_SAFELY, ON_ALL, g_strdup("/domain/cpu/topology"),
		    g_strdup_printf("the topology numbers processors up to %" G_GUINT64_FORMAT
				    ", and without x2APIC they end at 254", last),
		    g_strdup("make threads, cores and dies powers of two, or require the feature x2apic"));
}

void check_vcpus(struct judgement *j)
{
	const char *what;
	uint64_t limit = vcpu_limit(j, &what);
	struct finding *f;

	if (!limit || j->needs->vcpus <= limit) {
		check_smbios(j);
		check_apic_ids(j);
		return;
	}
	f = finding_add(j, V_BLOCK, EFFECT_FAILS_SAFELY, ON_ALL, g_strdup("/domain/vcpu"),
			g_strdup_printf("guest has %u vCPUs, the limit there is %" G_GUINT64_FORMAT " (%s)",
					j->needs->vcpus, limit, what),
			g_strdup("define fewer vCPUs, or a machine type with a higher limit"));
	f->capability = "qemu.vcpu-max";
	finding_item(f->need, "qemu.vcpu-max", json_integer(j->needs->vcpus));
	finding_item(f->have, "qemu.vcpu-max", json_integer((json_int_t)limit));
}

void check_unjudged(struct judgement *j)
{
	GString *what = g_string_new(NULL);
	const char *first = NULL;
	struct finding *f;

	for (guint i = 0; i < j->needs->unjudged->len; i++) {
		const struct needs_unjudged *u = g_ptr_array_index(j->needs->unjudged, i);

		if (!u->decides)
			continue;
		g_string_append_printf(what, "%s%s", first ? ", " : "", u->what);
		first = first ? first : u->path;
	}
	if (first) {
		f = finding_add(j, V_UNKNOWN, EFFECT_FAILS_SAFELY, ON_ALL, g_strdup(first),
				g_strdup_printf("not judged by this version: %s", what->str), NULL);
		for (guint i = 0; i < j->needs->unjudged->len; i++) {
			const struct needs_unjudged *u = g_ptr_array_index(j->needs->unjudged, i);

			if (u->decides)
				finding_item(f->need, u->path, json_string(u->what));
		}
	}
	g_string_free(what, TRUE);
}
