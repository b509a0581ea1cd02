/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * needs-json.c: a guest's needs as an entry of `capbroker.guests/1`, and back.
 *
 * The document is {"format":"capbroker.guests/1", "host"?: NAME, "guests":[ENTRY, …]}. An entry
 * is a whitelist; what isn't named here doesn't leave the host:
 *
 *	name, uuid, running, cpu_only, type, os {type, arch, machine}, emulator, vcpus, memory_kib,
 *	cpu {mode, match, check, migratable, arch, model, fallback, vendor, vendor_id,
 *	     topology {sockets, dies, clusters, cores, threads},
 *	     maxphysaddr {mode, bits, limit}, features [{name, policy}], path},
 *	clock {tsc_khz}, features {acpi, apic, pae, kvm_hidden, hyperv [names]},
 *	viommu, host_device, unjudged [{path, what, decides}],
 *	definition (the whitelisted copy of its XML, see definition.h)
 *
 * All are optional but running, unjudged, viommu and host_device; a member that is not there was
 * not written in the definition. Members this version doesn't know are ignored.
 */
#include "config.h"

#include <string.h>

#include "guest/definition.h"
#include "guest/needs-parts.h"
#include "model/error.h"

static const char *const phys_modes[] = { NULL, "emulate", "passthrough" };

static void set_string(json_t *object, const char *key, const char *value)
{
	if (value)
		json_object_set_new(object, key, json_string(value));
}

static void set_number(json_t *object, const char *key, unsigned long long value)
{
	if (value)
		json_object_set_new(object, key, json_integer((json_int_t)value));
}

static void set_true(json_t *object, const char *key, bool value)
{
	if (value)
		json_object_set_new(object, key, json_true());
}

/* Keeps only objects that hold something. */
static void set_object(json_t *object, const char *key, json_t *member)
{
	if (json_object_size(member))
		json_object_set_new(object, key, member);
	else
		json_decref(member);
}

static json_t *cpu_numbers_json(const struct cpu_def *cpu, bool topology)
{
	json_t *json = json_object();

	if (topology) {
		set_number(json, "sockets", cpu->sockets);
		set_number(json, "dies", cpu->dies);
		set_number(json, "clusters", cpu->clusters);
		set_number(json, "cores", cpu->cores);
		set_number(json, "threads", cpu->threads);
	} else {
		set_string(json, "mode", phys_modes[cpu->phys_mode]);
		set_number(json, "bits", cpu->phys_bits);
		set_number(json, "limit", cpu->phys_limit);
	}
	return json;
}

static json_t *cpu_json(const struct cpu_def *cpu)
{
	json_t *json = json_object();
	json_t *features = json_array();

	if (cpu->mode != CPU_MODE_NONE)
		set_string(json, "mode", cpu_mode_name(cpu->mode));
	if (cpu->has_match)
		set_string(json, "match", cpu_match_name(cpu->match));
	if (cpu->check != CPU_CHECK_DEFAULT)
		set_string(json, "check", cpu_check_name(cpu->check));
	if (cpu->migratable >= 0)
		json_object_set_new(json, "migratable", json_boolean(cpu->migratable));
	set_string(json, "arch", cpu->arch);
	set_string(json, "model", cpu->model);
	set_string(json, "fallback", cpu->fallback_forbid ? "forbid" : NULL);
	set_string(json, "vendor", cpu->vendor);
	set_string(json, "vendor_id", cpu->vendor_id);
	set_object(json, "topology", cpu_numbers_json(cpu, true));
	set_object(json, "maxphysaddr", cpu_numbers_json(cpu, false));
	for (guint i = 0; i < cpu->features->len; i++) {
		const struct cpu_def_feature *f = g_ptr_array_index(cpu->features, i);

		json_array_append_new(features, json_pack("{s:s, s:s}", "name", f->name, "policy",
							  cpu_policy_name(f->policy)));
	}
	json_object_set_new(json, "features", features);
	set_string(json, "path", cpu->path);
	return json;
}

static json_t *features_json(const struct needs *needs)
{
	json_t *json = json_object();
	json_t *hyperv = json_array();

	set_true(json, "acpi", needs->acpi);
	set_true(json, "apic", needs->apic);
	set_true(json, "pae", needs->pae);
	set_true(json, "kvm_hidden", needs->kvm_hidden);
	for (guint i = 0; i < needs->hyperv->len; i++)
		json_array_append_new(hyperv, json_string(g_ptr_array_index(needs->hyperv, i)));
	if (json_array_size(hyperv))
		json_object_set(json, "hyperv", hyperv);
	json_decref(hyperv);
	return json;
}

