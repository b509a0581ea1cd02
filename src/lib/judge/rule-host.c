/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rule-host.c: see rule-host.h. */
#include "config.h"

#include <string.h>

#include "judge/rule-host.h"
#include "model/devices.h"
#include "model/downstream.h"
#include "model/qemu-properties.h"

static int negate(int truth, bool negated)
{
	return truth < 0 || !negated ? truth : !truth;
}

const char *machine_family(const char *machine)
{
	static const struct {
		const char *start, *family;
	} starts[] = {
		{ "pc-q35", "q35" },	 { "q35", "q35" },	   { "ubuntu-q35", "q35" },
		{ "pc-i440fx", "i440fx" }, { "pc-0.", "i440fx" },  { "pc-1.", "i440fx" },
		{ "ubuntu", "i440fx" },	 { "rhel6.", "i440fx" },   { "isapc", "isapc" },
		{ "microvm", "microvm" }, { "virt", "virt" },	   { "pseries", "pseries" },
		{ "s390-ccw", "s390-ccw-virtio" }, { "xenfv", "xenfv" }, { "xenpv", "xenfv" },
		{ "none", "none" },
	};

	if (!machine || !strcmp(machine, "pc"))
		return "i440fx";
	for (size_t i = 0; i < G_N_ELEMENTS(starts); i++)
		if (g_str_has_prefix(machine, starts[i].start))
			return starts[i].family;
	return "other";
}

/* "NAME>=7.2" or "NAME<7.2" behind the name. */
static int version_term(const char *version, const char *term)
{
	bool below = *term == '<';

	term += below ? 1 : 2;
	if (!version)
		return -1;
	return below == (version_compare(version, term) < 0);
}

static int machine_term(const struct judgement *j, const char *globs)
{
	g_auto(GStrv) any = g_strsplit(globs, "|", -1);

	if (!j->target.machine)
		return -1;
	for (guint i = 0; any[i]; i++)
		if (g_pattern_match_simple(any[i], j->target.machine))
			return 1;
	return 0;
}

static bool holds_value(const json_t *values, const char *value)
{
	const json_t *member;
	size_t i;

	json_array_foreach (values, i, member)
		if (!g_strcmp0(json_string_value(member), value))
			return true;
	return false;
}

/* Does a group that is not supported stand above the key? */
static bool group_is_off(const json_t *enums, const char *key)
{
	g_autofree char *group = g_strdup(key);
	char *dot;

	while ((dot = strrchr(group, '.'))) {
		*dot = 0;
		if (json_is_false(json_object_get(enums, group)))
			return true;
	}
	return false;
}

static int ask_enums(const json_t *enums, const char *key, const char *value)
{
	const json_t *values = json_object_get(enums, key);

	if (json_is_boolean(values))
		return value ? (json_is_false(values) ? 0 : -1) : json_is_true(values);
	if (!values)
		return group_is_off(enums, key) ? 0 : -1;
	return value ? holds_value(values, value) : json_array_size(values) > 0;
}

/* The very machine type's domain capabilities, else what those of the same emulator all say. */
static int enum_term(const struct judgement *j, const char *argument)
{
	const char *equals = strchr(argument, '=');
	g_autofree char *key = equals ? g_strndup(argument, (gsize)(equals - argument)) :
					g_strdup(argument);
	const char *value = equals ? equals + 1 : NULL;
	int agreed = -1;

	if (j->target.libvirt)
		return ask_enums(json_object_get(j->target.libvirt->json, "enums"), key, value);
	for (guint i = 0; i < j->target.profile->emulators->len; i++) {
		const struct emulator *e = g_ptr_array_index(j->target.profile->emulators, i);
		const json_t *enums = json_object_get(e->json, "enums");
		int truth;

		if (!enums || g_strcmp0(e->scope.emulator, j->target.path) ||
		    g_strcmp0(e->scope.accel, j->needs->accel))
			continue;
		truth = ask_enums(enums, key, value);
		if (truth < 0 || (agreed >= 0 && agreed != truth))
			return -1;
		agreed = truth;
	}
	return agreed;
}

/*
 * By its version, where the QEMU itself wasn't asked. Only where it is known to be as upstream made
 * it: others leave devices out, and bring properties in before their time.
 */
