/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* files.c: see files.h. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "errors.h"
#include "files.h"

#define MAX_NAMES 100000u

char *file_label(const char *path)
{
	return g_strdup(strcmp(path, "-") ? path : "standard input");
}

static bool fail(const char *path, const char *what, int err, const char *remedy, GError **error)
{
	g_autofree char *label = file_label(path);

	g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_IO, "%s: %s: %s (%s)", label, what,
		    g_strerror(err), remedy);
	return false;
}

static bool too_big(const char *path, gsize limit, GError **error)
{
	g_autofree char *label = file_label(path);

	g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_IO,
		    "%s: larger than the %zu MiB that are read (is it the right file?)", label,
		    limit >> 20);
	return false;
}

static bool read_all(int fd, const char *path, gsize limit, GByteArray *into, GError **error)
{
	guint8 buffer[65536];

	for (;;) {
		gssize n = read(fd, buffer, sizeof(buffer));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(path, "cannot read", errno, "is it the right file?", error);
		if (!n)
			return true;
		if (into->len + (gsize)n > limit)
			return too_big(path, limit, error);
		g_byte_array_append(into, buffer, (guint)n);
	}
}

bool file_read(const char *path, gsize limit, char **bytes, gsize *length, GError **error)
{
	bool input = !strcmp(path, "-");
	int fd = input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	g_autoptr(GByteArray) all = g_byte_array_new();
	struct stat st;
	bool ok;

	if (fd < 0)
		return fail(path, "cannot open", errno,
			    errno == EACCES ? "may you read it?" : "is the name right?", error);
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (gsize)st.st_size > limit)
		ok = too_big(path, limit, error);
	else
		ok = read_all(fd, path, limit, all, error);
	if (!input)
		close(fd);
	if (!ok)
		return false;
	*length = all->len;
	g_byte_array_append(all, (const guint8 *)"", 1);
	*bytes = (char *)g_byte_array_free(g_steal_pointer(&all), FALSE);
	return true;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

GPtrArray *folder_list(const char *path, GError **error)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	const char *name;

	if (!dir) {
		fail(path, "cannot open the folder", errno, "may you read it?", error);
		return NULL;
	}
	while ((name = g_dir_read_name(dir))) {
		if (*name == '.')
			continue;
		if (names->len == MAX_NAMES) {
			g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_IO,
				    "%s: holds more than %u files (is it the right folder?)", path,
				    MAX_NAMES);
			return NULL;
		}
		g_ptr_array_add(names, g_strdup(name));
	}
	g_ptr_array_sort(names, by_name);
	return g_steal_pointer(&names);
}
