/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* firmware.c: see firmware.h. */
#include "config.h"

#include <string.h>

#include <jansson.h>

#include "model/error.h"
#include "model/firmware.h"

#define MAX_LIST 256u
#define MAX_WORD 512u

#define PVE "/usr/share/pve-edk2-firmware/" /* Proxmox VE */
#define OVMF "/usr/share/OVMF/"
#define EDK2 "/usr/share/edk2/"
#define QEMU "/usr/share/qemu/"
#define AAVMF "/usr/share/AAVMF/"

const char *const firmware_places[] = {
	OVMF "OVMF_CODE.fd", OVMF "OVMF_CODE.ms.fd", OVMF "OVMF_CODE.secboot.fd", OVMF "OVMF_VARS.fd",
	OVMF "OVMF_VARS.ms.fd", OVMF "OVMF_VARS.secboot.fd", OVMF "OVMF_CODE_4M.fd",
	OVMF "OVMF_CODE_4M.ms.fd", OVMF "OVMF_CODE_4M.secboot.fd", OVMF "OVMF_CODE_4M.snakeoil.fd",
	OVMF "OVMF_VARS_4M.fd", OVMF "OVMF_VARS_4M.ms.fd", OVMF "OVMF_VARS_4M.snakeoil.fd",
	"/usr/share/ovmf/OVMF.fd",
	PVE "OVMF_CODE.fd", PVE "OVMF_CODE_4M.fd", PVE "OVMF_CODE_4M.secboot.fd", PVE "AAVMF_CODE.fd",
	EDK2 "ovmf/OVMF_CODE.fd", EDK2 "ovmf/OVMF_CODE.secboot.fd", EDK2 "ovmf/OVMF_CODE.cc.fd",
	EDK2 "ovmf/OVMF_VARS.fd", EDK2 "ovmf/OVMF_VARS.secboot.fd", EDK2 "ovmf/OVMF_CODE_4M.qcow2",
	EDK2 "ovmf/OVMF_CODE_4M.secboot.qcow2", EDK2 "ovmf/OVMF_VARS_4M.qcow2",
	EDK2 "ovmf/OVMF_VARS_4M.secboot.qcow2", EDK2 "x64/OVMF_CODE.4m.fd",
	EDK2 "x64/OVMF_CODE.secboot.4m.fd", EDK2 "x64/OVMF_VARS.4m.fd",
	EDK2 "aarch64/QEMU_EFI-pflash.raw", EDK2 "aarch64/QEMU_EFI-silent-pflash.raw",
	EDK2 "aarch64/vars-template-pflash.raw",
	QEMU "edk2-x86_64-code.fd", QEMU "edk2-x86_64-secure-code.fd", QEMU "edk2-i386-vars.fd",
	QEMU "edk2-aarch64-code.fd", QEMU "edk2-arm-vars.fd", QEMU "bios.bin", QEMU "bios-256k.bin",
	QEMU "bios-microvm.bin", QEMU "ovmf-x86_64-code.bin", QEMU "ovmf-x86_64-vars.bin",
	QEMU "ovmf-x86_64-ms-code.bin", QEMU "ovmf-x86_64-ms-vars.bin",
	QEMU "ovmf-x86_64-smm-ms-code.bin", QEMU "ovmf-x86_64-smm-ms-vars.bin",
	"/usr/share/seabios/bios.bin", "/usr/share/seabios/bios-256k.bin",
	"/usr/share/seabios/bios-microvm.bin",
	AAVMF "AAVMF_CODE.fd", AAVMF "AAVMF_VARS.fd", AAVMF "AAVMF_CODE.no-secboot.fd",
	AAVMF "AAVMF_CODE.ms.fd", AAVMF "AAVMF_VARS.ms.fd", AAVMF "AAVMF32_CODE.fd",
	AAVMF "AAVMF32_VARS.fd", "/usr/share/qemu-efi-aarch64/QEMU_EFI.fd",
	NULL
};