json_t *needs_to_json(const struct needs *needs)
{
	json_t *json = json_object();
	json_t *clock = json_object();
	json_t *unjudged = json_array();

	set_string(json, "name", needs->name);
	set_string(json, "uuid", needs->uuid);
	json_object_set_new(json, "running", json_boolean(needs->live));
	set_true(json, "cpu_only", needs->cpu_only);
	set_string(json, "type", needs->type);
	set_object(json, "os", json_pack("{s:s*, s:s*, s:s*}", "type", needs->os_type, "arch",
					 needs->arch, "machine", needs->machine));
	set_string(json, "emulator", needs->emulator);
	set_number(json, "vcpus", needs->vcpus);
	set_number(json, "memory_kib", needs->memory_kib);
	if (needs->cpu)
		json_object_set_new(json, "cpu", cpu_json(needs->cpu));
	set_number(clock, "tsc_khz", needs->tsc_khz);
	set_object(json, "clock", clock);
	set_object(json, "features", features_json(needs));
	json_object_set_new(json, "viommu", json_boolean(needs->has_viommu));
	json_object_set_new(json, "host_device", json_boolean(needs->has_host_device));
	for (guint i = 0; i < needs->unjudged->len; i++) {
		const struct needs_unjudged *u = g_ptr_array_index(needs->unjudged, i);

		json_array_append_new(unjudged, json_pack("{s:s, s:s, s:b}", "path", u->path, "what",
							  u->what, "decides", u->decides));
	}
	json_object_set_new(json, "unjudged", unjudged);
	set_string(json, "definition", needs->definition_text);
	return json;
}

/* Reading it back. @place is the member's own object, for messages. */

static bool fail(const char *place, const char *key, const char *what, GError **error)
{
	g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID, "%s%s%s: %s", place, *key ? "." : "",
		    key, what);
	return false;
}

static bool get_object(const json_t *object, const char *key, const char *place,
		       const json_t **out, GError **error)
{
	*out = json_object_get(object, key);
	return !*out || json_is_object(*out) || fail(place, key, "must be an object", error);
}

static bool get_array(const json_t *object, const char *key, const char *place, size_t max,
		      const json_t **out, GError **error)
{
	*out = json_object_get(object, key);
	if (*out && !json_is_array(*out))
		return fail(place, key, "must be an array", error);
	return json_array_size(*out) <= max || fail(place, key, "has too many members", error);
}

/* A non-empty string of bounded length without line ends, where it is there. */
static bool get_string(const json_t *object, const char *key, const char *place, const char **out,
		       GError **error)
{
	const json_t *member = json_object_get(object, key);

	*out = json_string_value(member);
	if (!member)
		return true;
	if (!*out)
		return fail(place, key, "must be a string", error);
	if (!**out || json_string_length(member) > 2 * NEEDS_MAX_NAME ||
	    strlen(*out) != json_string_length(member) || strpbrk(*out, "\r\n"))
		return fail(place, key, "must be a string of one line, not empty", error);
	return true;
}

static bool copy_string(const json_t *object, const char *key, const char *place, char **out,
			GError **error)
{
	const char *value;

	if (!get_string(object, key, place, &value, error))
		return false;
	*out = g_strdup(value);
	return true;
}

static bool get_number(const json_t *object, const char *key, const char *place,
		       unsigned long long max, unsigned long long *out, GError **error)
{
	const json_t *member = json_object_get(object, key);

	if (!member)
		return true;
	if (!json_is_integer(member) || json_integer_value(member) < 0 ||
	    (unsigned long long)json_integer_value(member) > max)
		return fail(place, key, "must be a number that is not negative, nor too big",
			    error);
	*out = (unsigned long long)json_integer_value(member);
	return true;
}

static bool get_uint(const json_t *object, const char *key, const char *place, unsigned int *out,
		     GError **error)
{
	unsigned long long n = *out;

	if (!get_number(object, key, place, 1u << 20, &n, error))
		return false;
	*out = (unsigned int)n;
	return true;
}

static bool get_bool(const json_t *object, const char *key, const char *place, bool *out,
		     GError **error)
{
	const json_t *member = json_object_get(object, key);

	if (member && !json_is_boolean(member))
		return fail(place, key, "must be true or false", error);
	*out = json_is_true(member);
	return true;
}

/* Names by number, for get_enum(). */

static const char *mode_of(int i)
{
	return cpu_mode_name((enum cpu_mode)i);
}

static const char *match_of(int i)
{
	return cpu_match_name((enum cpu_match)i);
}

static const char *check_of(int i)
{
	return cpu_check_name((enum cpu_check)i);
}

static const char *policy_of(int i)
{
	return cpu_policy_name((enum cpu_policy)i);
}

static const char *phys_of(int i)
{
	return phys_modes[i];
}

