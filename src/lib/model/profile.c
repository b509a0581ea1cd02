/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * profile.c: see profile.h.
 *
 * Each parse_* function below reads one part of the document and fills @error with the member's
 * place; the first one that fails ends the parse.
 */
#include "config.h"

#include <string.h>

#include "model/arch.h"
#include "model/document.h"
#include "model/error.h"
#include "model/offer.h"
#include "model/profile-parts.h"
#include "model/units.h"
#include "model/value.h"

struct parse {
	struct profile *profile;
	struct universe *universe;
	GHashTable *seen; /* "id\nscope" → struct fact's JSON: finds contradictions */
	GHashTable *complete; /* views whose top-level list is complete (view + 1) */
};

G_DEFINE_QUARK(capbroker-error, capbroker_error)

bool profile_fail(GError **error, const char *place, const char *what)
{
	g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID, "%s: %s", place, what);
	return false;
}

bool profile_get_string(const json_t *object, const char *key, const char *place, const char **out,
		    GError **error)
{
	const json_t *member = json_object_get(object, key);

	*out = NULL;
	if (!member || json_is_null(member))
		return true;
	if (!json_is_string(member)) {
		g_autofree char *where = g_strdup_printf("%s.%s", place, key);

		return profile_fail(error, where, "must be a string");
	}
	*out = json_string_value(member);
	return true;
}

static bool parse_scope(const json_t *json, const char *place, struct scope *scope, GError **error)
{
	const char *view;
	const json_t *migratable;
	int v;

	*scope = (struct scope){ .view = VIEW_RAW, .migratable = -1 };
	if (!json_is_object(json))
		return profile_fail(error, place, "must be an object such as {\"view\":\"kvm\"}");
	if (!profile_get_string(json, "view", place, &view, error) ||
	    !profile_get_string(json, "emulator", place, &scope->emulator, error) ||
	    !profile_get_string(json, "accel", place, &scope->accel, error) ||
	    !profile_get_string(json, "machine", place, &scope->machine, error))
		return false;
	v = view ? view_find(view) : -1;
	if (v < 0)
		return profile_fail(error, place, "view is not one of raw, kernel, kvm, qemu, libvirt");
	scope->view = (enum view)v;
	migratable = json_object_get(json, "migratable");
	if (migratable)
		scope->migratable = json_is_true(migratable);
	return true;
}

/* Where two facts of one id and scope say different things, the document contradicts itself. */
static bool check_contradiction(struct parse *p, const struct fact *fact, const json_t *json,
				const char *place, GError **error)
{
	g_autofree char *scope = scope_text(&fact->scope);
	char *key = g_strdup_printf("%s\n%s", fact->id, scope);
	const json_t *before = g_hash_table_lookup(p->seen, key);

	if (before) {
		g_free(key);
		if (json_equal(json_object_get(before, "value"), json_object_get(json, "value")) &&
		    json_equal(json_object_get(before, "state"), json_object_get(json, "state")))
			return true;
		g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID,
			    "%s: '%s' contradicts an earlier fact of the same scope (%s); probe the host again",
			    place, fact->id, scope);
		return false;
	}
	g_hash_table_insert(p->seen, key, (void *)json);
	return true;
}

bool profile_check_value(const struct fact *fact, const char *place, GError **error)
{
	struct value value;

	if (fact->state != FACT_KNOWN || fact->cap < 0)
		return true;
	if (!value_from_json(cap_table[fact->cap].type, fact->value, &value, error)) {
		g_prefix_error(error, "%s (%s): ", place, fact->id);
		return false;
	}
	value_clear(&value);
	return true;
}

