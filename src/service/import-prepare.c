/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* import-prepare.c: files into checked profiles; see import.h. */
#include "config.h"

#include <string.h>

#include "errors.h"
#include "import.h"
#include "model/document.h"
#include "model/error.h"
#include "model/profile.h"

static const struct import_input *find_input(const GPtrArray *inputs, const char *name)
{
	for (guint i = 0; i < inputs->len; i++) {
		const struct import_input *input = g_ptr_array_index(inputs, i);

		if (!strcmp(input->name, name))
			return input;
	}
	return NULL;
}

/* Adds the files that weren't stored because they equal others. */
static void follow_identical(struct import_host *host)
{
	guint n = host->inputs->len;

	for (guint i = 0; i < n; i++) {
		const struct import_input *list = g_ptr_array_index(host->inputs, i);
		g_autoptr(GPtrArray) pairs = NULL;
		gsize length;
		const char *bytes = g_bytes_get_data(list->bytes, &length);

		if (list->kind != READ_IDENTICAL)
			continue;
		pairs = read_identical(bytes, length);
		for (guint p = 0; p + 1 < pairs->len; p += 2) {
			const char *name = g_ptr_array_index(pairs, p);
			const struct import_input *other =
				find_input(host->inputs, g_ptr_array_index(pairs, p + 1));
			struct import_input *twin;

			if (!other || other->kind == READ_IDENTICAL ||
			    find_input(host->inputs, name))
				continue;
			twin = g_new0(struct import_input, 1);
			twin->label = g_strdup(other->label);
			twin->name = g_strdup(name);
			twin->bytes = g_bytes_ref(other->bytes);
			twin->kind = other->kind;
			g_ptr_array_add(host->inputs, twin);
		}
	}
}

static bool is_xml(enum read_kind kind)
{
	return kind == READ_CAPABILITIES || kind == READ_DOMCAPABILITIES ||
	       kind == READ_QEMUCAPS || kind == READ_CPU ||
	       kind == READ_CPUID_XML;
}

/* libvirt's XML names the emulator that the rest is about, so it comes first. */
static int stage(enum read_kind kind)
{
	if (is_xml(kind))
		return kind == READ_CAPABILITIES ? 0 : 1;
	return kind == READ_QMP_TARGET ? 2 : kind == READ_VIRSH_VERSION ? 4 : 3;
}

static int by_stage(const void *a, const void *b)
{
	const struct import_input *one = *(struct import_input *const *)a;
	const struct import_input *other = *(struct import_input *const *)b;
	int difference = stage(one->kind) - stage(other->kind);

	return difference ? difference : strcmp(one->name, other->name);
}

static bool needs_accel(const struct import *import, const struct import_input *input)
{
	g_autofree char *accel = NULL, *machine = NULL, *model = NULL;

	if (input->kind != READ_QMP_EXPANSION && input->kind != READ_QMP_CPU_DEFINITIONS)
		return false;
	read_scope_from_name(input->name, &accel, &machine, &model);
	return !accel && !import->options->accel;
}

static bool read_one(const struct import *import, struct import_host *host,
		     const struct import_input *input, GError **error)
{
	g_autofree char *accel = NULL, *machine = NULL, *model = NULL;
	struct read_hints hints = { .name = input->name, .migratable = -1,
				    .models = import->models };
	gsize length;
	const char *bytes = g_bytes_get_data(input->bytes, &length);

	if (needs_accel(import, input)) {
		g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_USAGE,
			    "%s: doesn't say which accelerator it is about (give --accel kvm or --accel tcg)",
			    input->label);
		return false;
	}
	read_scope_from_name(input->name, &accel, &machine, &model);
	hints.accel = accel ? NULL : import->options->accel;
	hints.machine = machine ? NULL : import->options->machine ? import->options->machine : "none";
	if (read_file(host->doc, bytes, length, &hints, error))
		return true;
	/* Messages begin with the file's name; the path tells more. */
	if (error && *error && strcmp(input->label, input->name)) {
		const char *message = (*error)->message;
		g_autofree char *prefix = g_strconcat(input->name, ": ", NULL);
		char *better;

		if (g_str_has_prefix(message, prefix))
			message += strlen(prefix);
		better = g_strconcat(input->label, ": ", message, NULL);
		g_free((*error)->message);
		(*error)->message = better;
	}
	return false;
}

static char *checksum_of(const struct import_input *input)
{
	return g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, input->bytes);
}

/* {"imported": "sha256:…"} over the files' contents in the order of their names. */
static void set_fingerprint(struct import_host *host)
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	json_t *fingerprint = json_object_get(host->doc, "fingerprint");

	for (guint i = 0; i < host->inputs->len; i++) {
		g_autofree char *one = checksum_of(g_ptr_array_index(host->inputs, i));

		g_checksum_update(sum, (const guchar *)one, -1);
	}
	json_object_set_new(fingerprint, "imported",
			    json_sprintf("sha256:%s", g_checksum_get_string(sum)));
}

