/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * replay.c: each harness over its corpus, each file whole and cut off at every 16th byte; a test in
 * every build. CAPBROKER_CORPUS names another corpus.
 */
#include "config.h"

#include <glib.h>

#include "fuzz.h"

static const struct {
	const char *name;
	void (*run)(const uint8_t *data, size_t size);
} harnesses[] = {
	{ "acpi", fuzz_acpi },
	{ "pci", fuzz_pci },
	{ "recording", fuzz_recording },
	{ "vfio", fuzz_vfio },
};

static void replay(const char *path, void (*run)(const uint8_t *, size_t))
{
	g_autofree char *bytes = NULL;
	GError *error = NULL;
	gsize length;

	g_file_get_contents(path, &bytes, &length, &error);
	g_assert_no_error(error);
	run((const uint8_t *)bytes, length);
	for (gsize cut = 0; cut < length; cut += 16) {
		/* of just that size, so that who reads beyond is seen */
		uint8_t *copy = g_memdup2(bytes, MAX(cut, 1));

		run(copy, cut);
		g_free(copy);
	}
}

static void test_corpus(gconstpointer data)
{
	gsize i = GPOINTER_TO_SIZE(data);
	const char *top = g_getenv("top_srcdir"), *other = g_getenv("CAPBROKER_CORPUS");
	g_autofree char *corpus = other ? g_strdup(other)
					: g_build_filename(top ? top : ".", "tests/fuzz/corpus", NULL);
	g_autofree char *folder = g_build_filename(corpus, harnesses[i].name, NULL);
	GError *error = NULL;
	g_autoptr(GDir) dir = g_dir_open(folder, 0, &error);
	const char *name;
	guint n = 0;

	g_assert_no_error(error);
	while ((name = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename(folder, name, NULL);

		replay(path, harnesses[i].run);
		n++;
	}
	g_assert_cmpuint(n, >=, 3);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(harnesses); i++) {
		g_autofree char *path = g_strconcat("/fuzz/", harnesses[i].name, NULL);

		g_test_add_data_func(path, GSIZE_TO_POINTER(i), test_corpus);
	}
	return g_test_run();
}