const char *const firmware_known_pairs[] = {
	OVMF "OVMF_CODE.fd", OVMF "OVMF_VARS.fd",
	OVMF "OVMF_CODE.secboot.fd", OVMF "OVMF_VARS.fd",
	AAVMF "AAVMF_CODE.fd", AAVMF "AAVMF_VARS.fd",
	AAVMF "AAVMF32_CODE.fd", AAVMF "AAVMF32_VARS.fd",
	NULL
};

static bool bad(GError **error, const char *name, const char *what)
{
	g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID, "%s: %s", name, what);
	return false;
}

static const char *word(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text && *text && strlen(text) <= MAX_WORD ? text : NULL;
}

static bool take_words(const json_t *array, GPtrArray *words)
{
	const json_t *member;
	size_t i;

	if (!json_is_array(array) || json_array_size(array) > MAX_LIST)
		return false;
	json_array_foreach (array, i, member) {
		const char *text = json_string_value(member);

		if (!text || strlen(text) > MAX_WORD)
			return false;
		g_ptr_array_add(words, g_strdup(text));
	}
	return true;
}

static char **words_of(GPtrArray *words)
{
	g_ptr_array_add(words, NULL);
	return (char **)g_ptr_array_free(words, FALSE);
}

static bool take_targets(struct firmware *f, const json_t *targets, GError **error)
{
	GPtrArray *all = g_ptr_array_new();
	const json_t *target;
	bool ok = json_is_array(targets) && json_array_size(targets) <= MAX_LIST;
	size_t i;

	for (i = 0; ok && (target = json_array_get(targets, i)); i++) {
		g_autoptr(GPtrArray) machines = g_ptr_array_new_with_free_func(g_free);
		const char *arch = word(target, "architecture");

		ok = arch && take_words(json_object_get(target, "machines"), machines);
		for (guint m = 0; ok && m < machines->len; m++)
			g_ptr_array_add(all, g_strdup_printf("%s:%s", arch,
							     (char *)g_ptr_array_index(machines, m)));
	}
	f->machines = words_of(all);
	return ok || bad(error, f->name, "targets must be a list of architecture and machines");
}

static bool take_mapping(struct firmware *f, const json_t *mapping, GError **error)
{
	const json_t *executable = json_object_get(mapping, "executable");
	const json_t *template = json_object_get(mapping, "nvram-template");

	f->device = g_strdup(word(mapping, "device"));
	if (!f->device)
		return bad(error, f->name, "mapping has no device");
	if (strcmp(f->device, "flash")) {
		f->file = g_strdup(word(mapping, "filename"));
		return f->file || bad(error, f->name, "mapping has no filename");
	}
	f->mode = g_strdup(json_object_get(mapping, "mode") ? word(mapping, "mode") : "split");
	f->file = g_strdup(word(executable, "filename"));
	f->format = g_strdup(word(executable, "format"));
	f->template_file = g_strdup(word(template, "filename"));
	f->template_format = g_strdup(word(template, "format"));
	if (!f->mode || !f->file || !f->format)
		return bad(error, f->name, "flash needs an executable's filename and format");
	if (!strcmp(f->mode, "split") && (!f->template_file || !f->template_format))
		return bad(error, f->name, "split flash needs an nvram-template's filename and format");
	return true;
}

struct firmware *firmware_parse(const char *bytes, size_t length, const char *name, GError **error)
{
	json_t *json = json_bytes_parse(bytes, length, FIRMWARE_MAX_BYTES, NULL);
	g_autoptr(Firmware) f = g_new0(struct firmware, 1);
	GPtrArray *types = g_ptr_array_new(), *features = g_ptr_array_new();
	bool ok;

	f->name = g_strdup(name);
	ok = json_is_object(json) || bad(error, name, "is no JSON object");
	ok = ok && (take_words(json_object_get(json, "interface-types"), types) ||
		    bad(error, name, "interface-types must be a list of words"));
	ok = ok && (take_words(json_object_get(json, "features"), features) ||
		    bad(error, name, "features must be a list of words"));
	f->types = words_of(types);
	f->features = words_of(features);
	ok = ok && take_mapping(f, json_object_get(json, "mapping"), error) &&
	     take_targets(f, json_object_get(json, "targets"), error);
	json_decref(json);
	return ok ? g_steal_pointer(&f) : NULL;
}