static int version_has(const struct judgement *j, const char *device, const char *property)
{
	const char *vendor = qemu_vendor(j->judge->tables, target_qemu_package(&j->target));
	const char *version = target_qemu_version(&j->target);

	if (!version || (g_strcmp0(vendor, "debian") && g_strcmp0(vendor, "upstream")))
		return -1;
	return tables_qemu_property(j->judge->tables, device, property, version);
}

static int device_term(const struct judgement *j, const char *name)
{
	int truth = emulator_has_device(j->target.profile, j->target.path, name);

	return truth < 0 ? version_has(j, name, NULL) : truth;
}

static int object_term(const struct judgement *j, const char *name)
{
	return emulator_has_object(j->target.profile, j->target.path, name);
}

static int property_term(const struct judgement *j, const char *argument)
{
	const char *dot = strchr(argument, '.');
	g_autofree char *device = dot ? g_strndup(argument, (gsize)(dot - argument)) : NULL;

	int truth = dot ? emulator_has_property(j->target.profile, j->target.path, device, dot + 1) : -1;

	return dot && truth < 0 ? version_has(j, device, dot + 1) : truth;
}

/* What a complete list is without: where there is no such list, nothing is said. */
static int lacks_term(const struct judgement *j, const char *name)
{
	return (strchr(name, '.') ? property_term(j, name) : device_term(j, name)) == 0;
}

/* A boolean of the CPU's, as the accelerator there gives it. */
static int offered(const struct judgement *j, const char *id)
{
	const struct offer *offers[] = { j->target.qemu_offer, j->target.libvirt_offer,
					 j->target.host_offer };
	int cap = cap_find(id);

	for (size_t i = 0; cap >= 0 && cap_table[cap].bit >= 0 && i < G_N_ELEMENTS(offers); i++) {
		int truth = offers[i] ? offer_get(offers[i], j->judge->universe, cap_table[cap].bit) : -1;

		if (truth >= 0)
			return truth;
	}
	return -1;
}

static double number_of(const char *text)
{
	return g_ascii_strtod(text, NULL);
}

static int fact_number(const json_t *value, const char *limit)
{
	bool below = *limit == '<';

	if (!json_is_integer(value))
		return -1;
	return below == (json_number_value(value) < number_of(limit + (below ? 1 : 2)));
}

/*
 * How near a fact is to what the guest would meet: what libvirt, where it drives the host, and QEMU
 * say of the guest's emulator, then KVM and the kernel; the bare hardware last. 0: of another one.
 */
static int nearness(const struct judgement *j, const struct fact *fact)
{
	static const int by_view[VIEWS] = { [VIEW_RAW] = 1,  [VIEW_LIBVIRT] = 2, [VIEW_KERNEL] = 3,
					    [VIEW_KVM] = 4,  [VIEW_QEMU] = 5 };
	const char *emulator = fact->scope.emulator;

	if (emulator && g_strcmp0(emulator, j->target.path))
		return 0;
	if (emulator && fact->scope.view == VIEW_LIBVIRT)
		return cpu_by_libvirt(j) ? 6 : 2;
	return by_view[fact->scope.view];
}

/* The fact of an id that counts for the guest; one that is known before one that isn't. */
static const struct fact *nearest_fact(const struct judgement *j, const char *id)
{
	const GArray *facts = j->target.profile->facts;
	const struct fact *best = NULL;
	int most = 0;

	for (const struct fact *f = profile_fact_any(j->target.profile, id); f;
	     f = f->next ? &g_array_index(facts, struct fact, f->next - 1) : NULL) {
		bool known = f->state == FACT_KNOWN || f->state == FACT_ABSENT;
		int near = nearness(j, f) ? nearness(j, f) + (known ? 10 : 0) : 0;

		if (near > most) {
			most = near;
			best = f;
		}
	}
	return best;
}

static int fact_term(const struct judgement *j, const char *argument)
{
	size_t n = strcspn(argument, "=<>");
	g_autofree char *id = g_strndup(argument, n);
	const char *value = argument[n] == '=' ? argument + n + 1 : NULL;
	int cap = cap_find(id), bit = cap >= 0 ? cap_table[cap].bit : -1;
	const struct fact *fact;

	/* what a CPU there has is never what the bare hardware has */
	if (bit >= 0 && universe_is_cpu(j->judge->universe, bit))
		return argument[n] ? -1 : offered(j, id);
	fact = nearest_fact(j, id);
	if (!fact)
		return argument[n] ? -1 : offered(j, id);
	if (fact->state == FACT_ABSENT)
		return 0;
	if (fact->state != FACT_KNOWN)
		return -1;
	if (argument[n] == '<' || argument[n] == '>')
		return fact_number(fact->value, argument + n);
	if (!value)
		return json_is_boolean(fact->value) ? json_is_true(fact->value) :
						      json_array_size(fact->value) > 0;
	if (json_is_array(fact->value))
		return holds_value(fact->value, value);
	if (json_is_integer(fact->value))
		return json_number_value(fact->value) == number_of(value);
	return !g_strcmp0(json_string_value(fact->value), value);
}