/* One of the names of 0 … @last; *@out keeps its value where there is none. */
static bool get_enum(const json_t *object, const char *key, const char *place,
		     const char *(*name_of)(int), int last, int *out, GError **error)
{
	const char *value;

	if (!get_string(object, key, place, &value, error))
		return false;
	for (int i = 0; value && i <= last; i++) {
		if (!g_strcmp0(name_of(i), value)) {
			*out = i;
			return true;
		}
	}
	return !value || fail(place, key, "is not one of the names that it can have", error);
}

static bool cpu_features_from(struct cpu_def *cpu, const json_t *json, GError **error)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
	const json_t *features, *feature;
	size_t i;

	if (!get_array(json, "features", "cpu", CPU_DEF_MAX_FEATURES, &features, error))
		return false;
	json_array_foreach (features, i, feature) {
		g_autofree char *place = g_strdup_printf("cpu.features[%zu]", i);
		int policy = CPU_REQUIRE;
		const char *name;

		if (!get_string(feature, "name", place, &name, error) ||
		    !get_enum(feature, "policy", place, policy_of, CPU_FORBID, &policy, error))
			return false;
		if (!name)
			return fail(place, "name", "is missing", error);
		if (!g_hash_table_add(seen, (gpointer)name))
			return fail(place, "name", "is given twice", error);
		cpu_def_add_feature(cpu, name, (enum cpu_policy)policy,
				    cpu_def_feature_path(cpu->path, (unsigned int)i + 1,
							 json_array_size(features) == 1));
	}
	return true;
}

static bool cpu_numbers_from(struct cpu_def *cpu, const json_t *json, GError **error)
{
	const json_t *t, *phys;

	return get_object(json, "topology", "cpu", &t, error) &&
	       get_object(json, "maxphysaddr", "cpu", &phys, error) &&
	       get_uint(t, "sockets", "cpu.topology", &cpu->sockets, error) &&
	       get_uint(t, "dies", "cpu.topology", &cpu->dies, error) &&
	       get_uint(t, "clusters", "cpu.topology", &cpu->clusters, error) &&
	       get_uint(t, "cores", "cpu.topology", &cpu->cores, error) &&
	       get_uint(t, "threads", "cpu.topology", &cpu->threads, error) &&
	       get_enum(phys, "mode", "cpu.maxphysaddr", phys_of, 2, &cpu->phys_mode, error) &&
	       get_uint(phys, "bits", "cpu.maxphysaddr", &cpu->phys_bits, error) &&
	       get_uint(phys, "limit", "cpu.maxphysaddr", &cpu->phys_limit, error);
}

static bool cpu_fill(struct cpu_def *cpu, const json_t *json, GError **error)
{
	int mode = CPU_MODE_NONE, match = CPU_MATCH_EXACT, check = CPU_CHECK_DEFAULT;
	const json_t *migratable = json_object_get(json, "migratable");
	const char *fallback;
	bool on;

	if (!get_enum(json, "mode", "cpu", mode_of, CPU_MAXIMUM, &mode, error) ||
	    !get_enum(json, "match", "cpu", match_of, CPU_MATCH_STRICT, &match, error) ||
	    !get_enum(json, "check", "cpu", check_of, CPU_CHECK_FULL, &check, error) ||
	    !get_bool(json, "migratable", "cpu", &on, error) ||
	    !copy_string(json, "arch", "cpu", &cpu->arch, error) ||
	    !copy_string(json, "model", "cpu", &cpu->model, error) ||
	    !get_string(json, "fallback", "cpu", &fallback, error) ||
	    !copy_string(json, "vendor", "cpu", &cpu->vendor, error) ||
	    !copy_string(json, "vendor_id", "cpu", &cpu->vendor_id, error) ||
	    !cpu_numbers_from(cpu, json, error) || !cpu_features_from(cpu, json, error))
		return false;
	cpu->mode = (enum cpu_mode)mode;
	cpu->match = (enum cpu_match)match;
	cpu->has_match = json_object_get(json, "match") != NULL;
	cpu->check = (enum cpu_check)check;
	cpu->migratable = migratable ? on : -1;
	cpu->fallback_forbid = !g_strcmp0(fallback, "forbid");
	cpu->host = cpu->arch != NULL;
	if (cpu->host && mode != CPU_MODE_NONE)
		return fail("cpu", "arch", "doesn't go with a mode", error);
	return true;
}

static bool cpu_from(struct needs *needs, const json_t *guest, GError **error)
{
	const json_t *json;
	const char *path;

	if (!get_object(guest, "cpu", "guest", &json, error))
		return false;
	if (!json)
		return !needs->cpu_only || fail("guest", "cpu", "is missing", error);
	if (!get_string(json, "path", "cpu", &path, error))
		return false;
	needs->cpu = cpu_def_new(path ? path : "/domain/cpu");
	return cpu_fill(needs->cpu, json, error);
}

