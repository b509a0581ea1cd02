/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* bench-hosts.c: see bench-hosts.h. */
#include "config.h"

#include <string.h>

#include "bench-hosts.h"
#include "model/offer.h"

#define EMULATOR "/usr/bin/qemu-system-x86_64"

static const char *const bases[] = {
	"Broadwell-noTSX-IBRS", "Skylake-Server-noTSX-IBRS", "Cascadelake-Server-noTSX",
	"Icelake-Server-noTSX", "Haswell-noTSX-IBRS", "EPYC-Rome", "EPYC-Milan",
};

/* What hosts of one model differ in: microcode, kernel options, BIOS. libvirt 7 knows them all. */
static const char *const extras[] = {
	"md-clear", "stibp", "ssbd", "arch-capabilities", "rdctl-no", "ibrs-all", "mds-no",
	"taa-no", "pschange-mc-no", "rsba", "tsx-ctrl", "mpx", "vmx", "svm", "pdcm",
	"umip", "xsaves", "tsc_adjust", "ss", "hypervisor", "wbnoinvd", "amd-ssbd", "virt-ssbd",
	"skip-l1dfl-vmentry",
};

static const char *const emulators[] = { "7.2", "8.2", "9.2", "10.0" };
static const char *const machines[] = { "4.2", "5.2", "6.2", "7.2", "8.2", "9.2", "10.0" };

static void add_machines(json_t *emulator, const char *newest)
{
	json_t *array = json_array();

	for (size_t i = 0; i < G_N_ELEMENTS(machines); i++) {
		json_t *machine = json_pack("{s:o,s:i}", "name",
					    json_sprintf("pc-q35-%s", machines[i]), "cpu_max", 288);

		json_array_append_new(array, machine);
		if (!strcmp(machines[i], newest)) {
			json_object_set_new(machine, "alias", json_string("q35"));
			break;
		}
	}
	json_object_set_new(emulator, "machines", array);
}

static void add_usable(json_t *emulator, const char *vendor)
{
	json_t *array = json_array();

	for (size_t i = 0; i < G_N_ELEMENTS(bases); i++) {
		bool ours = g_str_has_prefix(bases[i], "EPYC") == !strcmp(vendor, "AMD");

		json_array_append_new(array, json_pack("{s:s,s:b}", "name", bases[i], "usable", ours));
	}
	json_object_set_new(emulator, "cpu_models", array);
}

static void add_feature(json_t *facts, const char *name)
{
	g_autofree char *id = feature_id(NS_LIBVIRT, name);

	document_fact(facts, id, json_true(), NULL, "bench");
}

/* One host's document; its CPU in libvirt's words into @*cpu. */
static json_t *make_document(const struct cpu_models *models, GRand *random, char **cpu)
{
	const struct named_model *model =
		cpu_models_find(models, bases[g_rand_int_range(random, 0, G_N_ELEMENTS(bases))]);
	const char *vendor = model->vendor ? model->vendor : "Intel";
	const char *version = emulators[g_rand_int_range(random, 0, G_N_ELEMENTS(emulators))];
	const struct scope scope = { VIEW_QEMU, EMULATOR, "kvm", "pc-q35-7.2", 1 };
	json_t *doc = document_new("bench", NULL, "x86_64");
	json_t *emulator = document_emulator(doc, &scope, version);
	json_t *facts = json_object_get(emulator, "facts");
	GString *xml = g_string_new("<cpu><arch>x86_64</arch>");

	g_string_append_printf(xml, "<model>%s</model><vendor>%s</vendor>", model->name, vendor);
	json_object_set_new(emulator, "complete", json_true());
	document_fact(facts, "cpu.vendor", json_string(vendor), NULL, "bench");
	for (char **name = model->features; *name; name++)
		add_feature(facts, *name);
	for (size_t i = 0; i < G_N_ELEMENTS(extras); i++) {
		if (g_strv_contains((const char *const *)model->features, extras[i]) ||
		    !g_rand_boolean(random))
			continue;
		add_feature(facts, extras[i]);
		g_string_append_printf(xml, "<feature name='%s'/>", extras[i]);
	}
	add_machines(emulator, version);
	add_usable(emulator, vendor);
	g_string_append(xml, "</cpu>");
	*cpu = g_string_free(xml, FALSE);
	return doc;
}

