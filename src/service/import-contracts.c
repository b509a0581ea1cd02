/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * import-contracts.c: what running guests need is frozen as their contract, version by version; see
 * import.h.
 *
 * A contract is {"needs": ENTRY, "qemu": {"path", "version", "size", "mtime", "inode"}}: the entry of
 * capbroker.guests/1, and the QEMU that the guest's process runs. Its version is that of the
 * host's emulator where the process runs that very file. Where the file was replaced under it the
 * version is what an earlier contract of the same file says, else null: not known.
 */
#include "config.h"

#include <string.h>

#include "contracts.h"
#include "decisions.h"
#include "guest/xml.h"
#include "import.h"
#include "model/document.h"

static bool same_file(const json_t *a, const json_t *b)
{
	static const char *const members[] = { "path", "size", "mtime", "inode" };

	for (size_t i = 0; i < G_N_ELEMENTS(members); i++) {
		const json_t *x = json_object_get(a, members[i]), *y = json_object_get(b, members[i]);

		if (!x || !y || !json_equal(x, y))
			return false;
	}
	return true;
}

/* The process's QEMU with its version, null where nobody can tell any more. */
static json_t *qemu_of(const json_t *entry, const json_t *fingerprint, const json_t *before)
{
	const json_t *process = json_object_get(entry, "qemu"), *then = json_object_get(before, "qemu");
	json_t *emulator, *version = NULL, *qemu;
	size_t i;

	if (!process)
		return json_null();
	json_array_foreach (json_object_get(fingerprint, "emulators"), i, emulator)
		if (!version && same_file(process, emulator))
			version = json_object_get(emulator, "version");
	if (!version && same_file(process, then))
		version = json_object_get(then, "version");
	qemu = json_copy((json_t *)process);
	json_object_del(qemu, "deleted");
	json_object_set(qemu, "version", version ? version : json_null());
	return qemu;
}

/* The definition without its number, which says which run of the guest it is. */
static char *without_id(const char *definition, char **id)
{
	const char *end = strchr(definition, '>'), *start = strstr(definition, " id='");
	const char *close = start ? strchr(start + strlen(" id='"), '\'') : NULL;

	*id = NULL;
	if (!end || !close || start > end)
		return g_strdup(definition);
	*id = g_strndup(start + strlen(" id='"), (gsize)(close - start) - strlen(" id='"));
	return g_strdup_printf("%.*s%s", (int)(start - definition), definition, close + 1);
}

struct run {
	json_t *plain;  /* the needs without what differs from one run to the next */
	char *id;       /* libvirt's number of the run, or NULL */
};

static struct run run_of(const json_t *needs)
{
	struct run run = { .plain = json_copy((json_t *)needs) };
	const char *definition = member_text(needs, "definition");
	g_autofree char *plain = definition ? without_id(definition, &run.id) : NULL;

	json_object_del(run.plain, "qemu");
	json_object_del(run.plain, "running");
	if (plain)
		json_object_set_new(run.plain, "definition", json_string(plain));
	return run;
}

static void run_clear(struct run *run)
{
	json_decref(run->plain);
	g_free(run->id);
}

static guint count_devices(const json_t *needs)
{
	const char *text = member_text(needs, "definition");
	g_autoptr(XmlDocument) xml = text ? xml_parse(text, strlen(text), "definition", NULL) : NULL;
	const struct xml_node *devices = xml ? xml_child(xml_root(xml), "devices") : NULL;
	guint n = 0;

	for (const struct xml_node *d = devices ? devices->children : NULL; d; d = d->next)
		n++;
	return n;
}

static bool member_differs(const json_t *a, const json_t *b, const char *key)
{
	const json_t *x = json_object_get(a, key), *y = json_object_get(b, key);

	return x || y ? !x || !y || !json_equal(x, y) : false;
}

/* What happened to a guest that has other needs than it had. */
static char *cause(const struct store_contract *then, const json_t *before, const json_t *qemu,
		   const struct run *was, const struct run *is, const char *host)
{
	guint had = count_devices(was->plain), has = count_devices(is->plain);

	if (g_strcmp0(then->host, host))
		return g_strdup_printf("moved from %s", then->host ? then->host : "a host that isn't known");
	if (g_strcmp0(was->id, is->id) || !same_file(qemu, json_object_get(before, "qemu")))
		return g_strdup("started anew");
	if (had != has)
		return g_strdup(has > had ? "hotplug" : "unplug");
	if (member_differs(was->plain, is->plain, "cpu") || member_differs(was->plain, is->plain, "vcpus"))
		return g_strdup("live CPU update");
	if (member_differs(was->plain, is->plain, "memory_kib"))
		return g_strdup("memory changed");
	return g_strdup("changed while it ran");
}