static bool features_from(struct needs *needs, const json_t *guest, GError **error)
{
	const json_t *json, *hyperv, *name;
	size_t i;

	if (!get_object(guest, "features", "guest", &json, error) ||
	    !get_bool(json, "acpi", "features", &needs->acpi, error) ||
	    !get_bool(json, "apic", "features", &needs->apic, error) ||
	    !get_bool(json, "pae", "features", &needs->pae, error) ||
	    !get_bool(json, "kvm_hidden", "features", &needs->kvm_hidden, error) ||
	    !get_array(json, "hyperv", "features", NEEDS_MAX_HYPERV, &hyperv, error))
		return false;
	json_array_foreach (hyperv, i, name) {
		if (!json_is_string(name) || json_string_length(name) > 64)
			return fail("features", "hyperv", "must hold short names", error);
		g_ptr_array_add(needs->hyperv, g_strdup(json_string_value(name)));
	}
	return true;
}

static bool unjudged_from(struct needs *needs, const json_t *guest, GError **error)
{
	const json_t *list, *json;
	size_t i;

	if (!get_array(guest, "unjudged", "guest", 2 * NEEDS_MAX_UNJUDGED, &list, error))
		return false;
	json_array_foreach (list, i, json) {
		g_autofree char *place = g_strdup_printf("unjudged[%zu]", i);
		const char *path, *what;
		bool decides;

		if (!get_string(json, "path", place, &path, error) ||
		    !get_string(json, "what", place, &what, error) ||
		    !get_bool(json, "decides", place, &decides, error))
			return false;
		if (!path || !what)
			return fail(place, "", "path and what must both be there", error);
		needs_add_unjudged(needs, g_strdup(path), what, decides);
	}
	return true;
}

static bool definition_from(struct needs *needs, const json_t *guest, GError **error)
{
	const json_t *member = json_object_get(guest, "definition");
	const char *text = json_string_value(member);

	if (!member)
		return true;
	if (!text || strlen(text) != json_string_length(member) || strlen(text) > DEFINITION_MAX_BYTES)
		return fail("guest", "definition", "must be the text of a domain definition", error);
	return needs_set_definition(needs, g_strdup(text), error) &&
	       (!strcmp(xml_root(needs->definition)->name, "domain") ||
		fail("guest", "definition", "must be a <domain>", error));
}

static bool fill(struct needs *needs, const json_t *guest, GError **error)
{
	const json_t *os, *clock;
	unsigned long long memory = 0, tsc = 0;

	if (!json_is_object(guest))
		return fail("guest", "", "must be an object", error);
	if (!get_object(guest, "os", "guest", &os, error) ||
	    !get_object(guest, "clock", "guest", &clock, error) ||
	    !copy_string(guest, "name", "guest", &needs->name, error) ||
	    !copy_string(guest, "uuid", "guest", &needs->uuid, error) ||
	    !get_bool(guest, "running", "guest", &needs->live, error) ||
	    !get_bool(guest, "cpu_only", "guest", &needs->cpu_only, error) ||
	    !copy_string(guest, "type", "guest", &needs->type, error) ||
	    !copy_string(os, "type", "os", &needs->os_type, error) ||
	    !copy_string(os, "arch", "os", &needs->arch, error) ||
	    !copy_string(os, "machine", "os", &needs->machine, error) ||
	    !copy_string(guest, "emulator", "guest", &needs->emulator, error) ||
	    !get_uint(guest, "vcpus", "guest", &needs->vcpus, error) ||
	    !get_number(guest, "memory_kib", "guest", G_MAXINT64, &memory, error) ||
	    !get_number(clock, "tsc_khz", "clock", 1000000000ull, &tsc, error) ||
	    !get_bool(guest, "viommu", "guest", &needs->has_viommu, error) ||
	    !get_bool(guest, "host_device", "guest", &needs->has_host_device, error) ||
	    !cpu_from(needs, guest, error) || !features_from(needs, guest, error) ||
	    !unjudged_from(needs, guest, error) || !definition_from(needs, guest, error))
		return false;
	if (!needs->cpu_only && !needs->type)
		return fail("guest", "type", "is missing", error);
	needs->memory_kib = memory;
	needs->tsc_khz = tsc;
	needs->accel = g_strdup(needs_accel(needs->type));
	return true;
}

struct needs *needs_from_json(const json_t *guest, GError **error)
{
	g_autoptr(Needs) needs = needs_new();

	return fill(needs, guest, error) ? g_steal_pointer(&needs) : NULL;
}