static struct offer *copy_offer(const struct offer *offer, const struct universe *universe)
{
	struct offer *copy = offer_new(&offer->scope, offer->complete, universe);

	memcpy(copy->known, offer->known, offer->words * sizeof(uint64_t));
	memcpy(copy->value, offer->value, offer->words * sizeof(uint64_t));
	copy->vendor = offer->vendor;
	copy->origin = offer->origin;
	return copy;
}

/*
 * A profile that shares everything with @base but the features it offers: as many of the extras
 * as @which has bits are turned over. What 100,000 documents would take is no matter of speed.
 */
static struct profile *vary(const struct profile *base, struct universe *universe, guint which)
{
	struct profile *profile = g_memdup2(base, sizeof(*base));

	profile->offers = g_ptr_array_new_with_free_func((GDestroyNotify)offer_free);
	profile->emulators = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; i < base->emulators->len; i++) {
		struct emulator *emulator = g_memdup2(g_ptr_array_index(base->emulators, i),
						      sizeof(*emulator));
		struct offer *offer = copy_offer(emulator->offer, universe);

		for (size_t k = 0; k < G_N_ELEMENTS(extras); k++) {
			g_autofree char *id = feature_id(NS_LIBVIRT, extras[k]);
			int bit = universe_bit(universe, id, TRUE);

			if (which >> k & 1)
				offer_put(offer, bit, !offer_get(offer, universe, bit));
		}
		emulator->offer = offer;
		g_ptr_array_add(profile->offers, offer);
		g_ptr_array_add(profile->emulators, emulator);
	}
	return profile;
}

static void vary_free(void *data)
{
	struct profile *profile = data;

	g_ptr_array_unref(profile->offers);
	g_ptr_array_unref(profile->emulators);
	g_free(profile);
}

static const struct profile *add_document(struct bench_hosts *h, const struct cpu_models *models,
					  GRand *random)
{
	g_autoptr(GError) error = NULL;
	struct profile *profile;
	json_t *doc;
	char *cpu;

	doc = make_document(models, random, &cpu);
	profile = profile_parse(doc, h->fleet->universe, &error);
	json_decref(doc);
	if (!profile)
		g_error("a made-up host was refused: %s", error->message);
	fleet_own(h->fleet, profile);
	g_ptr_array_add(h->cpus, cpu);
	return profile;
}

struct bench_hosts *bench_hosts_new(const struct cpu_models *models, guint count, guint classes,
				    guint32 seed)
{
	struct bench_hosts *h = g_new0(struct bench_hosts, 1);
	g_autoptr(GPtrArray) distinct = g_ptr_array_new();
	g_autoptr(GRand) random = g_rand_new_with_seed(seed);

	h->fleet = fleet_new();
	h->copies = g_ptr_array_new_with_free_func(vary_free);
	h->cpus = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; i < MIN(classes, BENCH_DOCUMENTS); i++)
		g_ptr_array_add(distinct, (void *)add_document(h, models, random));
	for (guint i = distinct->len; i < classes; i++) {
		const struct profile *base = g_ptr_array_index(distinct, i % BENCH_DOCUMENTS);

		g_ptr_array_add(h->copies, vary(base, h->fleet->universe, i / BENCH_DOCUMENTS));
		g_ptr_array_add(distinct, g_ptr_array_index(h->copies, h->copies->len - 1));
	}
	for (guint i = 0; i < count; i++) {
		g_autofree char *name = g_strdup_printf("host%06u", i);
		char class[65];

		g_snprintf(class, sizeof(class), "%064x", i % classes);
		memmove(class, class + 56, 8); /* ids are first digits */
		fleet_add(h->fleet, name, g_ptr_array_index(distinct, i % classes), class);
	}
	fleet_settle(h->fleet);
	return h;
}

void bench_hosts_free(struct bench_hosts *h)
{
	fleet_free(h->fleet);
	g_ptr_array_unref(h->copies);
	g_ptr_array_unref(h->cpus);
	g_free(h);
}
