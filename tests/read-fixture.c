/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* read-fixture.c: see read-fixture.h. */
#include "config.h"

#include <string.h>

#include "model/tables.h"
#include "read-fixture.h"

static const char *top(void)
{
	const char *srcdir = g_getenv("top_srcdir");

	return srcdir ? srcdir : ".";
}

char *fixture_data(const char *name)
{
	char *path = g_build_filename(top(), "..", "shared", "data", name, NULL);

	if (g_file_test(path, G_FILE_TEST_EXISTS))
		return path;
	g_test_skip("recorded data is not beside the source tree (../shared/data)");
	g_free(path);
	return NULL;
}

char *fixture_bytes(const char *path, size_t *length)
{
	GError *error = NULL;
	char *bytes;
	gsize n;

	g_file_get_contents(path, &bytes, &n, &error);
	g_assert_no_error(error);
	*length = n;
	return bytes;
}

static int by_path(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *fixture_files(const char *folder, const char *suffix)
{
	GPtrArray *files = g_ptr_array_new_with_free_func(g_free);
	GError *error = NULL;
	GDir *dir = g_dir_open(folder, 0, &error);
	const char *name;

	g_assert_no_error(error);
	while ((name = g_dir_read_name(dir)))
		if (g_str_has_suffix(name, suffix))
			g_ptr_array_add(files, g_build_filename(folder, name, NULL));
	g_dir_close(dir);
	g_ptr_array_sort(files, by_path);
	g_assert_cmpuint(files->len, >, 0);
	return files;
}

struct cpu_models *fixture_models(void)
{
	g_autofree char *path = g_build_filename(top(), "schema", "data", "cpu-models.tsv", NULL);
	g_autofree char *bytes = NULL;
	GError *error = NULL;
	struct cpu_models *models;
	size_t length;

	bytes = fixture_bytes(path, &length);
	models = cpu_models_parse(bytes, length, &error);
	g_assert_no_error(error);
	g_free(path);
	g_free(bytes);
	path = g_build_filename(top(), "schema", "data", "other-cpu-models.tsv", NULL);
	bytes = fixture_bytes(path, &length);
	g_assert_true(cpu_models_add(models, table_parse(bytes, length, path, &error), &error));
	g_assert_no_error(error);
	return models;
}

struct xml_document *fixture_xml(const char *text)
{
	GError *error = NULL;
	struct xml_document *xml = xml_parse(text, strlen(text), "test", &error);

	g_assert_no_error(error);
	g_assert_nonnull(xml);
	return xml;
}

void fixture_one_line(GError **error, const char *words)
{
	g_assert_nonnull(*error);
	g_assert_nonnull((*error)->message);
	g_assert_cmpuint(strlen((*error)->message), >, 0);
	g_assert_null(strpbrk((*error)->message, "\r\n"));
	g_assert_true(g_utf8_validate((*error)->message, -1, NULL));
	if (words && !strstr((*error)->message, words))
		g_error("'%s' doesn't say '%s'", (*error)->message, words);
	g_clear_error(error);
}

void fixture_check_profile(json_t *doc)
{
	g_autoptr(Universe) universe = universe_new();
	g_autoptr(Profile) profile = NULL;
	GError *error = NULL;

	profile = profile_parse(doc, universe, &error);
	g_assert_no_error(error);
	g_assert_nonnull(profile);
}

const json_t *fixture_fact(const json_t *facts, const char *id, const char *view)
{
	const json_t *fact;
	size_t i;

	json_array_foreach (facts, i, fact) {
		const json_t *scope = json_object_get(fact, "scope");

		if (!strcmp(json_string_value(json_object_get(fact, "id")), id) &&
		    (!view || !g_strcmp0(json_string_value(json_object_get(scope, "view")), view)))
			return fact;
	}
	return NULL;
}

json_t *fixture_json_lines(const char *path)
{
	size_t length;
	g_autofree char *bytes = fixture_bytes(path, &length);
	g_auto(GStrv) lines = g_strsplit(bytes, "\n", -1);
	json_t *array = json_array();

	for (char **line = lines; *line; line++) {
		if (!**line)
			continue;
		json_array_append_new(array, json_loads(*line, 0, NULL));
		g_assert_nonnull(json_array_get(array, json_array_size(array) - 1));
	}
	return array;
}