/* Puts a known fact into the offer of its scope. */
static bool offer_fact(struct parse *p, struct offer *offer, const struct fact *fact,
		       const char *place, GError **error)
{
	struct value value;

	if (fact->cap >= 0 && cap_table[fact->cap].type != CAP_BOOL) {
		if (fact->state != FACT_KNOWN)
			return true;
		if (!value_from_json(cap_table[fact->cap].type, fact->value, &value, error)) {
			g_prefix_error(error, "%s (%s): ", place, fact->id);
			return false;
		}
		if (value.type == CAP_UINT || value.type == CAP_BITMAP) {
			struct number n = { fact->cap, value.number };

			g_array_append_val(offer->numbers, n);
		} else if (!strcmp(fact->id, "cpu.vendor")) {
			offer->vendor = json_string_value(fact->value);
		} else if (value.type == CAP_STRING && g_str_has_suffix(fact->id, ".model")) {
			offer->model = json_string_value(fact->value);
		}
		value_clear(&value);
		return true;
	}
	if (fact->state == FACT_ABSENT || (fact->state == FACT_KNOWN && json_is_boolean(fact->value))) {
		int bit = universe_bit(p->universe, fact->id, TRUE);

		if (bit < 0)
			return profile_fail(error, place, "too many names that the dictionary doesn't know");
		offer_put(offer, bit, fact->state == FACT_KNOWN && json_is_true(fact->value));
		if (!offer->origin)
			offer->origin = fact->origin;
	} else if (fact->state == FACT_KNOWN && fact->cap >= 0) {
		return profile_fail(error, place, "value must be true or false");
	}
	return true;
}

/* Does a fact meet by itself, outside every offer? */
static bool meets_alone(const struct fact *fact)
{
	const struct capability *c = fact->cap >= 0 ? &cap_table[fact->cap] : NULL;

	if (!c || fact->scope.machine || (fact->scope.accel && !fact->scope.emulator) ||
	    c->flags & (CAP_HOST_ONLY | CAP_QEMU_OPTION))
		return false;
	return (c->type != CAP_BOOL && !fact->scope.emulator) ||
	       arch_of_id(c->id) == ARCH_FAMILIES;
}

void profile_add_fact(struct profile *profile, const struct fact *fact)
{
	guint index = profile->facts->len;

	gsize first = GPOINTER_TO_SIZE(g_hash_table_lookup(profile->facts_by_id, fact->id));
	guint place = profile->facts->len + 1;

	g_array_append_vals(profile->facts, fact, 1);
	if (meets_alone(fact))
		g_array_append_val(profile->plain, index);
	g_array_index(profile->facts, struct fact, place - 1).next = (guint)first;
	g_hash_table_insert(profile->facts_by_id, (void *)fact->id, GSIZE_TO_POINTER(place));
}

static struct offer *offer_for(struct parse *p, const struct scope *scope)
{
	GPtrArray *offers = p->profile->offers;
	struct offer *offer;
	bool complete;

	for (guint i = 0; i < offers->len; i++) {
		offer = g_ptr_array_index(offers, i);
		if (scope_equal(&offer->scope, scope))
			return offer;
	}
	if (offers->len >= PROFILE_MAX_SCOPES)
		return NULL;
	complete = !scope->emulator &&
		   g_hash_table_contains(p->complete, GINT_TO_POINTER(scope->view + 1));
	offer = offer_new(scope, complete, p->universe);
	g_ptr_array_add(offers, offer);
	return offer;
}

bool profile_read_fact(const json_t *json, const struct scope *inherited, const char *place,
		       struct fact *fact, GError **error)
{
	const char *state;
	const json_t *err;
	int s;

	if (!json_is_object(json))
		return profile_fail(error, place, "must be an object");
	if (!profile_get_string(json, "id", place, &fact->id, error) ||
	    !profile_get_string(json, "state", place, &state, error) ||
	    !profile_get_string(json, "origin", place, &fact->origin, error))
		return false;
	if (!fact->id || !*fact->id || strlen(fact->id) > 200)
		return profile_fail(error, place,
				    "id is missing, empty or longer than 200 characters");
	if (json_object_get(json, "scope")) {
		if (!parse_scope(json_object_get(json, "scope"), place, &fact->scope, error))
			return false;
	} else if (inherited) {
		fact->scope = *inherited;
	} else {
		return profile_fail(error, place, "scope is missing");
	}
	s = state ? fact_state_find(state) : FACT_KNOWN;
	if (s < 0)
		return profile_fail(error, place,
				    "state is not one of known, absent, unsupported-by-kernel, unreadable, unknown");
	fact->state = (enum fact_state)s;
	fact->value = json_object_get(json, "value");
	if (fact->state == FACT_KNOWN && (!fact->value || json_is_null(fact->value)))
		return profile_fail(error, place, "a known fact needs a value");
	if (fact->state != FACT_KNOWN && fact->value && !json_is_null(fact->value))
		return profile_fail(error, place, "only a known fact has a value");
	err = json_object_get(json, "errno");
	fact->err = err ? (int)json_integer_value(err) : 0;
	fact->cap = cap_find(fact->id);
	return true;
}

