/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * read-qmp.c: QEMU's replies as members of an emulator's entry. What its CPU models and their
 * expansion say is in read-qmp-cpu.c, what devices it has in read-qmp-types.c.
 */
#include "config.h"

#include <string.h>

#include "model/error.h"
#include "read/read-parts.h"
#include "read/read-qmp.h"

#define MAX_REPLIES 10000u

json_t *read_qmp_parse(const char *bytes, size_t length, const char *where, GError **error)
{
	json_t *replies = json_array();
	size_t at = 0, line = 1;
	json_error_t err;

	if (length > PROFILE_MAX_BYTES) {
		json_decref(replies);
		read_fail(error, where, "more bytes than are read of a QMP reply (is it the right file?)");
		return NULL;
	}
	while (at < length) {
		json_t *reply;

		if (g_ascii_isspace(bytes[at])) {
			line += bytes[at++] == '\n';
			continue;
		}
		reply = json_loadb(bytes + at, length - at,
				   JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK |
					   JSON_DECODE_INT_AS_REAL,
				   &err);
		if (!reply || json_array_size(replies) == MAX_REPLIES) {
			g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID,
				    "%s: line %zu: not JSON: %s (is the file complete?)", where,
				    line + (size_t)MAX(err.line, 1) - 1,
				    reply ? "too many replies" : err.text);
			json_decref(reply);
			json_decref(replies);
			return NULL;
		}
		json_array_append_new(replies, reply);
		for (size_t end = at + (size_t)err.position; at < end; at++)
			line += bytes[at] == '\n';
	}
	return replies;
}

const json_t *read_qmp_value(const json_t *reply)
{
	const json_t *value = json_object_get(reply, "return");

	return value ? value : reply;
}

static bool has(const json_t *object, const char *key)
{
	return json_object_get(object, key) != NULL;
}

/* What a list is, by its members; the first one is typical of all. */
static enum read_kind array_kind(const json_t *array)
{
	const json_t *first = json_array_get(array, 0);

	if (has(first, "capability") && has(first, "state"))
		return READ_QMP_MIGRATE_CAPABILITIES;
	if (has(first, "emulated") && has(first, "kernel") && has(first, "version"))
		return READ_QMP_GIC;
	if (!has(first, "name"))
		return READ_QMP_OTHER;
	if (has(first, "cpu-max"))
		return READ_QMP_MACHINES;
	if (has(first, "unavailable-features") || has(first, "typename") ||
	    has(first, "migration-safe") || has(first, "static"))
		return READ_QMP_CPU_DEFINITIONS;
	if (has(first, "meta-type"))
		return READ_QMP_SCHEMA;
	if (has(first, "type") && json_is_string(json_object_get(first, "type")))
		return READ_QMP_DEVICE_PROPERTIES;
	if (json_is_string(json_object_get(first, "parent")))
		return READ_QMP_TYPES;
	return READ_QMP_OTHER;
}

enum read_kind read_qmp_kind(const json_t *reply)
{
	const json_t *value = json_object_get(reply, "return");
	bool wrapped = value != NULL;

	if (json_is_string(json_object_get(json_object_get(reply, "error"), "class")))
		return READ_ERROR_TEXT;
	value = read_qmp_value(reply);
	if (json_is_array(value) && json_array_size(value)) {
		enum read_kind kind = array_kind(value);

		return wrapped || kind != READ_QMP_OTHER ? kind : READ_UNKNOWN;
	}
	if (json_is_object(json_object_get(json_object_get(value, "model"), "props")))
		return READ_QMP_EXPANSION;
	if (has(json_object_get(value, "qemu"), "major"))
		return READ_QMP_VERSION;
	if (has(value, "enabled") && has(value, "present") && json_object_size(value) == 2)
		return READ_QMP_KVM;
	if (json_is_string(json_object_get(value, "arch")) && json_object_size(value) == 1)
		return READ_QMP_TARGET;
	if (json_is_string(json_object_get(reply, "execute")))
		return READ_QMP_TRANSCRIPT;
	if (has(value, "cbitpos") && has(value, "reduced-phys-bits"))
		return READ_QMP_SEV;
	if (has(value, "sgx") && has(value, "flc"))
		return READ_QMP_SGX;
	if (has(value, "downtime-limit") && has(value, "max-bandwidth"))
		return READ_QMP_MIGRATE_PARAMETERS;
	return wrapped || has(reply, "QMP") ? READ_QMP_OTHER : READ_UNKNOWN;
}