/* Nothing new where neither the needs changed nor the QEMU is known to be another. */
static bool is_same(const json_t *before, const json_t *qemu, const struct run *was, const struct run *is)
{
	const json_t *then = json_object_get(before, "qemu");

	return json_equal(was->plain, is->plain) &&
	       (!json_is_object(qemu) || !json_is_object(then) || same_file(qemu, then) ||
		!g_strcmp0(member_text(qemu, "version"), member_text(then, "version")));
}

/* What was found out of one guest, and the newest contract of before. */
struct seen {
	const struct store_guest *guest;
	const char *key, *host;
	const struct store_contract *then;
	json_t *before, *qemu;
	struct run was, is;
	char *document;
	bool deleted; /* its QEMU's file was replaced under it */
};

static bool put(struct store *store, const struct seen *s, GError **error)
{
	struct store_contract c = { .since = s->guest->seen, .host = (char *)s->host,
				    .document = s->document };
	bool ok;

	if (s->before && is_same(s->before, s->qemu, &s->was, &s->is))
		return !g_strcmp0(s->was.id, s->is.id) ||
		       store_renew_contract(store, s->key, s->document, error);
	c.cause = s->before  ? cause(s->then, s->before, s->qemu, &s->was, &s->is, s->host) :
		  s->deleted ? g_strdup("first seen, after its QEMU was replaced on the host") :
			       g_strdup("first seen");
	ok = store_put_contract(store, s->key, &c, error);
	g_free(c.cause);
	return ok;
}

static bool freeze(struct store *store, const char *host, const struct store_guest *guest,
		   const json_t *entry, const json_t *fingerprint, GError **error)
{
	struct seen s = { .guest = guest, .host = host, .key = guest->uuid ? guest->uuid : guest->name };
	g_autoptr(GPtrArray) contracts = store_contracts(store, s.key, error);
	json_t *doc;
	bool ok;

	if (!contracts)
		return false;
	s.then = contracts->len ? contracts->pdata[0] : NULL;
	s.before = s.then ? json_loads(s.then->document, 0, NULL) : NULL;
	s.qemu = qemu_of(entry, fingerprint, s.before);
	s.was = run_of(s.before ? json_object_get(s.before, "needs") : entry);
	s.is = run_of(entry);
	s.deleted = json_is_true(json_object_get(json_object_get(entry, "qemu"), "deleted"));
	doc = json_pack("{s:O, s:O}", "needs", entry, "qemu", s.qemu);
	s.document = document_text(doc);
	ok = put(store, &s, error);
	run_clear(&s.is);
	run_clear(&s.was);
	json_decref(doc);
	json_decref(s.qemu);
	json_decref(s.before);
	g_free(s.document);
	return ok;
}

/* The fingerprint of a host, parsed; json null where it isn't known. */
static json_t *fingerprint_of(struct store *store, const char *host, GError **error)
{
	g_autoptr(GPtrArray) rows = store_hosts(store, error);
	json_t *fingerprint = NULL;

	if (!rows)
		return NULL;
	for (guint i = 0; host && i < rows->len; i++) {
		const struct store_host *row = g_ptr_array_index(rows, i);

		if (!strcmp(row->name, host))
			fingerprint = json_loads(row->fingerprint, 0, NULL);
	}
	return fingerprint ? fingerprint : json_null();
}

bool import_freeze(struct store *store, const struct import_guests *list, GError **error)
{
	json_t *fingerprint = fingerprint_of(store, list->host, error);
	bool ok = fingerprint != NULL;

	for (guint i = 0; ok && i < list->guests->len; i++) {
		const struct store_guest *guest = g_ptr_array_index(list->guests, i);
		json_t *doc = guest->running ? json_loads(guest->document, 0, NULL) : NULL;
		const json_t *live = json_object_get(doc, "live");

		if (live)
			ok = freeze(store, list->host, guest, live, fingerprint, error);
		json_decref(doc);
	}
	json_decref(fingerprint);
	return ok && (!list->host || !list->complete ||
		      store_confirm_moves(store, list->host, list->guests,
					  g_get_real_time() / G_USEC_PER_SEC, error));
}
