/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * read-qmp-types.c: which devices and objects a QEMU has (qom-list-types), and which properties a
 * device has (device-list-properties), as members of an emulator's entry.
 */
#include "config.h"

#include <string.h>

#include "model/devices.h"
#include "read/read-qmp.h"

/* The entry's devices: type → names of its properties, or null where they weren't asked. */
static json_t *devices_of(json_t *entry)
{
	json_t *devices = json_object_get(entry, "devices");

	if (!devices) {
		devices = json_object();
		json_object_set_new(entry, "devices", devices);
	}
	return devices;
}

void read_qmp_set_properties(json_t *entry, const char *type, json_t *names)
{
	json_object_set_new(devices_of(entry), type, names);
}

bool read_qmp_properties(json_t *doc, const json_t *value, const struct scope *scope,
			 const char *type, const char *origin, GError **error)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	const json_t *member;
	size_t i;

	if (!read_name_ok(type))
		return read_fail(error, origin,
				 "of which device? (its type belongs into the file's name, …-device-list-properties-TYPE.json)");
	if (!json_is_array(value) || json_array_size(value) > READ_MAX_PROPERTIES)
		return read_fail(error, origin, "return: must be a list of properties, not too long");
	json_array_foreach (value, i, member) {
		const char *name;

		if (!read_qmp_named(member, origin, i, &name, error))
			return false;
		if (!strchr(name, '[')) /* an interrupt line, one of many */
			g_ptr_array_add(names, (gpointer)name);
	}
	read_qmp_set_properties(read_emulator(doc, scope), type, read_qmp_names(names));
	return true;
}

static void put_devices(json_t *entry, const GPtrArray *names)
{
	json_t *devices = devices_of(entry);

	for (guint i = 0; i < names->len; i++)
		if (!device_is_cpu(names->pdata[i]) && !json_object_get(devices, names->pdata[i]))
			json_object_set_new(devices, names->pdata[i], json_null());
	json_object_set_new(entry, "devices_complete", json_true());
}

bool read_qmp_types(json_t *doc, const json_t *value, const struct scope *scope, const char *kind,
		    const char *origin, GError **error)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	const json_t *member;
	size_t i;

	if (!json_is_array(value) || json_array_size(value) > READ_MAX_PROPERTIES)
		return read_fail(error, origin, "return: must be a list of types, not too long");
	json_array_foreach (value, i, member) {
		const char *name;

		if (!read_qmp_named(member, origin, i, &name, error))
			return false;
		if (!json_is_true(json_object_get(member, "abstract")))
			g_ptr_array_add(names, (gpointer)name);
	}
	if (!g_strcmp0(kind, "device"))
		put_devices(read_emulator(doc, scope), names);
	else if (!g_strcmp0(kind, "user-creatable"))
		json_object_set_new(read_emulator(doc, scope), "objects", read_qmp_names(names));
	return true;
}
