/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * override-price.c: what guests do without where a check is overridden: what its findings say that
 * the guest needs and the hosts haven't; see override.h.
 */
#include "config.h"

#include <string.h>

#include "answer/override.h"
#include "judge/rulebook.h"
#include "plan/price.h"

static void add_atom(GPtrArray *atoms, const char *atom)
{
	for (guint i = 0; i < atoms->len; i++)
		if (!strcmp(atoms->pdata[i], atom))
			return;
	g_ptr_array_add(atoms, g_strdup(atom));
}

/* A capability; or a rule, which asks for facts of the host. */
static void add_need(GPtrArray *atoms, const struct rulebook *rules, const char *id)
{
	const struct rule *rule = rules ? rulebook_find(rules, id) : NULL;

	if (!rule)
		add_atom(atoms, id);
	for (size_t i = 0; rule && rule->host && rule->host[i]; i++) {
		const char *term = rule->host[i];

		/* "!fact:ID>=N": refused unless the host has it */
		if (g_str_has_prefix(term, "!fact:") && !strstr(term, "||"))
			add_atom(atoms, term + strlen("!fact:"));
	}
}

static void add_findings(GPtrArray *atoms, const struct answering *a, const json_t *verdict, const char *check)
{
	const json_t *finding, *need;
	size_t i, n;

	json_array_foreach (json_object_get(verdict, "findings"), i, finding) {
		if (g_strcmp0(json_string_value(json_object_get(finding, "check")), check))
			continue;
		json_array_foreach (json_object_get(finding, "need"), n, need) {
			const char *id = json_string_value(json_object_get(need, "id"));

			if (id)
				add_need(atoms, a->judge->rules, id);
		}
	}
}

json_t *override_price(const struct answering *a, const struct guest *guest, const GPtrArray *hosts,
		       const char *check)
{
	const struct host *from = guest->running && guest->host ? fleet_find(a->fleet, guest->host) : NULL;
	g_autoptr(GPtrArray) atoms = g_ptr_array_new_with_free_func(g_free);
	json_t *answer = answer_check(a, guest, from ? ASK_MIGRATE : ASK_START, from, hosts), *verdict, *price;
	size_t i;

	json_array_foreach (json_object_get(answer, "verdicts"), i, verdict)
		add_findings(atoms, a, verdict, check);
	json_decref(answer);
	price = price_json(a->judge->tables, atoms, NULL);
	json_object_set_new(price, "capabilities", json_strings(atoms));
	return price;
}
