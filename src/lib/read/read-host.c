/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* read-host.c: see read-host.h. */
#include "config.h"

#include <string.h>

#include "model/error.h"
#include "model/firmware.h"
#include "read/read-host.h"
#include "read/read-parts.h"

#define MAX_SET 1024u
#define MAX_NODES 1024u

static const struct scope kernel = { .view = VIEW_KERNEL, .migratable = -1 };
/* What libvirt finds when it looks for programs and descriptions. */
static const struct scope libvirt = { .view = VIEW_LIBVIRT, .migratable = -1 };

static void add_once(json_t *set, const char *text)
{
	const json_t *member;
	size_t i;

	json_array_foreach (set, i, member)
		if (!strcmp(json_string_value(member), text))
			return;
	if (i < MAX_SET && g_utf8_validate(text, -1, NULL))
		json_array_append_new(set, json_string(text));
}

static void put_set(json_t *doc, const char *id, json_t *set, const struct scope *scope,
		    const char *origin)
{
	document_fact(read_facts(doc), id, set, scope, origin);
}

static void put_bool(json_t *doc, const char *id, bool truth, const struct scope *scope,
		     const char *origin)
{
	document_fact(read_facts(doc), id, json_boolean(truth), scope, origin);
}

/* --- firmware --------------------------------------------------------------------------------- */

static bool for_arch(const struct firmware *f, const char *arch)
{
	g_autofree char *start = g_strconcat(arch ? arch : "", ":", NULL);

	for (guint i = 0; f->machines[i]; i++)
		if (!arch || g_str_has_prefix(f->machines[i], start))
			return true;
	return false;
}

/* Has one of them, for the architecture, the kind and the feature (or NULL)? */
static bool any_firmware(const GPtrArray *all, const char *arch, const char *type, const char *feature)
{
	for (guint i = 0; i < all->len; i++) {
		const struct firmware *f = g_ptr_array_index(all, i);

		if (for_arch(f, arch) && firmware_is(f, type) && (!feature || firmware_has(f, feature)))
			return true;
	}
	return false;
}

void read_firmware_descriptions(json_t *doc, const GPtrArray *all, const char *arch, const char *origin)
{
	json_t *lines = json_array();

	for (guint i = 0; i < all->len; i++) {
		g_autofree char *line = firmware_line(g_ptr_array_index(all, i));

		add_once(lines, line);
	}
	put_set(doc, "firmware.descriptor", lines, &libvirt, origin);
	put_bool(doc, "firmware.bios", any_firmware(all, arch, "bios", NULL), &libvirt, origin);
	put_bool(doc, "firmware.efi", any_firmware(all, arch, "uefi", NULL), &libvirt, origin);
	put_bool(doc, "firmware.secure-boot", any_firmware(all, arch, "uefi", "secure-boot"), &libvirt,
		 origin);
	put_bool(doc, "firmware.enrolled-keys", any_firmware(all, arch, "uefi", "enrolled-keys"),
		 &libvirt, origin);
}

void read_firmware_files(json_t *doc, const char *text, const char *origin)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	json_t *files = json_array();

	for (guint i = 0; lines[i]; i++) {
		char *space = strchr(lines[i], ' ');
		guint64 size;

		if (!space)
			continue;
		*space = 0;
		if (g_ascii_string_to_unsigned(lines[i], 10, 0, G_MAXINT64, &size, NULL)) {
			g_autofree char *file = firmware_file_text(space + 1, size);

			add_once(files, file);
		}
	}
	put_set(doc, "firmware.file", files, &libvirt, origin);
}

/* --- TPM -------------------------------------------------------------------------------------- */

static void take_features(json_t *features, const char *capabilities)
{
	json_t *json = json_bytes_parse(capabilities, strlen(capabilities), 65536, NULL);
	const json_t *member;
	size_t i;

	json_array_foreach (json_object_get(json, "features"), i, member)
		if (read_name_ok(json_string_value(member)))
			add_once(features, json_string_value(member));
	json_decref(json);
}

