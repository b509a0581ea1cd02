/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fleet.c: hosts, their names and their classes; see fleet.h. */
#include "config.h"

#include <string.h>

#include "model/derive.h"
#include "model/document.h"
#include "model/error.h"
#include "model/fleet.h"
#include "model/units.h"

static void host_free(void *data)
{
	struct host *h = data;

	g_free(h->name);
	g_free(h->uuid);
	g_free(h->cluster);
	g_free(h->digest);
	g_free(h->fingerprint);
	g_clear_pointer(&h->labels, g_hash_table_unref);
	g_clear_pointer(&h->aliases, g_hash_table_unref);
	g_free(h);
}

static void class_free(void *data)
{
	struct host_class *c = data;

	g_ptr_array_unref(c->hosts);
	g_free(c);
}

struct fleet *fleet_new(void)
{
	struct fleet *f = g_new0(struct fleet, 1);

	f->universe = universe_new();
	f->hosts = g_ptr_array_new_with_free_func(host_free);
	f->classes = g_ptr_array_new_with_free_func(class_free);
	f->by_class = g_hash_table_new(g_str_hash, g_str_equal);
	f->by_name = g_hash_table_new(g_str_hash, g_str_equal);
	f->profiles = g_ptr_array_new_with_free_func((GDestroyNotify)profile_free);
	return f;
}

void fleet_free(struct fleet *f)
{
	if (!f)
		return;
	g_hash_table_unref(f->by_name);
	g_hash_table_unref(f->by_class);
	g_ptr_array_unref(f->classes);
	g_ptr_array_unref(f->hosts);
	g_ptr_array_unref(f->profiles);
	universe_free(f->universe);
	g_free(f);
}

static GHashTable *ref_pairs(GHashTable *pairs)
{
	return pairs ? g_hash_table_ref(pairs) : NULL;
}

struct fleet *fleet_copy(const struct fleet *from)
{
	struct fleet *f = fleet_new();

	universe_free(f->universe);
	f->universe = universe_copy(from->universe);
	for (guint i = 0; i < from->hosts->len; i++) {
		const struct host *old = g_ptr_array_index(from->hosts, i);
		struct host *h = fleet_add(f, old->name, old->profile, old->class->full);

		h->uuid = g_strdup(old->uuid);
		h->cluster = g_strdup(old->cluster);
		h->digest = g_strdup(old->digest);
		h->fingerprint = g_strdup(old->fingerprint);
		h->confirmed = host_confirmed(old);
		h->labels = ref_pairs(old->labels);
		h->aliases = ref_pairs(old->aliases);
	}
	fleet_settle(f);
	return f;
}

void fleet_own(struct fleet *f, struct profile *profile)
{
	g_ptr_array_add(f->profiles, profile);
}

/* No guest sees it, and what is refused or dropped of its definition follows from it all the same. */
static bool decides(const struct fact *fact)
{
	static const char *const ids[] = {
		"libvirt.version", "libvirt.cpu-models", "libvirt.cpu-features", "libvirt.security-model",
		"iommu.option.unsafe-interrupts", "iommu.option.unsafe-iommufd", "sev.cbitpos", NULL,
	};

	return g_strv_contains(ids, fact->id);
}

/* One comparable fact as a line; NULL where it takes no part. What is derived follows from others. */
static char *fact_line(const struct fact *fact)
{
	g_autofree char *scope = NULL;
	g_autofree char *value = NULL;

	if ((fact->cap >= 0 && cap_table[fact->cap].flags & CAP_HOST_ONLY && !decides(fact)) ||
	    (fact->origin && g_str_has_prefix(fact->origin, DERIVED)))
		return NULL;
	scope = scope_text(&fact->scope);
	if (fact->cap >= 0 && cap_table[fact->cap].rule == RULE_TOLERANCE &&
	    json_is_integer(fact->value))
		value = g_strdup_printf("%" JSON_INTEGER_FORMAT,
					(json_integer_value(fact->value) + 500) / 1000);
	else
		value = fact->value ? document_text(fact->value) : g_strdup("");
	return g_strdup_printf("%s|%s|%d|%s", fact->id, scope, fact->state, value);
}