/* @inherited: the scope of facts that name none; @offer: where they go, or NULL to look it up. */
static bool parse_fact(struct parse *p, const json_t *json, const struct scope *inherited,
		       struct offer *offer, const char *place, GError **error)
{
	struct fact fact = { .cap = -1, .state = FACT_KNOWN };

	if (!profile_read_fact(json, inherited, place, &fact, error))
		return false;
	if (!check_contradiction(p, &fact, json, place, error))
		return false;
	profile_add_fact(p->profile, &fact);
	/* One of an emulator as a whole, beside what it gives as a CPU, belongs to no offer. */
	if (!offer && fact.scope.emulator && !fact.scope.machine)
		return profile_check_value(&fact, place, error);
	if (!offer)
		offer = offer_for(p, &fact.scope);
	if (!offer)
		return profile_fail(error, place, "too many different scopes (more than 4096)");
	return offer_fact(p, offer, &fact, place, error);
}

static bool parse_facts(struct parse *p, const json_t *array, const struct scope *inherited,
			struct offer *offer, const char *place, GError **error)
{
	const json_t *json;
	size_t i;

	if (!array)
		return true;
	if (!json_is_array(array))
		return profile_fail(error, place, "must be an array");
	if (json_array_size(array) + p->profile->facts->len > PROFILE_MAX_FACTS)
		return profile_fail(error, place, "too many facts (more than 200000)");
	json_array_foreach (array, i, json) {
		char where[512];

		g_snprintf(where, sizeof(where), "%s[%zu]", place, i);
		if (!parse_fact(p, json, inherited, offer, where, error))
			return false;
	}
	return true;
}

static int tristate(const json_t *object, const char *key)
{
	const json_t *member = json_object_get(object, key);

	return json_is_boolean(member) ? json_is_true(member) : -1;
}

static bool parse_machines(struct emulator *e, const json_t *array, const char *place,
			   GError **error)
{
	const json_t *json;
	size_t i;

	if (!array)
		return true;
	if (!json_is_array(array) || json_array_size(array) > 10000)
		return profile_fail(error, place, "machines must be an array of at most 10000 entries");
	e->machines = g_array_new(FALSE, TRUE, sizeof(struct machine));
	json_array_foreach (array, i, json) {
		struct machine m = { .deprecated = tristate(json, "deprecated"),
				     .is_default = tristate(json, "default") == 1 };
		json_int_t max = json_integer_value(json_object_get(json, "cpu_max"));

		if (!profile_get_string(json, "name", place, &m.name, error) ||
		    !profile_get_string(json, "alias", place, &m.alias, error) ||
		    !profile_get_string(json, "replaced_by", place, &m.replaced_by, error))
			return false;
		if (!m.name)
			return profile_fail(error, place, "a machine type has no name");
		m.cpu_max = max > 0 && max < G_MAXINT ? (unsigned int)max : 0;
		g_array_append_val(e->machines, m);
	}
	return true;
}

static bool parse_cpu_models(struct emulator *e, const json_t *array, const char *place,
			     GError **error)
{
	const json_t *json;
	size_t i;

	if (!array)
		return true;
	if (!json_is_array(array) || json_array_size(array) > 10000)
		return profile_fail(error, place, "cpu_models must be an array of at most 10000 entries");
	e->cpu_models = g_array_new(FALSE, TRUE, sizeof(struct cpu_model));
	json_array_foreach (array, i, json) {
		struct cpu_model m = { .usable = tristate(json, "usable"),
				       .deprecated = tristate(json, "deprecated"),
				       .missing = json_object_get(json, "missing") };

		if (!profile_get_string(json, "name", place, &m.name, error) ||
		    !profile_get_string(json, "alias_of", place, &m.alias_of, error) ||
		    !profile_get_string(json, "vendor", place, &m.vendor, error))
			return false;
		if (!m.name)
			return profile_fail(error, place, "a CPU model has no name");
		g_array_append_val(e->cpu_models, m);
	}
	return true;
}

