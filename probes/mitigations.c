/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mitigations.c: what the kernel says of the processors' vulnerabilities.
 *
 * The kernel's text starts with one of a few words; the dictionary's chain has a label for each.
 * The text itself stays in the fact's origin.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "probe.h"

#define DIR "/sys/devices/system/cpu/vulnerabilities"

static const struct scope kernel = { .view = VIEW_KERNEL, .migratable = -1 };

/* The chain's label for the kernel's text, or NULL where it says that it doesn't know. */
static const char *label_of(const char *text)
{
	/* "KVM: Mitigation: Split huge pages" (itlb_multihit) speaks of guests: that is what counts. */
	if (g_str_has_prefix(text, "KVM: "))
		text += strlen("KVM: ");
	if (g_str_has_prefix(text, "Not affected"))
		return "not-affected";
	if (g_str_has_prefix(text, "Mitigation"))
		return "mitigated";
	if (g_str_has_prefix(text, "Vulnerable") || g_str_has_prefix(text, "Processor vulnerable"))
		return "vulnerable";
	return NULL;
}

/* The label's place in the chain, or -1. */
static int chain_value(const struct capability *cap, const char *label)
{
	for (int i = 0; label && cap->labels && cap->labels[i]; i++)
		if (!strcmp(cap->labels[i], label))
			return i;
	return -1;
}

static void read_one(struct context *context, const char *name, unsigned int *unreadable)
{
	json_t *facts = json_object_get(context->doc, "facts");
	g_autofree char *path = g_strdup_printf(DIR "/%s", name);
	g_autofree char *id = g_strconcat("mitigation.", name, NULL);
	int err, cap = cap_find(id), value;
	g_autofree char *text = source_text(context->source, path, &err);
	g_autofree char *origin = NULL;

	if (!text) {
		document_fact_missing(facts, id, FACT_UNREADABLE, &kernel, path, err);
		(*unreadable)++;
		return;
	}
	origin = g_strdup_printf("%s: %s", path, text);
	value = cap >= 0 ? chain_value(&cap_table[cap], label_of(text)) : -1;
	if (value >= 0)
		document_fact(facts, id, json_integer(value), &kernel, origin);
	else if (cap >= 0)
		document_fact_missing(facts, id, FACT_UNKNOWN, &kernel, origin, 0);
	else /* newer than the dictionary: kept as the kernel put it */
		document_fact(facts, id, json_string(text), &kernel, origin);
}

static void collect(struct context *context)
{
	int err;
	g_auto(GStrv) names = source_list(context->source, DIR, &err);
	unsigned int unreadable = 0;
	g_autofree char *reason = NULL;

	for (size_t i = 0; names && names[i]; i++)
		read_one(context, names[i], &unreadable);
	if (!names)
		reason = g_strdup_printf(DIR ": %s (%s)", g_strerror(err),
					 err == ENOENT ? "kernels from 4.15 on have it" : "run as root");
	else if (unreadable)
		reason = g_strdup_printf("%u files could not be read (run as root)", unreadable);
	probe_report(context, &mitigations_probe,
		     !names ? probe_state_of(err) : unreadable ? "partial" : "ok", false, reason);
}

const struct probe mitigations_probe = {
	.name = "mitigations",
	.help = "the processors' vulnerabilities and what the kernel does about them",
	.local = true,
	.view = VIEWS,
	.percent = 20,
	.collect = collect,
};