/* Everything of an emulator's entry but its facts (which have lines of their own). */
static char *emulator_line(const struct emulator *e)
{
	json_t *rest = json_copy((json_t *)e->json);
	g_autofree char *text = NULL;

	json_object_del(rest, "facts");
	text = document_text(rest);
	json_decref(rest);
	return g_strconcat("emulator|", text, NULL);
}

/* Facts of a unit or a device, each as a line behind what they are facts of. */
static void add_lines(GPtrArray *lines, const char *of, const GArray *facts)
{
	for (guint i = 0; i < facts->len; i++) {
		g_autofree char *line = fact_line(&g_array_index(facts, struct fact, i));

		if (line)
			g_ptr_array_add(lines, g_strconcat(of, "|", line, NULL));
	}
}

/* Units, and the devices that guests can be given; what drives one now comes and goes. */
static void add_unit_lines(GPtrArray *lines, const struct profile *profile)
{
	for (guint i = 0; i < profile->units->len; i++) {
		const struct iommu_unit *u = g_ptr_array_index(profile->units, i);
		g_autofree char *of = g_strdup_printf("unit|%s|%s", u->id, u->type);

		g_ptr_array_add(lines, g_strdup(of));
		add_lines(lines, of, u->facts);
	}
	for (guint i = 0; i < profile->devices->len; i++) {
		const struct device *d = g_ptr_array_index(profile->devices, i);
		g_autofree char *of = NULL;

		if (d->eligible != 1)
			continue;
		of = g_strdup_printf("device|%s|%s|%s|%s|%s", d->address, d->vendor ? d->vendor : "",
				     d->number ? d->number : "", d->class ? d->class : "",
				     d->unit ? d->unit->id : "");
		g_ptr_array_add(lines, g_strdup(of));
		add_lines(lines, of, d->facts);
	}
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void profile_class(const struct profile *profile, char digest[static 65])
{
	g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);

	g_ptr_array_add(lines, g_strconcat("arch|", profile->arch ? profile->arch : "", NULL));
	for (guint i = 0; i < profile->facts->len; i++) {
		char *line = fact_line(&g_array_index(profile->facts, struct fact, i));

		if (line)
			g_ptr_array_add(lines, line);
	}
	for (guint i = 0; i < profile->emulators->len; i++)
		g_ptr_array_add(lines, emulator_line(g_ptr_array_index(profile->emulators, i)));
	add_unit_lines(lines, profile);
	g_ptr_array_sort(lines, compare_lines);
	for (guint i = 0; i < lines->len; i++) {
		const char *line = g_ptr_array_index(lines, i);

		g_checksum_update(sum, (const guchar *)line, (gssize)strlen(line) + 1);
	}
	memcpy(digest, g_checksum_get_string(sum), 65);
}

/* The class of a profile, made where there is none. */
static struct host_class *class_of(struct fleet *f, const struct profile *profile,
				   const char *class_digest)
{
	struct host_class *c;
	char computed[65];

	if (!class_digest) {
		profile_class(profile, computed);
		class_digest = computed;
	}
	c = g_hash_table_lookup(f->by_class, class_digest);
	if (!c) {
		c = g_new0(struct host_class, 1);
		memcpy(c->full, class_digest, sizeof(c->full));
		c->profile = profile;
		c->hosts = g_ptr_array_new();
		c->index = f->classes->len;
		g_ptr_array_add(f->classes, c);
		g_hash_table_insert(f->by_class, c->full, c);
	}
	return c;
}

struct host *fleet_add(struct fleet *f, const char *name, const struct profile *profile,
		       const char *class_digest)
{
	struct host *h = g_new0(struct host, 1);

	h->name = g_strdup(name);
	fleet_change(f, h, profile, class_digest);
	g_ptr_array_add(f->hosts, h);
	return h;
}

void fleet_change(struct fleet *f, struct host *host, const struct profile *profile,
		  const char *class_digest)
{
	host->profile = profile;
	host->class = class_of(f, profile, class_digest);
}

void fleet_drop(struct fleet *f, struct host *host)
{
	/* its names may be keys */
	g_hash_table_remove_all(f->by_name);
	g_ptr_array_remove(f->hosts, host);
}

static int compare_hosts(const void *a, const void *b)
{
	return strcmp((*(struct host *const *)a)->name, (*(struct host *const *)b)->name);
}