void firmware_free(struct firmware *f)
{
	if (!f)
		return;
	g_free(f->name);
	g_strfreev(f->types);
	g_free(f->device);
	g_free(f->mode);
	g_free(f->file);
	g_free(f->format);
	g_free(f->template_file);
	g_free(f->template_format);
	g_strfreev(f->machines);
	g_strfreev(f->features);
	g_free(f);
}

/* --- the line --------------------------------------------------------------------------------- */

/* Spaces and commas part words, so they don't stand in one. */
static char *escaped(const char *text)
{
	return g_uri_escape_string(text, "/:*?[]", TRUE);
}

static void put(GString *line, const char *key, const char *value)
{
	g_autofree char *safe = value ? escaped(value) : NULL;

	if (safe)
		g_string_append_printf(line, " %s=%s", key, safe);
}

static void put_list(GString *line, const char *key, char *const *values)
{
	g_string_append_printf(line, " %s=", key);
	for (guint i = 0; values[i]; i++) {
		g_autofree char *safe = escaped(values[i]);

		g_string_append_printf(line, "%s%s", i ? "," : "", safe);
	}
}

char *firmware_line(const struct firmware *f)
{
	g_autofree char *name = escaped(f->name);
	GString *line = g_string_new(name);

	put_list(line, "types", f->types);
	put(line, "device", f->device);
	put(line, "mode", f->mode);
	put(line, "file", f->file);
	put(line, "format", f->format);
	put(line, "template", f->template_file);
	put(line, "template-format", f->template_format);
	put_list(line, "machines", f->machines);
	put_list(line, "features", f->features);
	return g_string_free(line, FALSE);
}

static char *taken(const char *text)
{
	char *plain = g_uri_unescape_string(text, NULL);

	return plain ? plain : g_strdup(text);
}

static char **taken_list(const char *text)
{
	char **words = g_strsplit(text, ",", -1);

	for (guint i = 0; words[i]; i++) {
		char *plain = taken(words[i]);

		g_free(words[i]);
		words[i] = plain;
	}
	return words;
}

static void take_member(struct firmware *f, const char *key, const char *value)
{
	const struct {
		const char *key;
		char **text, ***list;
	} members[] = {
		{ "types", NULL, &f->types },	{ "device", &f->device, NULL },
		{ "mode", &f->mode, NULL },	{ "file", &f->file, NULL },
		{ "format", &f->format, NULL }, { "template", &f->template_file, NULL },
		{ "template-format", &f->template_format, NULL },
		{ "machines", NULL, &f->machines }, { "features", NULL, &f->features },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(members); i++) {
		if (strcmp(members[i].key, key))
			continue;
		if (members[i].text && !*members[i].text)
			*members[i].text = taken(value);
		else if (members[i].list && !*members[i].list)
			*members[i].list = taken_list(value);
	}
}

struct firmware *firmware_from_line(const char *line)
{
	g_auto(GStrv) words = g_strsplit(line, " ", -1);
	g_autoptr(Firmware) f = g_new0(struct firmware, 1);

	f->name = taken(words[0] ? words[0] : "");
	for (guint i = 1; words[0] && words[i]; i++) {
		char *equals = strchr(words[i], '=');

		if (!equals)
			return NULL;
		*equals = 0;
		take_member(f, words[i], equals + 1);
	}
	return f->types && f->device && f->file && f->machines && f->features ? g_steal_pointer(&f) : NULL;
}

/* --- what it is for --------------------------------------------------------------------------- */

bool firmware_fits(const struct firmware *f, const char *arch, const char *machine)
{
	g_autofree char *wanted = g_strdup_printf("%s:%s", arch, machine);

	for (guint i = 0; f->machines[i]; i++)
		if (g_pattern_match_simple(f->machines[i], wanted))
			return true;
	return false;
}

bool firmware_has(const struct firmware *f, const char *feature)
{
	return g_strv_contains((const char *const *)f->features, feature);
}

bool firmware_is(const struct firmware *f, const char *type)
{
	return g_strv_contains((const char *const *)f->types, type);
}

char *firmware_file_text(const char *path, guint64 size)
{
	return g_strdup_printf("%s:%" G_GUINT64_FORMAT, path, size);
}
