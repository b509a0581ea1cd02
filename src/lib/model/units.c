/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* units.c: reading a profile's IOMMU units and devices; see units.h. */
#include "config.h"

#include <string.h>

#include "model/derive.h"
#include "model/profile-parts.h"
#include "model/units.h"
#include "model/value.h"

void unit_free(void *data)
{
	struct iommu_unit *unit = data;

	g_array_unref(unit->facts);
	g_ptr_array_unref(unit->devices);
	g_free(unit);
}

void device_free(void *data)
{
	struct device *device = data;

	g_array_unref(device->facts);
	g_free(device);
}

struct iommu_unit *profile_unit(const struct profile *profile, const char *id)
{
	for (guint i = 0; i < profile->units->len; i++) {
		struct iommu_unit *unit = g_ptr_array_index(profile->units, i);

		if (!strcmp(unit->id, id))
			return unit;
	}
	return NULL;
}

struct device *profile_device(const struct profile *profile, const char *address)
{
	return g_hash_table_lookup(profile->devices_by_address, address);
}

bool driver_leaves_group(const char *driver)
{
	return strstr(driver, "vfio") || !strcmp(driver, "pci-stub") || !strcmp(driver, "pcieport");
}

int device_holds_group(const struct device *device)
{
	/* a port without children of its own does no DMA: its driver is pcieport, or none */
	bool port = device->class && g_str_has_prefix(device->class, "0x0604");

	if (device->driver)
		return !driver_leaves_group(device->driver);
	return json_is_null(json_object_get(device->json, "driver")) || port ? 0 : -1;
}

bool profile_lists_devices(const struct profile *profile)
{
	const json_t *sources = json_object_get(json_object_get(profile->doc, "probe"), "sources");
	const json_t *source;
	size_t i;

	json_array_foreach (sources, i, source)
		if (!g_strcmp0(json_string_value(json_object_get(source, "name")), "pci"))
			return json_is_true(json_object_get(source, "complete"));
	return false;
}

const struct fact *facts_find(const GArray *facts, const char *id, enum view view)
{
	const struct fact *found = NULL;

	for (guint i = 0; i < facts->len; i++) {
		const struct fact *f = &g_array_index(facts, struct fact, i);
		bool better = !found || (found->state != FACT_KNOWN && f->state == FACT_KNOWN) ||
			      (f->state == FACT_KNOWN && f->scope.view == VIEW_KERNEL &&
			       found->scope.view != VIEW_KERNEL);

		if (!strcmp(f->id, id) && (view == VIEWS || f->scope.view == view) && better)
			found = f;
	}
	return found;
}

int facts_truth(const GArray *facts, const char *id)
{
	const struct fact *f = facts_find(facts, id, VIEWS);

	if (f && f->state == FACT_ABSENT)
		return 0;
	return f && f->state == FACT_KNOWN ? json_is_true(f->value) : -1;
}

bool facts_number(const GArray *facts, const char *id, uint64_t *number)
{
	const struct fact *f = facts_find(facts, id, VIEWS);
	struct value value;

	if (!f || f->state != FACT_KNOWN || !value_from_json(CAP_UINT, f->value, &value, NULL))
		return false;
	*number = value.number;
	return true;
}

/* Facts of one entry: each scope says one thing of an id. */
static bool parse_facts(struct profile *profile, const json_t *array, const char *place,
			GArray *into, GError **error)
{
	static const struct scope kernel = { .view = VIEW_KERNEL, .migratable = -1 };
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	const json_t *json;
	size_t i;

	if (array && !json_is_array(array))
		return profile_fail(error, place, "must be an array");
	profile->unit_facts += json_array_size(array);
	if (profile->unit_facts > PROFILE_MAX_FACTS)
		return profile_fail(error, place, "too many facts of units and devices (more than 200000)");
	json_array_foreach (array, i, json) {
		struct fact fact = { .cap = -1 };
		const json_t *before;
		char where[512];
		char *key;

		g_snprintf(where, sizeof(where), "%s[%zu]", place, i);
		if (!profile_read_fact(json, &kernel, where, &fact, error) ||
		    !profile_check_value(&fact, where, error))
			return false;
		key = g_strdup_printf("%d %s", fact.scope.view, fact.id);
		before = g_hash_table_lookup(seen, key);
		if (before && !(json_equal(json_object_get(before, "value"), fact.value) &&
				json_equal(json_object_get(before, "state"),
					   json_object_get(json, "state")))) {
			g_free(key);
			return profile_fail(error, where, "contradicts an earlier fact of the same scope; probe the host again");
		}
		g_hash_table_insert(seen, key, (void *)json);
		if (!before)
			g_array_append_val(into, fact);
	}
	return true;
}

static bool parse_unit(struct profile *profile, const json_t *json, const char *place,
		       GError **error)
{
	struct iommu_unit *unit = g_new0(struct iommu_unit, 1);
	g_autofree char *facts = g_strconcat(place, ".facts", NULL);

	unit->facts = g_array_new(FALSE, TRUE, sizeof(struct fact));
	unit->devices = g_ptr_array_new();
	unit->json = json;
	g_ptr_array_add(profile->units, unit);
	if (!json_is_object(json))
		return profile_fail(error, place, "must be an object");
	if (!profile_get_string(json, "id", place, &unit->id, error) ||
	    !profile_get_string(json, "type", place, &unit->type, error) ||
	    !profile_get_string(json, "origin", place, &unit->origin, error))
		return false;
	if (!unit->id || !*unit->id || strlen(unit->id) > 255)
		return profile_fail(error, place, "id is missing, empty or longer than 255 characters");
	if (profile_unit(profile, unit->id) != unit)
		return profile_fail(error, place, "a second unit of the same id");
	unit->type = unit->type ? unit->type : "unknown";
	return parse_facts(profile, json_object_get(json, "facts"), facts, unit->facts, error);
}