static void emulator_free(void *data)
{
	struct emulator *e = data;

	g_clear_pointer(&e->machines, g_array_unref);
	g_clear_pointer(&e->cpu_models, g_array_unref);
	g_free(e);
}

static bool parse_emulator(struct parse *p, const json_t *json, const char *place, GError **error)
{
	struct emulator *e = g_new0(struct emulator, 1);
	g_autofree char *facts = g_strconcat(place, ".facts", NULL);
	const char *view;
	int v;

	g_ptr_array_add(p->profile->emulators, e);
	if (!json_is_object(json))
		return profile_fail(error, place, "must be an object");
	e->json = json;
	if (!profile_get_string(json, "view", place, &view, error) ||
	    !profile_get_string(json, "path", place, &e->scope.emulator, error) ||
	    !profile_get_string(json, "accel", place, &e->scope.accel, error) ||
	    !profile_get_string(json, "machine", place, &e->scope.machine, error) ||
	    !profile_get_string(json, "version", place, &e->version, error))
		return false;
	v = view_find(view ? view : "qemu");
	if (v != VIEW_QEMU && v != VIEW_LIBVIRT)
		return profile_fail(error, place, "view is neither qemu nor libvirt");
	e->scope.view = (enum view)v;
	e->scope.migratable = tristate(json, "migratable");
	e->same_as = json_object_get(json, "same_as");
	e->modes = json_object_get(json, "modes");
	e->properties = json_object_get(json_object_get(json, "devices"), "cpu");
	if (!parse_machines(e, json_object_get(json, "machines"), place, error) ||
	    !parse_cpu_models(e, json_object_get(json, "cpu_models"), place, error))
		return false;
	if (!json_array_size(json_object_get(json, "facts")))
		return true;
	for (guint i = 0; i < p->profile->offers->len; i++) {
		const struct offer *other = g_ptr_array_index(p->profile->offers, i);

		if (scope_equal(&other->scope, &e->scope))
			return profile_fail(error, place, "a second entry of the same scope");
	}
	e->offer = offer_new(&e->scope, tristate(json, "complete") == 1, p->universe);
	g_ptr_array_add(p->profile->offers, e->offer);
	return parse_facts(p, json_object_get(json, "facts"), &e->scope, e->offer, facts, error);
}

static bool parse_emulators(struct parse *p, GError **error)
{
	const json_t *array = json_object_get(p->profile->doc, "emulators");
	const json_t *json;
	size_t i;

	if (!array)
		return true;
	if (!json_is_array(array) || json_array_size(array) > PROFILE_MAX_EMULATORS)
		return profile_fail(error, "emulators", "must be an array of at most 1024 entries");
	json_array_foreach (array, i, json) {
		char where[64];

		g_snprintf(where, sizeof(where), "emulators[%zu]", i);
		if (!parse_emulator(p, json, where, error))
			return false;
	}
	return true;
}

static bool parse_sources(struct parse *p, GError **error)
{
	const json_t *sources = json_object_get(json_object_get(p->profile->doc, "probe"), "sources");
	const json_t *json;
	size_t i;

	if (sources && !json_is_array(sources))
		return profile_fail(error, "probe.sources", "must be an array");
	json_array_foreach (sources, i, json) {
		const char *view;

		if (!profile_get_string(json, "view", "probe.sources", &view, error))
			return false;
		if (view && view_find(view) < 0)
			return profile_fail(error, "probe.sources", "a view that is not one of ours");
		if (view && json_is_true(json_object_get(json, "complete")))
			g_hash_table_add(p->complete, GINT_TO_POINTER(view_find(view) + 1));
	}
	return true;
}

static bool parse_host(struct profile *profile, GError **error)
{
	const json_t *host = json_object_get(profile->doc, "host");
	const char *format;

	if (!json_is_object(profile->doc))
		return profile_fail(error, "document", "must be a JSON object");
	if (!profile_get_string(profile->doc, "format", "document", &format, error))
		return false;
	if (g_strcmp0(format, PROFILE_FORMAT)) {
		g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID,
			    "format: '%s' is not " PROFILE_FORMAT " (a newer capbroker may read it)",
			    format ? format : "(missing)");
		return false;
	}
	if (!profile_get_string(host, "name", "host", &profile->name, error) ||
	    !profile_get_string(host, "uuid", "host", &profile->uuid, error) ||
	    !profile_get_string(host, "arch", "host", &profile->arch, error))
		return false;
	if (!profile->name || !*profile->name || strlen(profile->name) > 255)
		return profile_fail(error, "host.name", "is missing, empty or longer than 255 characters");
	return true;
}

