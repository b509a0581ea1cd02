/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* guest-contracts.c: the contracts of one guest, and the element that travels; see contract.h. */
#include "config.h"

#include <string.h>

#include "answer/contract.h"
#include "answer/override.h"
#include "contracts.h"
#include "guest-contracts.h"
#include "model/document.h"

/* Members that differ from the version before: "cpu", "memory_kib", "definition". */
static json_t *changes(const json_t *now, const json_t *before)
{
	json_t *array = json_array(), *value;
	const char *key;

	json_object_foreach ((json_t *)now, key, value)
		if (strcmp(key, "qemu") && !json_equal(value, json_object_get(before, key)))
			json_array_append_new(array, json_string(key));
	json_object_foreach ((json_t *)before, key, value)
		if (strcmp(key, "qemu") && !json_object_get(now, key))
			json_array_append_new(array, json_string(key));
	return array;
}

static json_t *entry(const struct store_contract *c, const struct store_contract *before)
{
	json_t *doc = json_loads(c->document, 0, NULL);
	json_t *then = before ? json_loads(before->document, 0, NULL) : NULL;
	const json_t *needs = json_object_get(doc, "needs");
	g_autofree char *since = time_text(c->since);
	json_t *json = json_pack("{s:I, s:s, s:s, s:s?, s:s?, s:s?, s:o, s:O?}", "version",
				 (json_int_t)c->version, "since", since, "cause", c->cause, "host", c->host,
				 "machine", member_text(json_object_get(needs, "os"), "machine"), "qemu",
				 member_text(json_object_get(doc, "qemu"), "version"), "changed",
				 then ? changes(needs, json_object_get(then, "needs")) : json_array(), "needs",
				 needs);

	json_decref(doc);
	json_decref(then);
	return json;
}

json_t *guest_contracts(const struct session *s, const struct guest *guest, GError **error)
{
	const char *key = guest->uuid ? guest->uuid : guest->name;
	g_autoptr(GPtrArray) contracts = store_contracts(s->store, key, error);
	json_t *answer, *array;

	if (!contracts)
		return NULL;
	array = json_array();
	for (guint i = 0; i < contracts->len; i++)
		json_array_append_new(array, entry(contracts->pdata[i],
						   i + 1 < contracts->len ? contracts->pdata[i + 1] : NULL));
	answer = answer_new("contracts");
	json_object_set_new(answer, "guest", json_pack("{s:s, s:s?, s:s?, s:b}", "name", guest->name, "uuid",
						       guest->uuid, "host", guest->host, "running",
						       (int)guest->running));
	json_object_set_new(answer, "contracts", array);
	return answer;
}

/* The version of the QEMU that a guest runs, by its newest contract; NULL: not known. */
static char *qemu_of(const struct session *s, const struct guest *guest, GError **error)
{
	const char *key = guest->uuid ? guest->uuid : guest->name;
	g_autoptr(GPtrArray) contracts = store_contracts(s->store, key, error);
	const struct store_contract *newest = contracts && contracts->len ? contracts->pdata[0] : NULL;
	json_t *doc = newest && !g_strcmp0(newest->host, guest->host) ?
			      json_loads(newest->document, 0, NULL) : NULL;
	char *version = g_strdup(member_text(json_object_get(doc, "qemu"), "version"));

	json_decref(doc);
	return version;
}

char *guest_contract_element(const struct session *s, const struct guest *guest, GError **error)
{
	const struct host *host = guest->host ? fleet_find(s->fleet, guest->host) : NULL;
	g_autofree char *qemu = NULL;
	GError *problem = NULL;

	if (!guest->running || !host) {
		g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_NAME,
			    "%s: doesn't run on a known host (probe its host first)", guest->name);
		return NULL;
	}
	qemu = qemu_of(s, guest, &problem);
	if (problem) {
		g_propagate_error(error, problem);
		return NULL;
	}
	return contract_element(&s->judge, guest, host, qemu);
}