static bool get_uint(const json_t *object, const char *key, double max, json_int_t *out)
{
	const json_t *member = json_object_get(object, key);
	double n = json_number_value(member);

	if (!json_is_number(member) || n < 0 || n > max)
		return false;
	*out = (json_int_t)n;
	return true;
}

static bool read_version(json_t *doc, const json_t *value, const struct scope *scope,
			 const char *origin, GError **error)
{
	const json_t *qemu = json_object_get(value, "qemu");
	const char *package = json_string_value(json_object_get(value, "package"));
	g_autofree char *version = NULL;
	json_int_t major, minor, micro;
	json_t *entry;

	if (!get_uint(qemu, "major", 10000, &major) || !get_uint(qemu, "minor", 10000, &minor) ||
	    !get_uint(qemu, "micro", 10000, &micro))
		return read_fail(error, origin, "return.qemu: major, minor and micro must be numbers");
	version = g_strdup_printf("%d.%d.%d", (int)major, (int)minor, (int)micro);
	entry = document_emulator(doc, scope, version);
	read_set_version(doc, scope->emulator, version);
	if (package && (!*package || read_name_ok(package)))
		json_object_set_new(entry, "package", json_string(package));
	return true;
}

static int by_name(const void *a, const void *b)
{
	const json_t *const *x = a, *const *y = b;

	return strcmp(json_string_value(json_object_get(*x, "name")),
		      json_string_value(json_object_get(*y, "name")));
}

json_t *read_qmp_sorted(GPtrArray *objects)
{
	json_t *array = json_array();

	g_ptr_array_sort(objects, by_name);
	for (guint i = 0; i < objects->len; i++)
		json_array_append_new(array, objects->pdata[i]);
	g_ptr_array_set_size(objects, 0);
	return array;
}

bool read_qmp_named(const json_t *member, const char *origin, size_t i, const char **name,
		    GError **error)
{
	*name = json_string_value(json_object_get(member, "name"));
	if (read_name_ok(*name))
		return true;
	g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID,
		    "%s: return[%zu].name: must be a string, not empty nor too long", origin, i);
	return false;
}

void read_qmp_copy_bool(json_t *to, const char *key, const json_t *from, const char *from_key)
{
	const json_t *member = json_object_get(from, from_key);

	if (json_is_boolean(member))
		json_object_set_new(to, key, json_boolean(json_is_true(member)));
}

void read_qmp_copy_name(json_t *to, const char *key, const json_t *from, const char *from_key)
{
	const char *name = json_string_value(json_object_get(from, from_key));

	if (read_name_ok(name))
		json_object_set_new(to, key, json_string(name));
}

static void drop_json(gpointer data)
{
	json_decref(data);
}

GPtrArray *read_qmp_list(void)
{
	return g_ptr_array_new_with_free_func(drop_json);
}

static bool read_machines(json_t *doc, const json_t *value, const struct scope *scope,
			  const char *origin, GError **error)
{
	g_autoptr(GPtrArray) machines = read_qmp_list();
	const json_t *member;
	size_t i;

	if (!json_is_array(value) || json_array_size(value) > READ_MAX_MACHINES)
		return read_fail(error, origin, "return: must be a list of machine types, not too long");
	json_array_foreach (value, i, member) {
		const char *name;
		json_int_t max;
		json_t *machine;

		if (!read_qmp_named(member, origin, i, &name, error))
			return false;
		machine = json_pack("{s:s}", "name", name);
		g_ptr_array_add(machines, machine);
		read_qmp_copy_name(machine, "alias", member, "alias");
		if (get_uint(member, "cpu-max", G_MAXUINT32, &max))
			json_object_set_new(machine, "cpu_max", json_integer(max));
		read_qmp_copy_bool(machine, "deprecated", member, "deprecated");
		read_qmp_copy_bool(machine, "default", member, "is-default");
	}
	g_ptr_array_set_free_func(machines, NULL);
	json_object_set_new(read_emulator(doc, scope), "machines", read_qmp_sorted(machines));
	return true;
}