struct profile *profile_parse(json_t *doc, struct universe *universe, GError **error)
{
	struct profile *profile = g_new0(struct profile, 1);
	struct parse p = { .profile = profile, .universe = universe };
	bool ok;

	profile->doc = json_incref(doc);
	profile->facts = g_array_new(FALSE, TRUE, sizeof(struct fact));
	profile->plain = g_array_new(FALSE, FALSE, sizeof(guint));
	profile->facts_by_id = g_hash_table_new(g_str_hash, g_str_equal);
	profile->offers = g_ptr_array_new_with_free_func((GDestroyNotify)offer_free);
	profile->emulators = g_ptr_array_new_with_free_func(emulator_free);
	profile->units = g_ptr_array_new_with_free_func(unit_free);
	profile->devices = g_ptr_array_new_with_free_func(device_free);
	profile->devices_by_address = g_hash_table_new(g_str_hash, g_str_equal);
	profile->derived = json_array();
	p.seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	p.complete = g_hash_table_new(NULL, NULL);
	ok = parse_host(profile, error) && parse_sources(&p, error) &&
	     parse_facts(&p, json_object_get(doc, "facts"), NULL, NULL, "facts", error) &&
	     parse_emulators(&p, error) && profile_parse_units(profile, error);
	for (guint i = 0; ok && i < profile->offers->len; i++)
		offer_settle(g_ptr_array_index(profile->offers, i), universe);
	g_hash_table_unref(p.seen);
	g_hash_table_unref(p.complete);
	if (!ok)
		g_clear_pointer(&profile, profile_free);
	return profile;
}

struct profile *profile_parse_bytes(const char *bytes, size_t length, struct universe *universe,
				    GError **error)
{
	struct profile *profile;
	json_t *doc;

	doc = json_bytes_parse(bytes, length, PROFILE_MAX_BYTES, error);
	if (!doc)
		return NULL;
	profile = profile_parse(doc, universe, error);
	json_decref(doc);
	return profile;
}

void profile_free(struct profile *profile)
{
	if (!profile)
		return;
	g_hash_table_unref(profile->devices_by_address);
	g_ptr_array_unref(profile->devices);
	g_ptr_array_unref(profile->units);
	json_decref(profile->derived);
	g_ptr_array_unref(profile->emulators);
	g_ptr_array_unref(profile->offers);
	g_hash_table_unref(profile->facts_by_id);
	g_array_unref(profile->plain);
	g_array_unref(profile->facts);
	json_decref(profile->doc);
	g_free(profile);
}

const struct fact *profile_fact_any(const struct profile *profile, const char *id)
{
	gsize first = GPOINTER_TO_SIZE(g_hash_table_lookup(profile->facts_by_id, id));

	return first ? &g_array_index(profile->facts, struct fact, first - 1) : NULL;
}

const struct fact *profile_fact(const struct profile *profile, const char *id,
				const struct scope *scope)
{
	const struct fact *f = profile_fact_any(profile, id);

	while (f && !scope_equal(&f->scope, scope))
		f = f->next ? &g_array_index(profile->facts, struct fact, f->next - 1) : NULL;
	return f;
}

bool scope_equal(const struct scope *a, const struct scope *b)
{
	return a->view == b->view && a->migratable == b->migratable &&
	       !g_strcmp0(a->emulator, b->emulator) && !g_strcmp0(a->accel, b->accel) &&
	       !g_strcmp0(a->machine, b->machine);
}

char *scope_text(const struct scope *scope)
{
	GString *s = g_string_new(view_name(scope->view));

	if (scope->machine)
		g_string_append_printf(s, " %s", scope->machine);
	if (scope->accel)
		g_string_append_printf(s, " %s", scope->accel);
	if (scope->migratable >= 0)
		g_string_append(s, scope->migratable ? " migratable" : " unmigratable too");
	if (scope->emulator)
		g_string_append_printf(s, " (%s)", scope->emulator);
	return g_string_free(s, FALSE);
}
