/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * source.c: see source.h. Files, folders, links and answers are here, devices in source-device.c, what
 * is never recorded in source-local.c.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/error.h"
#include "source-private.h"

#define META "meta.jsonl"
#define NOT_RECORDED "not in the recording"

G_DEFINE_QUARK(capbroker-source-error, source_error)

static const char *const error_states[] = {
	[SOURCE_MISSING] = "missing",
	[SOURCE_UNREADABLE] = "unreadable",
	[SOURCE_TIMED_OUT] = "timed-out",
	[SOURCE_FAILED] = "failed",
};

const char *source_error_state(const GError *error)
{
	return error->domain == SOURCE_ERROR ? error_states[error->code] : "failed";
}

/* --- inside the folder ------------------------------------------------------------------------ */

/*
 * Walks down to the folder that holds the last component, never through a symbolic link and never
 * up. Returns its descriptor and the component's place in @path; -1 with errno.
 */
static int walk(const struct source *source, const char *path, bool make, const char **last)
{
	int fd = fcntl(source->dir, F_DUPFD_CLOEXEC, 3);

	while (fd >= 0) {
		const char *end;
		g_autofree char *part = NULL;
		int next;

		path += strspn(path, "/");
		end = path + strcspn(path, "/");
		if (!end[strspn(end, "/")]) {
			*last = path;
			if (*path && strcmp(path, "..") && strcmp(path, "."))
				return fd;
			close(fd);
			errno = EINVAL;
			return -1;
		}
		part = g_strndup(path, (gsize)(end - path));
		if (!strcmp(part, "..")) {
			close(fd);
			errno = EINVAL;
			return -1;
		}
		if (make && mkdirat(fd, part, 0755) < 0 && errno != EEXIST) {
			close(fd);
			return -1;
		}
		next = openat(fd, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		close(fd);
		fd = next;
		path = end;
	}
	return -1;
}

static int open_inside(const struct source *source, const char *path, int flags)
{
	const char *last;
	int parent = walk(source, path, flags & O_CREAT, &last);
	g_autofree char *name = NULL;
	int fd;

	if (parent < 0)
		return -1;
	name = g_strndup(last, strcspn(last, "/"));
	fd = openat(parent, name, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0644);
	close(parent);
	return fd;
}

static bool write_all(int fd, const char *bytes, size_t length)
{
	while (length) {
		ssize_t n = write(fd, bytes, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes += n;
		length -= (size_t)n;
	}
	return true;
}

/* What can't be recorded ends the probe: a recording that lies is worse than none. */
static void cannot_record(const char *path)
{
	g_printerr("capbroker-probe: %s: cannot record: %s (choose another folder)\n", path,
		   g_strerror(errno));
	_exit(2);
}

/* The first reading of a path is the one that is kept. */
static void keep(struct source *source, const char *path, const char *bytes, size_t length)
{
	int fd;

	if (source->mode != SOURCE_RECORD)
		return;
	fd = open_inside(source, path, O_WRONLY | O_CREAT | O_EXCL);
	if (fd < 0 && errno == EEXIST)
		return;
	if (fd < 0 || !write_all(fd, bytes, length))
		cannot_record(path);
	close(fd);
}

static void keep_meta(struct source *source, json_t *line)
{
	g_autofree char *text = NULL;
	g_autofree char *whole = NULL;
	int fd;

	if (source->mode == SOURCE_RECORD) {
		text = json_dumps(line, JSON_COMPACT | JSON_SORT_KEYS);
		whole = g_strconcat(text, "\n", NULL);
		fd = open_inside(source, META, O_WRONLY | O_CREAT | O_APPEND);
		if (fd < 0 || !write_all(fd, whole, strlen(whole)))
			cannot_record(META);
		close(fd);
	}
	json_decref(line);
}

/* ENOENT needs no line: what a recording doesn't hold doesn't exist. */
static void keep_errno(struct source *source, const char *path, int err)
{
	if (err != ENOENT)
		keep_meta(source, json_pack("{s:s, s:i}", "path", path, "errno", err));
}

static const json_t *meta_of(const struct source *source, const char *path)
{
	return source->meta ? g_hash_table_lookup(source->meta, path) : NULL;
}

/* The errno that was recorded for a path, 0 where none was. */
static int meta_errno(const struct source *source, const char *path)
{
	return (int)json_integer_value(json_object_get(meta_of(source, path), "errno"));
}

static char *slurp(int fd, size_t *length, int *err)
{
	GByteArray *bytes = g_byte_array_new();
	struct stat st;
	char chunk[16384];
	ssize_t n = 0;

	*err = fstat(fd, &st) < 0 ? errno : S_ISDIR(st.st_mode) ? EISDIR : 0;
	if (!*err && !S_ISREG(st.st_mode))
		*err = EINVAL;
	while (!*err && (n = read(fd, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			*err = errno;
		else if (bytes->len + (size_t)n > SOURCE_MAX_FILE)
			*err = EFBIG;
		else
			g_byte_array_append(bytes, (const guint8 *)chunk, (guint)n);
	}
	if (*err) {
		g_byte_array_unref(bytes);
		return NULL;
	}
	if (length)
		*length = bytes->len;
	g_byte_array_append(bytes, (const guint8 *)"", 1);
	return (char *)g_byte_array_free(bytes, FALSE);
}

static char *read_inside(const struct source *source, const char *path, size_t *length, int *err)
{
	int fd = open_inside(source, path, O_RDONLY);
	char *bytes;

	if (fd < 0) {
		*err = errno == ENOTDIR ? ENOENT : errno;
		return NULL;
	}
	bytes = slurp(fd, length, err);
	close(fd);
	return bytes;
}

/* --- opening ---------------------------------------------------------------------------------- */

static bool fail(GError **error, const char *dir, const char *what, const char *remedy)
{
	g_set_error(error, SOURCE_ERROR, SOURCE_FAILED, "%s: %s (%s)", dir, what, remedy);
	return false;
}

static bool is_empty(int dir)
{
	DIR *stream = fdopendir(fcntl(dir, F_DUPFD_CLOEXEC, 3));
	const struct dirent *entry;
	bool empty = true;

	while (stream && (entry = readdir(stream)))
		empty &= !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..");
	if (stream)
		closedir(stream);
	return empty;
}

static bool load_meta(struct source *source, const char *dir, GError **error)
{
	int err;
	size_t length;
	g_autofree char *bytes = read_inside(source, META, &length, &err);
	char **lines;
	bool ok = true;

	source->meta = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
					     (GDestroyNotify)json_decref);
	if (!bytes)
		return err == ENOENT || fail(error, dir, "cannot read " META, g_strerror(err));
	if (strlen(bytes) != length)
		return fail(error, dir, META " has a NUL byte in it", "record again");
	lines = g_strsplit(bytes, "\n", -1);
	for (size_t i = 0; ok && lines[i]; i++) {
		json_t *line = *lines[i] ? json_bytes_parse(lines[i], strlen(lines[i]),
							     SOURCE_MAX_FILE, NULL) : NULL;
		const char *path = json_string_value(json_object_get(line, "path"));

		if (path) {
			g_hash_table_replace(source->meta, g_strdup(path), line);
		} else if (*lines[i]) {
			g_set_error(error, SOURCE_ERROR, SOURCE_FAILED,
				    "%s/" META ": line %zu is not a record with a path (record again)",
				    dir, i + 1);
			json_decref(line);
			ok = false;
		}
	}
	g_strfreev(lines);
	return ok;
}

struct source *source_new(enum source_mode mode, const char *dir, GError **error)
{
	g_autoptr(Source) source = g_new0(struct source, 1);

	source->mode = mode;
	source->dir = -1;
	if (mode == SOURCE_LIVE)
		return g_steal_pointer(&source);
	if (mode == SOURCE_RECORD && g_mkdir_with_parents(dir, 0755) < 0) {
		fail(error, dir, g_strerror(errno), "choose a folder that can be written");
		return NULL;
	}
	source->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (source->dir < 0) {
		fail(error, dir, g_strerror(errno), "give the folder of a recording");
		return NULL;
	}
	if (mode == SOURCE_RECORD && !is_empty(source->dir)) {
		fail(error, dir, "not empty", "record into a new folder");
		return NULL;
	}
	if (mode == SOURCE_REPLAY && !load_meta(source, dir, error))
		return NULL;
	return g_steal_pointer(&source);
}

void source_free(struct source *source)
{
	if (!source)
		return;
	if (source->dir >= 0)
		close(source->dir);
	if (source->meta)
		g_hash_table_destroy(source->meta);
	g_free(source);
}

enum source_mode source_mode(const struct source *source)
{
	return source->mode;
}

/* --- files ------------------------------------------------------------------------------------ */

char *source_read(struct source *source, const char *path, size_t *length, int *err)
{
	char *bytes = NULL;
	size_t n = 0;
	int fd;

	if (source->mode == SOURCE_REPLAY) {
		*err = meta_errno(source, path);
		return *err ? NULL : read_inside(source, path, length, err);
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	*err = fd < 0 ? errno : 0;
	if (fd >= 0) {
		bytes = slurp(fd, &n, err);
		close(fd);
	}
	if (bytes)
		keep(source, path, bytes, n);
	else
		keep_errno(source, path, *err);
	if (length)
		*length = n;
	return bytes;
}

char *source_text(struct source *source, const char *path, int *err)
{
	size_t length;
	g_autofree char *bytes = source_read(source, path, &length, err);

	return bytes ? g_strstrip(g_utf8_make_valid(bytes, (gssize)strlen(bytes))) : NULL;
}

static int by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Files of a folder that couldn't be read aren't in the recording, but were seen. */
static void add_unreadable(const struct source *source, const char *path, GPtrArray *names)
{
	GHashTableIter iter;
	gpointer key, value;

	g_hash_table_iter_init(&iter, source->meta);
	while (g_hash_table_iter_next(&iter, &key, &value)) {
		size_t length = strlen(path);
		const char *name = key;

		/* the folder, a slash, and one name */
		if (json_object_get(value, "errno") && !strncmp(name, path, length) &&
		    name[length] == '/' && !strchr(name + length + 1, '/'))
			g_ptr_array_add(names, g_path_get_basename(key));
	}
}

char **source_list(struct source *source, const char *path, int *err)
{
	bool replay = source->mode == SOURCE_REPLAY;
	GPtrArray *names;
	const struct dirent *entry;
	DIR *stream;
	int fd;

	*err = replay ? meta_errno(source, path) : 0;
	if (*err)
		return NULL;
	fd = replay ? open_inside(source, path, O_RDONLY | O_DIRECTORY)
		    : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	stream = fd < 0 ? NULL : fdopendir(fd);
	if (!stream) {
		*err = errno;
		if (!replay)
			keep_errno(source, path, *err);
		return NULL;
	}
	names = g_ptr_array_new();
	while (names->len < SOURCE_MAX_ENTRIES && (entry = readdir(stream)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			g_ptr_array_add(names, g_utf8_make_valid(entry->d_name, -1));
	closedir(stream);
	if (replay)
		add_unreadable(source, path, names);
	g_ptr_array_sort(names, by_name);
	g_ptr_array_add(names, NULL);
	return (char **)g_ptr_array_free(names, FALSE);
}

static char **recall_names(const json_t *names)
{
	GPtrArray *array = g_ptr_array_new();
	const json_t *name;
	size_t i;

	json_array_foreach (names, i, name)
		if (json_is_string(name) && array->len < SOURCE_MAX_ENTRIES)
			g_ptr_array_add(array, g_strdup(json_string_value(name)));
	g_ptr_array_add(array, NULL);
	return (char **)g_ptr_array_free(array, FALSE);
}

char **source_names(struct source *source, const char *path, int *err)
{
	g_autofree char *key = g_strconcat("list:", path, NULL);
	const json_t *recorded = json_object_get(meta_of(source, key), "names");
	json_t *array;
	char **names;

	*err = 0;
	if (recorded)
		return recall_names(recorded);
	names = source_list(source, path, err);
	if (!names || source->mode != SOURCE_RECORD)
		return names;
	array = json_array();
	for (size_t i = 0; names[i]; i++)
		json_array_append_new(array, json_string(names[i]));
	keep_meta(source, json_pack("{s:s, s:o}", "path", key, "names", array));
	return names;
}

static bool recall_stat(const struct source *source, const char *key, struct source_file *file,
			int *err)
{
	const json_t *meta = meta_of(source, key);

	*err = meta ? (int)json_integer_value(json_object_get(meta, "errno")) : ENOENT;
	if (*err)
		return false;
	file->size = (uint64_t)json_integer_value(json_object_get(meta, "size"));
	file->inode = (uint64_t)json_integer_value(json_object_get(meta, "inode"));
	file->device = (uint64_t)json_integer_value(json_object_get(meta, "device"));
	file->mtime = json_integer_value(json_object_get(meta, "mtime"));
	file->executable = json_is_true(json_object_get(meta, "executable"));
	file->socket = json_is_true(json_object_get(meta, "socket"));
	return true;
}

bool source_stat(struct source *source, const char *path, struct source_file *file, int *err)
{
	g_autofree char *key = g_strconcat("stat:", path, NULL);
	struct stat st;

	*file = (struct source_file){ 0 };
	if (source->mode == SOURCE_REPLAY)
		return recall_stat(source, key, file, err);
	if (stat(path, &st) < 0) {
		*err = errno;
		keep_errno(source, key, *err);
		return false;
	}
	file->size = (uint64_t)st.st_size;
	file->inode = st.st_ino;
	file->device = st.st_dev;
	file->mtime = st.st_mtime;
	file->executable = S_ISREG(st.st_mode) && (st.st_mode & 0111);
	file->socket = S_ISSOCK(st.st_mode);
	*err = 0;
	keep_meta(source, json_pack("{s:s, s:I, s:I, s:I, s:I, s:b, s:b}", "path", key, "size",
				    (json_int_t)file->size, "inode", (json_int_t)file->inode,
				    "device", (json_int_t)file->device, "mtime",
				    (json_int_t)file->mtime, "executable", file->executable,
				    "socket", file->socket));
	return true;
}

char *source_link(struct source *source, const char *path, int *err)
{
	g_autofree char *key = g_strconcat("link:", path, NULL);
	char target[4096];
	ssize_t n;

	if (source->mode == SOURCE_REPLAY) {
		const json_t *meta = meta_of(source, key);
		const char *to = json_string_value(json_object_get(meta, "target"));

		*err = to ? 0 : meta ? meta_errno(source, key) : ENOENT;
		return g_strdup(to);
	}
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0) {
		*err = errno;
		keep_errno(source, key, *err);
		return NULL;
	}
	*err = 0;
	target[n] = 0;
	keep_meta(source, json_pack("{s:s, s:s}", "path", key, "target", target));
	return g_utf8_make_valid(target, n);
}

/* --- answers ---------------------------------------------------------------------------------- */

void source_keep(struct source *source, const char *name, const char *text)
{
	keep(source, name, text, strlen(text));
}

char *source_recall(struct source *source, const char *name)
{
	int err;

	return source->mode == SOURCE_REPLAY ? read_inside(source, name, NULL, &err) : NULL;
}

bool source_holds(const struct source *source, const char *name)
{
	int fd = source->mode == SOURCE_REPLAY ? open_inside(source, name, O_RDONLY) : -1;

	if (fd >= 0)
		close(fd);
	return source->mode != SOURCE_REPLAY || fd >= 0;
}

bool source_failed(const struct source *source, const char *name)
{
	return json_object_get(meta_of(source, name), "reason") != NULL;
}

char *source_ask(struct source *source, const char *name, char *(*ask)(void *data, GError **error),
		 void *data, GError **error)
{
	const json_t *meta = meta_of(source, name);
	const char *message = json_string_value(json_object_get(meta, "reason"));
	json_int_t code = json_integer_value(json_object_get(meta, "code"));
	GError *failure = NULL;
	char *text;

	if (source->mode == SOURCE_REPLAY) {
		text = message ? NULL : source_recall(source, name);
		if (!text)
			g_set_error_literal(error, SOURCE_ERROR,
					    code > 0 && code <= SOURCE_FAILED ? (int)code : SOURCE_MISSING,
					    message ? message : NOT_RECORDED);
		return text;
	}
	text = ask(data, &failure);
	if (text) {
		source_keep(source, name, text);
		return text;
	}
	keep_meta(source, json_pack("{s:s, s:s, s:i}", "path", name, "reason", failure->message,
				    "code", failure->code));
	g_propagate_error(error, failure);
	return NULL;
}