static bool has_feature(const json_t *features, const char *name)
{
	const json_t *member;
	size_t i;

	json_array_foreach (features, i, member)
		if (!strcmp(json_string_value(member), name))
			return true;
	return false;
}

void read_swtpm(json_t *doc, const char *text, const char *origin)
{
	static const char *const programs[] = { "swtpm ", "swtpm_setup ", "swtpm_ioctl " };
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	json_t *features = json_array();
	bool found[G_N_ELEMENTS(programs)] = { false }, all = true, told = false;

	for (guint i = 0; lines[i]; i++) {
		if (*lines[i] == '{') {
			take_features(features, lines[i]);
			told = true;
		}
		for (size_t p = 0; p < G_N_ELEMENTS(programs); p++)
			found[p] |= g_str_has_prefix(lines[i], programs[p]);
	}
	for (size_t p = 0; p < G_N_ELEMENTS(programs); p++)
		all &= found[p];
	put_bool(doc, "tpm.swtpm", all, &libvirt, origin);
	if (told || !all) {
		put_bool(doc, "tpm.swtpm.1-2", all && has_feature(features, "tpm-1.2"), &libvirt, origin);
		put_bool(doc, "tpm.swtpm.2-0", all && has_feature(features, "tpm-2.0"), &libvirt, origin);
		put_set(doc, "tpm.swtpm.feature", json_incref(features), &libvirt, origin);
	}
	json_decref(features);
}

/* --- memory ----------------------------------------------------------------------------------- */

void read_huge_pages(json_t *doc, char *const *names, const char *origin)
{
	json_t *sizes = json_array();

	for (guint i = 0; names[i]; i++) {
		guint64 kib;
		g_autofree char *number = g_str_has_prefix(names[i], "hugepages-") &&
							  g_str_has_suffix(names[i], "kB") ?
						  g_strndup(names[i] + 10, strlen(names[i]) - 12) : NULL;

		if (number && g_ascii_string_to_unsigned(number, 10, 1, G_MAXINT64, &kib, NULL))
			add_once(sizes, number);
	}
	put_set(doc, "memory.huge-page", sizes, &kernel, origin);
}

/* "2M", "1G", "64K" or bytes, in KiB; 0 where it is none. */
static guint64 page_kib(const char *text)
{
	char *end;
	guint64 n = g_ascii_strtoull(text, &end, 10);

	switch (*end) {
	case 'K':
		return n;
	case 'M':
		return n << 10;
	case 'G':
		return n << 20;
	case 0:
		return n >> 10;
	default:
		return 0;
	}
}

/* The page size of a mount's options, or the default. */
static guint64 mounted_kib(const char *options, guint64 default_kib)
{
	g_auto(GStrv) list = g_strsplit(options, ",", -1);

	for (guint i = 0; list[i]; i++)
		if (g_str_has_prefix(list[i], "pagesize="))
			return page_kib(list[i] + strlen("pagesize="));
	return default_kib;
}

void read_hugetlbfs(json_t *doc, const char *mounts, guint64 default_kib, const char *origin)
{
	g_auto(GStrv) lines = g_strsplit(mounts, "\n", -1);
	json_t *sizes = json_array();

	for (guint i = 0; lines[i]; i++) {
		g_auto(GStrv) words = g_strsplit(lines[i], " ", -1);
		guint64 kib;

		if (g_strv_length(words) < 4 || strcmp(words[2], "hugetlbfs"))
			continue;
		kib = mounted_kib(words[3], default_kib);
		if (kib) {
			g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, kib);

			add_once(sizes, text);
		}
	}
	put_set(doc, "memory.hugetlbfs", sizes, &kernel, origin);
}

void read_numa_nodes(json_t *doc, const char *list, const char *origin)
{
	g_auto(GStrv) parts = g_strsplit(list, ",", -1);
	json_t *nodes = json_array();

	for (guint i = 0; parts[i]; i++) {
		char *dash = strchr(parts[i], '-');
		guint64 first, last;

		if (dash)
			*dash = 0;
		if (!g_ascii_string_to_unsigned(g_strstrip(parts[i]), 10, 0, MAX_NODES - 1, &first, NULL))
			continue;
		if (!dash)
			last = first;
		else if (!g_ascii_string_to_unsigned(g_strstrip(dash + 1), 10, first, MAX_NODES - 1, &last, NULL))
			continue;
		for (guint64 n = first; n <= last; n++) {
			g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, n);

			add_once(nodes, text);
		}
	}
	put_set(doc, "numa.node", nodes, &kernel, origin);
}

