/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* import.c: gathering files for an import; see import.h. */
#include "config.h"

#include <string.h>

#include "errors.h"
#include "files.h"
#include "import.h"
#include "model/error.h"

static void input_free(void *data)
{
	struct import_input *input = data;

	g_free(input->label);
	g_free(input->name);
	g_bytes_unref(input->bytes);
	g_free(input);
}

static void host_free(void *data)
{
	struct import_host *host = data;

	g_free(host->name);
	g_free(host->label);
	g_ptr_array_unref(host->inputs);
	json_decref(host->doc);
	g_free(host->digest);
	g_free(host->fingerprint);
	g_free(host->uuid);
	g_free(host->arch);
	g_clear_pointer(&host->sections, g_ptr_array_unref);
	g_free(host);
}

static void guests_free(void *data)
{
	struct import_guests *guests = data;

	g_free(guests->label);
	g_free(guests->host);
	g_hash_table_unref(guests->by_key);
	g_ptr_array_unref(guests->guests);
	g_free(guests);
}

struct import *import_new(const struct import_options *options, const struct cpu_models *models)
{
	struct import *import = g_new0(struct import, 1);

	import->options = options;
	import->models = models;
	import->hosts = g_ptr_array_new_with_free_func(host_free);
	import->by_name = g_hash_table_new(g_str_hash, g_str_equal);
	import->guests = g_ptr_array_new_with_free_func(guests_free);
	import->failed = json_array();
	return import;
}

void import_free(struct import *import)
{
	if (!import)
		return;
	g_hash_table_unref(import->by_name);
	g_ptr_array_unref(import->hosts);
	g_ptr_array_unref(import->guests);
	json_decref(import->failed);
	g_free(import);
}

static struct import_host *add_host(struct import *import, const char *name, const char *label)
{
	struct import_host *host = g_new0(struct import_host, 1);

	host->name = g_strdup(name);
	host->label = g_strdup(label);
	host->inputs = g_ptr_array_new_with_free_func(input_free);
	g_ptr_array_add(import->hosts, host);
	return host;
}

bool import_add_profile(struct import *import, const char *label, json_t *doc, GError **error)
{
	struct import_host *host;

	host = import->options->name ? g_hash_table_lookup(import->by_name, import->options->name) : NULL;
	if (host && host->doc) {
		g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_USAGE,
			    "%s: is a host of its own, and --name names one host (import it by itself)",
			    label);
		json_decref(doc);
		return false;
	}
	if (!host) {
		host = add_host(import, import->options->name, label);
		if (host->name)
			g_hash_table_insert(import->by_name, host->name, host);
	}
	/* files have labels of their own: what is wrong with the whole is this one's */
	g_free(host->label);
	host->label = g_strdup(label);
	host->doc = doc;
	return true;
}

/* The host that a file of that name belongs to. */
static struct import_host *host_for(struct import *import, const char *name, const char *label,
				    bool fresh, GError **error)
{
	const char *wanted = import->options->name ? import->options->name : name;
	struct import_host *host = g_hash_table_lookup(import->by_name, wanted);

	if (host && fresh && !import->options->name) {
		g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_USAGE,
			    "%s: another file is for host '%s' too (use --name, or rename one)", label,
			    wanted);
		return NULL;
	}
	if (!host) {
		host = add_host(import, wanted, label);
		g_hash_table_insert(import->by_name, host->name, host);
	}
	return host;
}

static struct import_input *read_input(struct import *import, const char *path, GError **error)
{
	struct import_input *input;
	char *bytes;
	gsize length;

	if (!file_read(path, PROFILE_MAX_BYTES, &bytes, &length, error))
		return NULL;
	import->bytes += length;
	if (import->bytes > IMPORT_MAX_BYTES) {
		g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_IO,
			    "%s: the files of one import are larger than 1 GiB together (import them in parts)",
			    path);
		g_free(bytes);
		return NULL;
	}
	input = g_new0(struct import_input, 1);
	input->label = file_label(path);
	input->name = strcmp(path, "-") ? g_path_get_basename(path) : g_strdup("standard input");
	input->bytes = g_bytes_new_take(bytes, length);
	input->kind = read_kind(bytes, length);
	return input;
}

