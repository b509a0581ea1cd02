/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * source-local.c: what is no reading of the host and never recorded: our own files, what the user
 * wants written, and what a claim changes and locks; see source.h.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "source-private.h"

char *source_data_file(const char *name, size_t *length)
{
	const char *dir = g_getenv("CAPBROKER_DATADIR");
	g_autofree char *path = g_build_filename(dir && *dir ? dir : PKGDATADIR, "data", name, NULL);
	char *bytes = NULL;

	return g_file_get_contents(path, &bytes, length, NULL) ? bytes : NULL;
}

bool source_write(const char *path, const char *text, int *err)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));

	*err = n == (ssize_t)strlen(text) ? 0 : n < 0 ? errno : EIO;
	if (fd >= 0)
		close(fd);
	return !*err;
}

bool source_lock(const char *path, int *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	*err = fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 ? errno : 0;
	if (*err == ENOSYS) /* a kernel built without locks: nobody else has one either */
		*err = 0;
	if (*err && fd >= 0)
		close(fd);
	return !*err; /* the descriptor stays open on purpose */
}

bool source_write_output(const char *path, const char *text, GError **error)
{
	g_autoptr(GError) failure = NULL;

	if (g_file_set_contents(path, text, -1, &failure))
		return true;
	g_set_error(error, SOURCE_ERROR, SOURCE_FAILED,
		    "%s: cannot write: %s (choose another file)", path, failure->message);
	return false;
}