/* As many digits as tell all classes apart, at least CLASS_ID_DIGITS. */
static void shorten_ids(struct fleet *f)
{
	for (size_t digits = CLASS_ID_DIGITS; digits <= 64; digits += 4) {
		g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
		bool unique = true;

		for (guint i = 0; i < f->classes->len; i++) {
			struct host_class *c = g_ptr_array_index(f->classes, i);

			g_strlcpy(c->id, c->full, digits + 1);
			unique = unique && g_hash_table_add(seen, c->id);
		}
		if (unique)
			return;
	}
}

static void add_names(struct fleet *f, struct host *h)
{
	GHashTableIter iter;
	void *alias;

	g_hash_table_insert(f->by_name, h->name, h);
	if (h->uuid && !g_hash_table_contains(f->by_name, h->uuid))
		g_hash_table_insert(f->by_name, h->uuid, h);
	if (!h->aliases)
		return;
	g_hash_table_iter_init(&iter, h->aliases);
	while (g_hash_table_iter_next(&iter, NULL, &alias))
		if (!g_hash_table_contains(f->by_name, alias))
			g_hash_table_insert(f->by_name, alias, h);
}

/* Drops classes that no host is of. */
static void drop_classes(struct fleet *f)
{
	for (guint i = f->classes->len; i-- > 0;) {
		struct host_class *c = g_ptr_array_index(f->classes, i);

		if (c->hosts->len)
			continue;
		g_hash_table_remove(f->by_class, c->full);
		g_ptr_array_remove_index(f->classes, i);
	}
	for (guint i = 0; i < f->classes->len; i++)
		((struct host_class *)g_ptr_array_index(f->classes, i))->index = i;
}

void fleet_settle(struct fleet *f)
{
	g_hash_table_remove_all(f->by_name);
	g_ptr_array_sort(f->hosts, compare_hosts);
	for (guint i = 0; i < f->classes->len; i++) {
		struct host_class *c = g_ptr_array_index(f->classes, i);

		g_ptr_array_set_size(c->hosts, 0);
	}
	for (guint i = 0; i < f->hosts->len; i++) {
		struct host *h = g_ptr_array_index(f->hosts, i);

		g_ptr_array_add(h->class->hosts, h);
	}
	drop_classes(f);
	for (guint i = 0; i < f->hosts->len; i++)
		add_names(f, g_ptr_array_index(f->hosts, i));
	shorten_ids(f);
}

struct host *fleet_find(const struct fleet *f, const char *name)
{
	return g_hash_table_lookup(f->by_name, name);
}

static gboolean matches(const struct host *h, const char *selector)
{
	if (!strcmp(selector, "all"))
		return TRUE;
	if (g_str_has_prefix(selector, "cluster="))
		return !g_strcmp0(h->cluster, selector + strlen("cluster="));
	if (g_str_has_prefix(selector, "class="))
		return g_str_has_prefix(h->class->full, selector + strlen("class="));
	if (g_str_has_prefix(selector, "label:")) {
		g_auto(GStrv) pair = g_strsplit(selector + strlen("label:"), "=", 2);

		return h->labels && pair[0] && pair[1] &&
		       !g_strcmp0(g_hash_table_lookup(h->labels, pair[0]), pair[1]);
	}
	return FALSE;
}

gboolean fleet_select(const struct fleet *f, const char *selector, GPtrArray *into,
		      GError **error)
{
	struct host *one = fleet_find(f, selector);
	guint before = into->len;
	gboolean known = FALSE;

	for (guint i = 0; i < f->hosts->len; i++) {
		struct host *h = g_ptr_array_index(f->hosts, i);

		if (one ? h != one : !matches(h, selector))
			continue;
		known = TRUE;
		if (!before || !g_ptr_array_find(into, h, NULL))
			g_ptr_array_add(into, h);
	}
	if (into->len > before || known)
		return TRUE;
	if (!strcmp(selector, "all"))
		g_set_error(error, CAPBROKER_ERROR, ERROR_UNKNOWN,
			    "all: no host is known yet (run 'capbroker probe' or 'capbroker import')");
	else
		g_set_error(error, CAPBROKER_ERROR, ERROR_UNKNOWN,
			    "%s: names no host (a host's name, UUID or alias, cluster=NAME, label:K=V, class=ID or all; see 'capbroker hosts')",
			    selector);
	return FALSE;
}
