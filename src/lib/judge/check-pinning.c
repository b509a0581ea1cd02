/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * check-pinning.c: are the host's processors there that a guest is pinned to?
 *
 * libvirt hands each set of processors to the kernel as it is written. The kernel leaves out those
 * that aren't online, and refuses a set of which nothing is left.
 */
#include "config.h"

#include <string.h>

#include "judge/judgement.h"

#define PROCESSORS 16384u /* more are no set to libvirt */
#define WORDS (PROCESSORS / 64)

struct processors {
	uint64_t words[WORDS];
};

/* A number at the start of a text, or false; @text is moved behind it. */
static bool take_number(const char **text, guint64 *n)
{
	char *end;

	if (!g_ascii_isdigit(**text))
		return false;
	*n = g_ascii_strtoull(*text, &end, 10);
	*text = end;
	return *n < PROCESSORS;
}

/* "0-3,^2,8": false where it is no set. */
static bool parse_set(const char *text, struct processors *set)
{
	memset(set, 0, sizeof(*set));
	for (;;) {
		guint64 first, last;
		bool out = *text == '^';

		text += out;
		if (!take_number(&text, &first))
			return false;
		last = first;
		if (!out && *text == '-') {
			text++;
			if (!take_number(&text, &last) || last < first)
				return false;
		}
		for (guint64 n = first; n <= last; n++)
			if (out)
				set->words[n / 64] &= ~(UINT64_C(1) << n % 64);
			else
				set->words[n / 64] |= UINT64_C(1) << n % 64;
		if (!*text)
			return true;
		if (*text++ != ',')
			return false;
	}
}

/* What of a guest's pinning is worst so far. */
struct pinning {
	const struct processors *online; /* NULL: not known */
	const char *have;
	enum verdict verdict;
	const struct xml_node *node;
	bool malformed;
};

static void look_at(struct pinning *pinning, const struct xml_node *node)
{
	const char *text = xml_attr(node, "cpuset");
	struct processors set;
	bool some = false, all = true, is_set = text && parse_set(text, &set);
	enum verdict verdict;

	if (!text || !strcmp(text, "TEXT"))
		verdict = text ? V_UNKNOWN : V_OK;
	else if (!is_set)
		verdict = V_BLOCK;
	else if (!pinning->online)
		verdict = V_UNKNOWN;
	else {
		for (size_t i = 0; i < WORDS; i++) {
			some |= (set.words[i] & pinning->online->words[i]) != 0;
			all &= !(set.words[i] & ~pinning->online->words[i]);
		}
		verdict = !some ? V_BLOCK : all ? V_OK : V_WARN;
	}
	if (verdict > pinning->verdict) {
		pinning->verdict = verdict;
		pinning->node = node;
		pinning->malformed = !is_set;
	}
}

/* The pinning of virtual CPUs that the guest hasn't is ignored. */
static bool is_of_guest(const struct judgement *j, const struct xml_node *node)
{
	const char *vcpu = xml_attr(node, "vcpu");
	guint64 n;

	if (strcmp(node->name, "vcpupin"))
		return true;
	return vcpu && g_ascii_string_to_unsigned(vcpu, 10, 0, G_MAXUINT32, &n, NULL) &&
	       n < MAX(j->needs->vcpus, 1);
}

static void look_everywhere(const struct judgement *j, struct pinning *pinning)
{
	static const char *const names[] = { "vcpupin", "emulatorpin", "iothreadpin" };
	const struct xml_node *root = xml_root(j->needs->definition);
	const struct xml_node *vcpu = xml_child(root, "vcpu");

	if (g_strcmp0(xml_attr(vcpu, "placement"), "auto"))
		look_at(pinning, vcpu);
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		const struct xml_node *node = xml_child(xml_child(root, "cputune"), names[i]);

		for (; node; node = xml_same(node))
			if (is_of_guest(j, node))
				look_at(pinning, node);
	}
}

static char *told(const struct pinning *pinning)
{
	const char *set = xml_attr(pinning->node, "cpuset");

	switch (pinning->verdict) {
	case V_UNKNOWN:
		return g_strdup_printf("whether the host has processors %s is not known", set);
	case V_WARN:
		return g_strdup_printf("only some of the host's processors %s are there, online are %s", set,
				       pinning->have);
	default:
		return pinning->malformed ?
			       g_strdup_printf("'%s' is no set of the host's processors", set) :
			       g_strdup_printf("none of the host's processors %s is there, online are %s", set,
					       pinning->have);
	}
}

void check_pinning(struct judgement *j)
{
	const struct fact *fact = profile_fact_any(j->target.profile, "host.processors");
	const char *have = fact && fact->state == FACT_KNOWN ? json_string_value(fact->value) : NULL;
	struct processors online;
	struct pinning pinning = { .verdict = V_OK };
	struct finding *f;

	if (!j->needs->definition || !cpu_by_libvirt(j))
		return;
	if (have && parse_set(have, &online)) {
		pinning.online = &online;
		pinning.have = have;
	}
	look_everywhere(j, &pinning);
	if (pinning.verdict == V_OK)
		return;
	f = finding_add(j, pinning.verdict, EFFECT_FAILS_SAFELY, ON_BOTH,
			xml_path(pinning.node), told(&pinning),
			g_strdup(pinning.verdict == V_UNKNOWN ?
					 "run 'capbroker probe' on the host, or import its capabilities" :
					 "pin to processors that are there, or remove the pinning"));
	f->capability = "host.processors";
	finding_item(f->need, "host.processors", json_string(xml_attr(pinning.node, "cpuset")));
	finding_item(f->have, "host.processors", have ? json_string(have) : json_null());
}