static void set_probe(json_t *doc)
{
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autofree char *time = g_date_time_format(now, "%Y-%m-%dT%H:%M:%SZ");
	json_t *probe = json_object_get(doc, "probe");

	json_object_set_new(probe, "version", json_string(PACKAGE_VERSION));
	json_object_set_new(probe, "dictionary", json_string(cap_dictionary_version));
	json_object_set_new(probe, "time", json_string(time));
}

/* A document that files are added to: one of its own that is sound, with all that it may lack. */
static bool begin(struct import_host *host, GError **error)
{
	static const char *const members[] = { "probe", "host" };
	g_autoptr(Universe) universe = universe_new();
	g_autoptr(Profile) sound = NULL;
	json_t *fresh = document_new(host->name, NULL, NULL);

	if (!host->doc) {
		host->doc = fresh;
		set_probe(fresh);
		return true;
	}
	sound = profile_parse(host->doc, universe, error);
	if (sound) {
		json_object_update_missing(host->doc, fresh);
		for (size_t i = 0; i < G_N_ELEMENTS(members); i++)
			json_object_update_missing(json_object_get(host->doc, members[i]),
						   json_object_get(fresh, members[i]));
	} else {
		g_prefix_error(error, "%s: ", host->label);
	}
	json_decref(fresh);
	return sound != NULL;
}

static bool build(struct import *import, struct import_host *host, GError **error)
{
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	follow_identical(host);
	g_ptr_array_sort(host->inputs, by_stage);
	if (!begin(host, error))
		return false;
	for (guint i = 0; i < host->inputs->len; i++) {
		const struct import_input *input = g_ptr_array_index(host->inputs, i);

		if (input->kind == READ_IDENTICAL)
			continue;
		/* XML carries its scope inside: the same again says nothing new. */
		if (is_xml(input->kind) && !g_hash_table_add(seen, checksum_of(input)))
			continue;
		if (!read_one(import, host, input, error))
			return false;
	}
	set_fingerprint(host);
	return true;
}

/* When a probe looked, as far as it says so and that isn't in the future; else now. */
static int64_t confirmed(const json_t *doc)
{
	const char *text = json_string_value(json_object_get(json_object_get(doc, "probe"), "time"));
	int64_t now = g_get_real_time() / G_USEC_PER_SEC;
	g_autoptr(GDateTime) time = text ? g_date_time_new_from_iso8601(text, NULL) : NULL;
	int64_t then = time ? g_date_time_to_unix(time) : now;

	return then > 0 && then < now ? then : now;
}

static bool rename_host(struct import_host *host, GError **error)
{
	json_t *object = json_object_get(host->doc, "host");

	if (!json_is_object(object)) {
		g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID, "%s: host: must be an object",
			    host->label);
		return false;
	}
	if (host->name)
		json_object_set_new(object, "name", json_string(host->name));
	return true;
}

/* Checks the document and takes it apart. */
static bool finish(struct import_host *host, struct universe *universe, GError **error)
{
	g_autoptr(Profile) profile = NULL;
	json_t *fingerprint;
	char digest[65];

	if (!rename_host(host, error))
		return false;
	profile = profile_parse(host->doc, universe, error);
	if (!profile) {
		g_prefix_error(error, "%s: ", host->label);
		return false;
	}
	g_free(host->name);
	host->name = g_strdup(profile->name);
	host->uuid = g_strdup(profile->uuid);
	host->arch = g_strdup(profile->arch);
	document_digest(host->doc, digest);
	host->digest = g_strdup(digest);
	host->confirmed = confirmed(host->doc);
	fingerprint = json_object_get(host->doc, "fingerprint");
	host->fingerprint = fingerprint ? document_text(fingerprint) : g_strdup("{}");
	host->sections = document_split(host->doc);
	return true;
}

static bool check_names(const struct import *import, GError **error)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; i < import->hosts->len; i++) {
		const struct import_host *host = g_ptr_array_index(import->hosts, i);

		if (g_hash_table_add(seen, host->name))
			continue;
		g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_USAGE,
			    "%s: another file is for host '%s' too (import them one after the other)",
			    host->label, host->name);
		return false;
	}
	return true;
}

bool import_prepare(struct import *import, GError **error)
{
	g_autoptr(Universe) universe = universe_new();

	for (guint i = 0; i < import->hosts->len; i++) {
		struct import_host *host = g_ptr_array_index(import->hosts, i);

		if (((!host->doc || host->inputs->len) && !build(import, host, error)) ||
		    !finish(host, universe, error))
			return false;
		/* Thousands of documents needn't all be in memory at once. */
		g_clear_pointer(&host->doc, json_decref);
		if (import->options->progress)
			import->options->progress(i + 1, import->hosts->len);
	}
	return check_names(import, error);
}