static bool parse_group(const json_t *json, const char *place, int *group, GError **error)
{
	const json_t *member = json_object_get(json, "group");

	*group = -1;
	if (!member || json_is_null(member))
		return true;
	if (!json_is_integer(member) || json_integer_value(member) < 0 ||
	    json_integer_value(member) > G_MAXINT)
		return profile_fail(error, place, "group must be a number that is not negative, or null");
	*group = (int)json_integer_value(member);
	return true;
}

static bool parse_device(struct profile *profile, const json_t *json, const char *place,
			 GError **error)
{
	struct device *d = g_new0(struct device, 1);
	g_autofree char *facts = g_strconcat(place, ".facts", NULL);
	const json_t *eligible = json_object_get(json, "eligible");
	const char *unit;

	d->facts = g_array_new(FALSE, TRUE, sizeof(struct fact));
	d->json = json;
	d->eligible = json_is_boolean(eligible) ? json_is_true(eligible) : -1;
	g_ptr_array_add(profile->devices, d);
	if (!json_is_object(json))
		return profile_fail(error, place, "must be an object");
	if (!profile_get_string(json, "address", place, &d->address, error) ||
	    !profile_get_string(json, "vendor", place, &d->vendor, error) ||
	    !profile_get_string(json, "device", place, &d->number, error) ||
	    !profile_get_string(json, "class", place, &d->class, error) ||
	    !profile_get_string(json, "driver", place, &d->driver, error) ||
	    !profile_get_string(json, "iommu", place, &unit, error) ||
	    !profile_get_string(json, "why", place, &d->why, error) ||
	    !parse_group(json, place, &d->group, error))
		return false;
	if (!d->address || !*d->address || strlen(d->address) > 255)
		return profile_fail(error, place, "address is missing, empty or longer than 255 characters");
	if (!g_hash_table_insert(profile->devices_by_address, (void *)d->address, d))
		return profile_fail(error, place, "a second device of the same address");
	d->unit = unit ? profile_unit(profile, unit) : NULL;
	return parse_facts(profile, json_object_get(json, "facts"), facts, d->facts, error);
}

static bool parse_entries(struct profile *profile, const char *member, size_t most,
			  bool (*parse)(struct profile *, const json_t *, const char *, GError **),
			  GError **error)
{
	const json_t *array = json_object_get(profile->doc, member);
	const json_t *json;
	size_t i;

	if (array && !json_is_array(array))
		return profile_fail(error, member, "must be an array");
	if (json_array_size(array) > most)
		return profile_fail(error, member, "too many entries");
	json_array_foreach (array, i, json) {
		char where[64];

		g_snprintf(where, sizeof(where), "%s[%zu]", member, i);
		if (!parse(profile, json, where, error))
			return false;
	}
	return true;
}

/* A unit's "devices" name those behind it too; what a device itself says comes first. */
static bool link_devices(struct profile *profile, GError **error)
{
	for (guint i = 0; i < profile->units->len; i++) {
		struct iommu_unit *unit = g_ptr_array_index(profile->units, i);
		const json_t *names = json_object_get(unit->json, "devices");
		const json_t *name;
		size_t n;

		if (names && !json_is_array(names))
			return profile_fail(error, unit->id, "devices must be an array of addresses");
		json_array_foreach (names, n, name) {
			struct device *d = json_is_string(name)
						   ? profile_device(profile, json_string_value(name))
						   : NULL;

			if (d && !d->unit)
				d->unit = unit;
		}
	}
	for (guint i = 0; i < profile->devices->len; i++) {
		struct device *d = g_ptr_array_index(profile->devices, i);

		if (!d->unit)
			continue;
		g_ptr_array_add(d->unit->devices, d);
		d->unit->serves = d->unit->serves || d->eligible == 1;
	}
	return true;
}

/* Facts that were derived, read as any others; they were made here and can't be refused. */
static void take_derived(struct profile *profile, json_t *array, GArray *into)
{
	const json_t *json;
	size_t i;

	json_array_foreach (array, i, json) {
		struct fact fact = { .cap = -1 };

		if (!profile_read_fact(json, NULL, "derived", &fact, NULL))
			continue;
		if (into)
			g_array_append_val(into, fact);
		else
			profile_add_fact(profile, &fact);
	}
	json_array_append_new(profile->derived, array);
}

bool profile_parse_units(struct profile *profile, GError **error)
{
	if (!parse_entries(profile, "iommus", PROFILE_MAX_UNITS, parse_unit, error) ||
	    !parse_entries(profile, "devices", PROFILE_MAX_DEVICES, parse_device, error) ||
	    !link_devices(profile, error))
		return false;
	for (guint i = 0; i < profile->units->len; i++) {
		struct iommu_unit *unit = g_ptr_array_index(profile->units, i);

		take_derived(profile, derive_told(unit), unit->facts);
		take_derived(profile, derive_unit(profile, unit), unit->facts);
	}
	take_derived(profile, derive_host(profile), NULL);
	return true;
}