/* What terms begin with, and how they are asked with what follows. */
static int libvirt_term(const struct judgement *j, const char *argument)
{
	return version_term(j->target.libvirt_version, argument);
}

/* What the guest comes from: not known where nobody said which host that is. */
static int from_libvirt_term(const struct judgement *j, const char *argument)
{
	return version_term(j->source ? profile_string(j->source, "libvirt.version") : NULL, argument);
}

static int qemu_term(const struct judgement *j, const char *argument)
{
	return version_term(target_qemu_version(&j->target), argument);
}

/* The version of the QEMU that the guest has at its source, where that is known and only one. */
static const char *from_qemu(const struct judgement *j)
{
	const char *agreed = NULL;

	for (guint i = 0; j->source && i < j->source->emulators->len; i++) {
		const struct emulator *e = g_ptr_array_index(j->source->emulators, i);

		if (!e->version || (j->needs->emulator && g_strcmp0(e->scope.emulator, j->needs->emulator)))
			continue;
		if (agreed && strcmp(agreed, e->version))
			return NULL;
		agreed = e->version;
	}
	return agreed;
}

static int from_qemu_term(const struct judgement *j, const char *argument)
{
	return version_term(from_qemu(j), argument);
}

static int accel_term(const struct judgement *j, const char *name)
{
	return !g_strcmp0(j->needs->accel, name);
}

static int arch_term(const struct judgement *j, const char *name)
{
	const char *arch = j->needs->arch ? j->needs->arch : j->target.profile->arch;

	return arch ? !strcmp(arch, name) : -1;
}

static const struct {
	const char *start;
	bool compares; /* a version follows behind >= or < */
	int (*ask)(const struct judgement *j, const char *argument);
} terms[] = {
	{ "libvirt", true, libvirt_term }, { "from-libvirt", true, from_libvirt_term },
	{ "qemu", true, qemu_term },	   { "from-qemu", true, from_qemu_term },
	{ "machine=", false, machine_term }, { "accel=", false, accel_term },
	{ "arch=", false, arch_term },	   { "enum:", false, enum_term },
	{ "device:", false, device_term }, { "object:", false, object_term },
	{ "property:", false, property_term }, { "lacks:", false, lacks_term },
	{ "fact:", false, fact_term },
};

static size_t find_term(const char *term)
{
	for (size_t i = 0; i < G_N_ELEMENTS(terms); i++) {
		const char *rest = term + strlen(terms[i].start);

		if (g_str_has_prefix(term, terms[i].start) &&
		    (!terms[i].compares || g_str_has_prefix(rest, ">=") || *rest == '<'))
			return i;
	}
	return G_N_ELEMENTS(terms);
}

/* "A||B" and "!A": the alternatives of a term, one by one. */
static bool alternative_ok(const char *term)
{
	return find_term(term + (*term == '!')) < G_N_ELEMENTS(terms);
}

static int ask_alternative(const struct judgement *j, const char *term)
{
	bool negated = *term == '!';
	size_t i = find_term(term + negated);

	if (i == G_N_ELEMENTS(terms))
		return -1;
	return negate(terms[i].ask(j, term + negated + strlen(terms[i].start)), negated);
}

bool rule_host_term_ok(const char *term)
{
	g_auto(GStrv) any = g_strsplit(term + (*term == '?'), "||", -1);

	for (guint i = 0; any[i]; i++)
		if (!alternative_ok(any[i]))
			return false;
	return any[0] != NULL;
}

int rule_host_term(const struct judgement *j, const char *term)
{
	bool surely = *term == '?';
	g_auto(GStrv) any = g_strsplit(term + surely, "||", -1);
	int best = 0;

	for (guint i = 0; any[i] && best <= 0; i++) {
		int truth = ask_alternative(j, any[i]);

		best = truth ? truth : best;
	}
	return surely && best < 0 ? 0 : best;
}