/* JSON of ours, from a file. */
static bool add_document(struct import *import, struct import_input *input, GError **error)
{
	gsize length;
	const char *bytes = g_bytes_get_data(input->bytes, &length);
	json_t *doc = json_bytes_parse(bytes, length, PROFILE_MAX_BYTES, error);
	bool ok;

	if (!doc) {
		g_prefix_error(error, "%s: ", input->label);
		return false;
	}
	if (input->kind == READ_PROFILE)
		return import_add_profile(import, input->label, doc, error);
	ok = input->kind == READ_KUBERNETES ? import_add_kubernetes(import, input->label, doc, error) :
					      import_add_guests(import, input->label, doc, error);
	json_decref(doc);
	return ok;
}

/* What nobody recognised: say what is wrong with it as far as that can be told. */
static bool refuse(const struct import_input *input, GError **error)
{
	gsize length;
	const char *bytes = g_bytes_get_data(input->bytes, &length);
	const char *at = bytes;
	json_t *json;

	while (at < bytes + length && g_ascii_isspace(*at))
		at++;
	if (length && (*at == '{' || *at == '[')) {
		json = json_bytes_parse(bytes, length, PROFILE_MAX_BYTES, error);
		if (!json) {
			g_prefix_error(error, "%s: ", input->label);
			return false;
		}
		json_decref(json);
	} else if (length && *at == '<') {
		struct xml_document *xml = xml_parse(bytes, length, input->label, error);

		if (!xml)
			return false;
		xml_free(xml);
	}
	g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID,
		    "%s: not recognised (profiles, libvirt's XML, QEMU's replies and commands, CPUID lines and kubectl's JSON are; see capbroker(1))",
		    input->label);
	return false;
}

static char *stem(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot && dot > name ? g_strndup(name, (gsize)(dot - name)) : g_strdup(name);
}

/* @folder: the host that all files of a folder describe, or NULL. */
static bool add_input(struct import *import, struct import_input *input, const char *folder,
		      GError **error)
{
	g_autofree char *own = stem(input->name);
	struct import_host *host;
	bool ok;

	switch (input->kind) {
	case READ_PROFILE:
	case READ_GUESTS:
	case READ_KUBERNETES:
		ok = add_document(import, input, error);
		break;
	case READ_DOMAIN:
	case READ_ARGV:
		ok = import_add_domain(import, input, error);
		break;
	case READ_UNKNOWN:
		ok = refuse(input, error);
		break;
	default:
		if (!folder && !import->options->name && !strcmp(input->label, "standard input")) {
			g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_USAGE,
				    "standard input: names no host (give --name)");
			ok = false;
			break;
		}
		host = host_for(import, folder ? folder : own, input->label, !folder, error);
		if (host)
			g_ptr_array_add(host->inputs, input);
		else
			input_free(input);
		return host != NULL;
	}
	input_free(input);
	return ok;
}

static bool is_recording(const char *path)
{
	static const char *const parts[] = { "proc", "sys", "dev", "qmp", "ioctl", "libvirt" };

	for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
		g_autofree char *part = g_build_filename(path, parts[i], NULL);

		if (g_file_test(part, G_FILE_TEST_IS_DIR))
			return true;
	}
	return false;
}

static bool add_folder(struct import *import, const char *path, GError **error)
{
	g_autofree char *whole = g_canonicalize_filename(path, NULL);
	g_autofree char *name = g_path_get_basename(whole);
	g_autoptr(GPtrArray) names = folder_list(path, error);
	guint files = 0;

	for (guint i = 0; names && i < names->len; i++) {
		const char *one = g_ptr_array_index(names, i);
		g_autofree char *file = g_build_filename(path, one, NULL);
		struct import_input *input;

		if (g_str_has_prefix(one, "README") || !g_file_test(file, G_FILE_TEST_IS_REGULAR))
			continue;
		input = read_input(import, file, error);
		if (!input || !add_input(import, input, name, error))
			return false;
		files++;
	}
	if (names && !files)
		g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_IO,
			    "%s: the folder holds no files (give a recording, or the files of one host)",
			    path);
	return files > 0;
}

bool import_file(struct import *import, const char *path, GError **error)
{
	const char *const replay[] = { "--replay", path, NULL };
	struct import_input *input;

	if (strcmp(path, "-") && g_file_test(path, G_FILE_TEST_IS_DIR))
		return is_recording(path) ? import->options->probe(import, replay, error)
					  : add_folder(import, path, error);
	input = read_input(import, path, error);
	return input && add_input(import, input, NULL, error);
}