/* --- devices and daemons ---------------------------------------------------------------------- */

void read_device_nodes(json_t *doc, const char *text, const char *origin)
{
	static const char *const kinds[][2] = { { "vhost-net", "vhost.net" },
						{ "vhost-scsi", "vhost.scsi" },
						{ "vhost-vsock", "vhost.vsock" } };
	g_auto(GStrv) names = g_strsplit(text, "\n", -1);
	json_t *tpms = json_array(), *vdpas = json_array();

	for (size_t k = 0; k < G_N_ELEMENTS(kinds); k++)
		put_bool(doc, kinds[k][1], g_strv_contains((const char *const *)names, kinds[k][0]),
			 &kernel, origin);
	for (guint i = 0; names[i]; i++) {
		g_autofree char *path = g_strconcat("/dev/", names[i], NULL);

		if (g_str_has_prefix(names[i], "vhost-vdpa-"))
			add_once(vdpas, path);
		else if (g_str_has_prefix(names[i], "tpm") && g_ascii_isdigit(names[i][3]))
			add_once(tpms, path);
	}
	put_set(doc, "vhost.vdpa-device", vdpas, &kernel, origin);
	put_set(doc, "tpm.device", tpms, &kernel, origin);
}

/* The names in an array, or NULL where it isn't one. */
static char **words_of(const json_t *array)
{
	GPtrArray *words;
	const json_t *member;
	size_t i;

	if (!json_is_array(array))
		return NULL;
	words = g_ptr_array_new();
	json_array_foreach (array, i, member)
		if (read_name_ok(json_string_value(member)) && words->len < MAX_SET)
			g_ptr_array_add(words, g_strdup(json_string_value(member)));
	g_ptr_array_add(words, NULL);
	return (char **)g_ptr_array_free(words, FALSE);
}

struct vhost_user *read_vhost_user(const char *bytes, size_t length, const char *name, GError **error)
{
	json_t *json = json_bytes_parse(bytes, length, FIRMWARE_MAX_BYTES, NULL);
	const char *type = json_string_value(json_object_get(json, "type"));
	const char *binary = json_string_value(json_object_get(json, "binary"));
	struct vhost_user *daemon = NULL;

	if (read_name_ok(type) && binary && *binary == '/') {
		daemon = g_new0(struct vhost_user, 1);
		daemon->type = g_strdup(type);
		daemon->binary = g_strdup(binary);
		daemon->features = words_of(json_object_get(json, "features"));
	} else {
		g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID,
			    "%s: is no description of a vhost-user daemon (it needs a type and a binary's path)",
			    name);
	}
	json_decref(json);
	return daemon;
}

void vhost_user_free(struct vhost_user *daemon)
{
	if (!daemon)
		return;
	g_free(daemon->type);
	g_free(daemon->binary);
	g_strfreev(daemon->features);
	g_free(daemon);
}

void read_vhost_users(json_t *doc, const GPtrArray *daemons, const char *origin)
{
	const struct vhost_user *fs = NULL;
	json_t *types = json_array(), *features = json_array();

	for (guint i = 0; i < daemons->len; i++) {
		const struct vhost_user *daemon = g_ptr_array_index(daemons, i);

		add_once(types, daemon->type);
		if (!fs && !strcmp(daemon->type, "fs"))
			fs = daemon;
	}
	put_set(doc, "vhost-user.type", types, &libvirt, origin);
	for (guint i = 0; fs && fs->features && fs->features[i]; i++)
		add_once(features, fs->features[i]);
	if (!fs || fs->features)
		put_set(doc, "virtiofs.feature", json_incref(features), &libvirt, origin);
	json_decref(features);
}
