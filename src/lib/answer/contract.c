/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* contract.c: see contract.h. */
#include "config.h"

#include <string.h>

#include "answer/contract.h"
#include "judge/contract.h"

#define CONTRACT_VIOMMU "capbroker:viommu"
#define CONTRACT_CPU "capbroker:cpu"
#define MAX_FEATURES 4096u

static void add_attribute(GString *text, const char *name, const char *value)
{
	g_autofree char *escaped = value ? g_markup_escape_text(value, -1) : NULL;

	if (escaped)
		g_string_append_printf(text, " %s='%s'", name, escaped);
}

static void add_viommu(GString *text, const struct viommu_scope *scope, const struct dma_viommu *v)
{
	const char *property;

	g_string_append(text, "<viommu");
	add_attribute(text, "device", v->device);
	for (size_t i = 0; (property = contract_visible(v->device, i)); i++)
		add_attribute(text, property, viommu_value(scope, v, property));
	g_string_append(text, "/>");
}

/* Does the guest see its host's CPU, whatever that has? Then the definition doesn't tell what it sees. */
static bool shows_host_cpu(const struct needs *needs)
{
	return needs->cpu && (needs->cpu->mode == CPU_HOST_PASSTHROUGH || needs->cpu->mode == CPU_MAXIMUM);
}

/* What the host gives such a guest, where all of it is known. */
static void add_cpu(GString *text, const struct judge *judge, const struct needs *needs,
		    const struct profile *profile)
{
	g_autoptr(GString) names = g_string_new(NULL);
	const struct offer *offer;
	struct target target;

	target_resolve(needs, profile, judge->universe, &target);
	offer = target.qemu_offer;
	for (size_t bit = 0; offer && offer->complete && bit < universe_bits(judge->universe); bit++)
		if (universe_is_cpu(judge->universe, (int)bit) && offer_get(offer, judge->universe, (int)bit) == 1)
			g_string_append_printf(names, "%s%s", names->len ? " " : "",
					       universe_id(judge->universe, (int)bit));
	target_clear(&target);
	if (!names->len)
		return;
	g_string_append(text, "<cpu");
	add_attribute(text, "features", names->str);
	g_string_append(text, "/>");
}

char *contract_element(const struct judge *judge, const struct guest *guest, const struct host *host,
		       const char *qemu)
{
	const struct needs *needs = guest_needs(guest);
	const struct dma *dma = dma_of(needs);
	GString *text = g_string_new("<contract");
	struct viommu_scope scope;
	struct target target;

	target_resolve_machine(needs, host->profile, &target);
	add_attribute(text, "host", host->name);
	add_attribute(text, "class", host->class->id);
	add_attribute(text, "qemu", qemu);
	add_attribute(text, "emulator", target.path);
	add_attribute(text, "machine", target.machine);
	g_string_append_c(text, '>');
	viommu_scope_init(&scope, needs, &target, judge->tables);
	/* What another QEMU than the host's makes of unset values isn't asked of the host's. */
	if (qemu && !g_strcmp0(qemu, scope.qemu))
		for (guint i = 0; dma && i < dma->viommus->len; i++)
			add_viommu(text, &scope, g_ptr_array_index(dma->viommus, i));
	if (shows_host_cpu(needs) && qemu && !g_strcmp0(qemu, scope.qemu))
		add_cpu(text, judge, needs, host->profile);
	g_string_append(text, "</contract>");
	return g_string_free(text, FALSE);
}

void contract_read(const struct xml_document *definition, struct contract_told *told)
{
	const struct xml_node *root = xml_root(definition);
	const struct xml_node *element = xml_child(xml_child(root, "metadata"), CONTRACT_ELEMENT);

	*told = (struct contract_told){ .element = element };
	told->host = xml_attr(element, "host");
	told->class = xml_attr(element, "class");
	told->qemu = xml_attr(element, "qemu");
	told->emulator = xml_attr(element, "emulator");
	told->machine = xml_attr(element, "machine");
}

/* What the contract says the guest sees, as facts of its QEMU; NULL: it doesn't say. */
static json_t *cpu_facts(const struct contract_told *told)
{
	const char *features = xml_attr(xml_child(told->element, CONTRACT_CPU), "features");
	g_auto(GStrv) names = features ? g_strsplit(features, " ", MAX_FEATURES) : NULL;
	json_t *facts = features ? json_array() : NULL;

	for (size_t i = 0; names && names[i]; i++)
		if (g_str_has_prefix(names[i], "cpu.") || g_str_has_prefix(names[i], "msr."))
			json_array_append_new(facts, json_pack("{s:s, s:b, s:s, s:s}", "id", names[i], "value", 1,
							       "state", "known", "origin", "the guest's contract"));
	return facts;
}

struct profile *contract_profile(const struct contract_told *told, const struct needs *needs,
				 struct universe *universe)
{
	const char *emulator = needs->emulator ? needs->emulator : told->emulator;
	struct profile *profile;
	json_t *doc, *facts;

	if (!told->qemu || !told->machine || !emulator || !needs->accel ||
	    g_strcmp0(told->machine, needs->machine))
		return NULL;
	facts = cpu_facts(told);
	doc = json_pack("{s:s, s:{s:s, s:s*, s:{}}, s:{s:s}, s:{s:s, s:[]}, s:[], s:[], s:[],"
			" s:[{s:s, s:s, s:s, s:s, s:s, s:b, s:o}]}",
			"format", "capbroker.profile/1", "host", "name", told->host ? told->host : "source",
			"arch", needs->arch, "aliases", "fingerprint", "imported", "contract", "probe",
			"version", PACKAGE_VERSION, "sources", "facts", "iommus", "devices", "emulators", "path",
			emulator, "version", told->qemu, "accel", needs->accel, "machine", told->machine,
			"view", "qemu", "complete", facts != NULL, "facts", facts ? facts : json_array());
	profile = doc ? profile_parse(doc, universe, NULL) : NULL;
	json_decref(doc);
	return profile;
}

char *contract_contradiction(const struct contract_told *told, const struct judge *judge,
			     const struct needs *needs, const struct profile *profile)
{
	const struct xml_node *node = xml_child(told->element, CONTRACT_VIOMMU);
	const struct dma *dma = dma_of(needs);
	struct viommu_scope scope;
	struct target target;

	target_resolve_machine(needs, profile, &target);
	viommu_scope_init(&scope, needs, &target, judge->tables);
	for (guint i = 0; dma && node && i < dma->viommus->len; i++, node = xml_same(node)) {
		const struct dma_viommu *v = g_ptr_array_index(dma->viommus, i);
		const char *property;

		for (size_t k = 0; (property = contract_visible(v->device, k)); k++) {
			const char *said = xml_attr(node, property), *here = viommu_value(&scope, v, property);

			if (said && here && strcmp(said, here))
				return g_strdup_printf("its contract says %s=%s where %s would be", property,
						       said, here);
		}
	}
	return NULL;
}