static int by_string(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

json_t *read_qmp_names(GPtrArray *names)
{
	json_t *array = json_array();

	g_ptr_array_sort(names, by_string);
	for (guint i = 0; i < names->len; i++)
		if (!i || strcmp(names->pdata[i], names->pdata[i - 1]))
			json_array_append_new(array, json_string(names->pdata[i]));
	return array;
}

static bool read_kvm(json_t *doc, const json_t *value, const struct scope *scope,
		     const char *origin, GError **error)
{
	json_t *kvm = json_object();

	read_qmp_copy_bool(kvm, "enabled", value, "enabled");
	read_qmp_copy_bool(kvm, "present", value, "present");
	if (json_object_size(kvm) != 2) {
		json_decref(kvm);
		return read_fail(error, origin, "return: enabled and present must be true or false");
	}
	json_object_set_new(read_emulator(doc, scope), "kvm", kvm);
	return true;
}

/* QEMU's name of what it emulates, as libvirt and uname(2) spell it. */
const char *read_qmp_arch(const json_t *value)
{
	const char *name = json_string_value(json_object_get(value, "arch"));

	if (!read_name_ok(name))
		return NULL;
	return !strcmp(name, "arm") ? "armv7l" : !strcmp(name, "i386") ? "i686" : name;
}

static bool read_target(json_t *doc, const json_t *value, const struct scope *scope,
			const char *origin, GError **error)
{
	const char *arch = read_qmp_arch(value);

	if (!arch)
		return read_fail(error, origin, "return.arch: must be the name of an architecture");
	json_object_set_new(read_emulator(doc, scope), "arch", json_string(arch));
	if (!g_strcmp0(scope->accel, "kvm"))
		read_set_host(doc, "arch", arch);
	return true;
}

/* Interrupt controllers: those that KVM emulates are the host's to give. */
static bool read_gic(json_t *doc, const json_t *value, const struct scope *scope,
		     const char *origin, GError **error)
{
	const struct scope kvm = { .view = VIEW_KVM, .migratable = -1 };
	json_t *versions = json_array();
	const json_t *member;
	size_t i;

	if (g_strcmp0(scope->accel, "kvm") || json_array_size(value) > 99) {
		json_decref(versions);
		return json_array_size(value) <= 99 ||
		       read_fail(error, origin, "return: must be a short list of interrupt controllers");
	}
	json_array_foreach (value, i, member)
		if (json_is_number(json_object_get(member, "version")) &&
		    json_is_true(json_object_get(member, "kernel")))
			json_array_append_new(versions,
					      json_sprintf("%d", (int)json_number_value(json_object_get(
									 member, "version"))));
	read_put_once(read_facts(doc), "arm64.gic-versions", versions, &kvm, origin);
	return true;
}

bool read_qmp(json_t *doc, enum read_kind kind, const json_t *reply, const struct scope *asked,
	      const char *model, const struct cpu_models *models, const char *origin,
	      GError **error)
{
	const json_t *value = read_qmp_value(reply);
	struct scope scope = *asked;

	if (!scope.emulator)
		scope.emulator = read_default_emulator(doc);
	if (!scope.machine)
		scope.machine = "none";
	if (json_array_size(json_object_get(doc, "emulators")) >= PROFILE_MAX_EMULATORS)
		return read_fail(error, origin, "too many emulators in one profile");
	switch (kind) {
	case READ_QMP_VERSION:
		return read_version(doc, value, &scope, origin, error);
	case READ_QMP_MACHINES:
		return read_machines(doc, value, &scope, origin, error);
	case READ_QMP_CPU_DEFINITIONS:
		return read_qmp_definitions(doc, value, &scope, origin, error);
	case READ_QMP_EXPANSION:
		return read_qmp_expansion(doc, value, &scope, model, models, origin, error);
	case READ_QMP_TARGET:
		return read_target(doc, value, &scope, origin, error);
	case READ_QMP_GIC:
		return read_gic(doc, value, &scope, origin, error);
	case READ_QMP_KVM:
		return read_kvm(doc, value, &scope, origin, error);
	case READ_QMP_DEVICE_PROPERTIES:
		return read_qmp_properties(doc, value, &scope, model, origin, error);
	case READ_QMP_TYPES:
		return read_qmp_types(doc, value, &scope, model, origin, error);
	case READ_QMP_MIGRATE_CAPABILITIES:
		return read_qmp_migrate_capabilities(doc, value, &scope, origin, error);
	case READ_QMP_MIGRATE_PARAMETERS:
		return read_qmp_migrate_parameters(doc, value, &scope, origin, error);
	case READ_QMP_SCHEMA:
		return read_qmp_schema(doc, value, &scope, origin, error);
	case READ_QMP_SEV:
		return read_qmp_sev(doc, value, &scope, origin, error);
	case READ_QMP_SGX:
		return read_qmp_sgx(doc, value, &scope, origin, error);
	case READ_QMP_OTHER:
		return true;
	default:
		return read_fail(error, origin, "is no QMP reply that this version reads");
	}
}
