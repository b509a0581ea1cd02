/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * bench-store.c: how fast the store takes profiles in and gives a fleet out. Part of make bench.
 *
 * usage: bench-store [HOSTS] [FOLDER]	(1000 hosts; the folder for temporary files)
 */
#include "config.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>

#include "store.h"

enum { CLASSES = 25, SECTIONS = 8, SECTION_BYTES = 20000, SINGLE = 200 };

static int64_t start;

static void begin(void)
{
	start = g_get_monotonic_time();
}

static void report(const char *what, int count)
{
	double seconds = (g_get_monotonic_time() - start) / 1e6;

	printf("%-52s %8.1f ms %10.0f/s\n", what, seconds * 1e3, count / seconds);
}

static void check(bool ok, GError *error)
{
	if (ok)
		return;
	fprintf(stderr, "bench-store: %s\n", error->message);
	exit(2);
}

/* One host's profile: a section of its own, the others shared by its class. */
static void put(struct store *store, int number, int generation, int64_t now)
{
	static char *texts[CLASSES][SECTIONS];
	static const char *const names[SECTIONS] = { "facts", "cpu", "iommus", "devices", "qemu",
		"libvirt", "mitigations", "machines" };
	const char *sections[2 * SECTIONS + 3] = { NULL };
	int class = (number + generation) % CLASSES;
	g_autofree char *name = g_strdup_printf("host%06d", number);
	g_autofree char *own = g_strdup_printf("{\"name\":\"%s\"}", name);
	g_autofree char *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256,
		own, -1);
	g_autofree char *full = g_strdup_printf("%s-%d", digest, generation);
	struct store_host host = { .name = name, .digest = full, .arch = "x86_64",
		.fingerprint = "{\"kernel\":\"6.12\",\"microcode\":\"0x1\"}", .confirmed = now };
	g_autoptr(GError) error = NULL;

	sections[0] = "host";
	sections[1] = own;
	for (int i = 0; i < SECTIONS; i++) {
		if (!texts[class][i]) {
			texts[class][i] = g_strnfill(SECTION_BYTES, 'a' + i);
			texts[class][i][0] = 'a' + class;
		}
		sections[2 * i + 2] = names[i];
		sections[2 * i + 3] = texts[class][i];
	}
	check(store_put_profile(store, &host, sections, &error), error);
}

static bool add_up(const struct store_host *host, const struct store_section *sections,
		   size_t n_sections, void *data, GError **error)
{
	size_t *bytes = data;

	(void)host;
	(void)error;
	for (size_t i = 0; i < n_sections; i++)
		*bytes += sections[i].length;
	return true;
}

static void measure_writes(struct store *store, int hosts)
{
	g_autoptr(GError) error = NULL;

	begin();
	check(store_begin(store, &error), error);
	for (int i = 0; i < hosts; i++)
		put(store, i, 0, 1);
	check(store_commit(store, &error), error);
	report("new profiles, one commit", hosts);
	begin();
	check(store_begin(store, &error), error);
	for (int i = 0; i < hosts; i++)
		put(store, i, 0, 2);
	check(store_commit(store, &error), error);
	report("unchanged profiles, one commit", hosts);
	begin();
	for (int i = 0; i < MIN(hosts, SINGLE); i++)
		put(store, i, 1, 3);
	report("changed profiles, a durable commit each", MIN(hosts, SINGLE));
	begin();
	for (int i = 0; i < MIN(hosts, SINGLE); i++)
		put(store, i, 1, 4);
	report("unchanged profiles, a durable commit each", MIN(hosts, SINGLE));
}

static void measure_reads(const char *path, int hosts)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) rows = NULL;
	struct store *store;
	size_t bytes = 0;

	begin();
	store = store_open(path, true, &error);
	check(store, error);
	rows = store_hosts(store, &error);
	check(rows, error);
	report("open, read all hosts' rows", hosts);
	begin();
	check(store_each_profile(store, add_up, &bytes, &error), error);
	report("read all profiles", hosts);
	store_close(store);
}

static void remove_files(const char *path, const char *folder)
{
	static const char *const suffixes[] = { "", "-wal", "-shm" };

	for (size_t i = 0; i < G_N_ELEMENTS(suffixes); i++) {
		g_autofree char *name = g_strconcat(path, suffixes[i], NULL);

		g_remove(name);
	}
	g_rmdir(folder);
}

int main(int argc, char **argv)
{
	int hosts = argc > 1 ? atoi(argv[1]) : 1000;
	g_autofree char *folder = g_build_filename(argc > 2 ? argv[2] : g_get_tmp_dir(),
		"capbroker-bench-XXXXXX", NULL);
	g_autofree char *path = NULL;
	g_autoptr(GError) error = NULL;
	struct store *store;

	if (hosts < 1 || !g_mkdtemp(folder)) {
		fprintf(stderr, "usage: bench-store [HOSTS] [FOLDER]\n");
		return 2;
	}
	path = g_build_filename(folder, "bench.db", NULL);
	store = store_open(path, false, &error);
	check(store, error);
	measure_writes(store, hosts);
	store_close(store);
	measure_reads(path, hosts);
	remove_files(path, folder);
	return 0;
}
