/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * sqlite.c: the only file that knows SQLite: opening, upgrades, statements, transactions, errors.
 *
 * Theory of operation: the database is in WAL mode with synchronous=FULL, so a commit is on the
 * disk when it returns, readers never wait, and one writer at a time waits for others up to the
 * timeout. Writing transactions are IMMEDIATE: they wait at their start, never half-way, where
 * SQLite could only give up.
 *
 * A file is looked at before it is opened for real: through a connection that takes no lock and
 * writes nothing (immutable=1). Another program's database, or one of a newer version, is refused
 * then, so not even its -wal file is touched. What that look finds damaged is refused too, unless
 * there is a journal beside the file that may yet repair it.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sqlite.h"
#include "upgrades.h"

enum {
	APPLICATION_ID = 0x63617062, /* "capb", as file(1) and other programs see it */
	TEXT_MAX = 256 << 20,        /* bytes in one value */
	WAL_KEPT = 16 << 20,         /* bytes of log kept for reuse after a large transaction */
	RETRY_US = 10 * 1000,
};

struct store {
	sqlite3 *db;
	char *path; /* as it was given: for messages */
	bool read_only;
	bool batch; /* between store_begin() and store_commit() */
	bool reading; /* a read transaction of our own is open */
	unsigned int timeout_ms;
	int64_t data_version; /* as it was seen last; 0: never */
	GHashTable *queries; /* SQL → struct query */
};

struct query {
	struct store *store;
	sqlite3_stmt *statement;
	bool busy;
	bool kept; /* in store->queries */
	bool damaged;
};

G_DEFINE_QUARK(store-error-quark, store_error)

/* --- errors ----------------------------------------------------------------------------------- */

static bool means_full(int number)
{
	return number == ENOSPC || number == EDQUOT || number == EFBIG;
}

static void set_full(struct store *store, int number, GError **error)
{
	g_set_error(error, STORE_ERROR, STORE_ERROR_FULL,
		"%s: cannot be written: %s (make room there and try again; nothing was lost)",
		store->path, g_strerror(number));
}

static void set_unwritable(struct store *store, int number, GError **error)
{
	g_set_error(error, STORE_ERROR, number == EROFS ? STORE_ERROR_FULL : STORE_ERROR_OPEN,
		"%s: cannot be %s: %s (this user must have the right to, in its folder too)",
		store->path, store->read_only ? "read" : "written", g_strerror(number));
}

static void set_corrupt(struct store *store, const char *what, GError **error)
{
	g_set_error(error, STORE_ERROR, STORE_ERROR_CORRUPT,
		"%s: damaged, or not a database: %s (move it away, then restore a copy or probe and import again)",
		store->path, what);
}

static void set_io_error(struct store *store, int extended, int number, GError **error)
{
	if (means_full(number))
		set_full(store, number, error);
	else if (number == EROFS)
		set_unwritable(store, number, error);
	else if (extended == SQLITE_IOERR_SHORT_READ || extended == SQLITE_IOERR_CORRUPTFS)
		set_corrupt(store, sqlite3_errstr(extended), error);
	else
		g_set_error(error, STORE_ERROR, STORE_ERROR_FAILED,
			"%s: cannot read or write: %s (see the system's log for errors of its disk)",
			store->path, number ? g_strerror(number) : sqlite3_errmsg(store->db));
}

static void set_read_only(struct store *store, int extended, GError **error)
{
	if (store->read_only)
		g_set_error(error, STORE_ERROR, STORE_ERROR_FAILED,
			"%s: was opened for reading only", store->path);
	else if (extended == SQLITE_READONLY_DBMOVED)
		g_set_error(error, STORE_ERROR, STORE_ERROR_FAILED,
			"%s: was moved or removed while it was in use (start again)", store->path);
	else
		set_unwritable(store, g_access(store->path, W_OK) ? errno : EACCES, error);
}

/*
 * Why a write failed. SQLite often forgets errno while it rolls back; the files remember it: the
 * log, or the journal, first, then the database.
 */
static int last_errno(struct store *store)
{
	int number = sqlite3_system_errno(store->db);
	sqlite3_file *file = NULL;

	if (number)
		return number;
	sqlite3_file_control(store->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file);
	if (file && file->pMethods)
		file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &number);
	if (number == 0)
		sqlite3_file_control(store->db, "main", SQLITE_FCNTL_LAST_ERRNO, &number);
	return number;
}

/* Sets the error for what SQLite returned last. Always false, to be returned at once. */
static bool fail(struct store *store, int result, GError **error)
{
	int extended = sqlite3_extended_errcode(store->db);
	int number = sqlite3_system_errno(store->db);

	switch (result & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		g_set_error(error, STORE_ERROR, STORE_ERROR_LOCKED,
			"%s: locked by another process for more than %g s (let it finish and try again; fuser names it)",
			store->path, store->timeout_ms / 1000.0);
		break;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		set_corrupt(store, sqlite3_errmsg(store->db), error);
		break;
	case SQLITE_FULL:
		set_full(store, ENOSPC, error);
		break;
	case SQLITE_IOERR:
		set_io_error(store, extended, last_errno(store), error);
		break;
	case SQLITE_READONLY:
		set_read_only(store, extended, error);
		break;
	case SQLITE_CANTOPEN:
		if (means_full(number))
			set_full(store, number, error);
		else
			set_unwritable(store, number ? number : EACCES, error);
		break;
	default:
		g_set_error(error, STORE_ERROR, STORE_ERROR_FAILED, "%s: %s", store->path,
			sqlite3_errmsg(store->db));
	}
	return false;
}

void sql_set_damaged(struct store *store, GError **error, const char *what)
{
	set_corrupt(store, what, error);
}

const char *sql_path(struct store *store)
{
	return store->path;
}

/* --- statements ------------------------------------------------------------------------------- */

static void query_free(struct query *query)
{
	sqlite3_finalize(query->statement);
	g_free(query);
}

static struct query *query_prepare(struct store *store, const char *sql, GError **error)
{
	struct query *query = g_new0(struct query, 1);
	int result;

	query->store = store;
	result = sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT,
		&query->statement, NULL);
	if (result == SQLITE_OK)
		return query;
	/* Our own SQL is sound: a table or column that isn't there is the file's fault. */
	fail(store, result == SQLITE_ERROR ? SQLITE_CORRUPT : result, error);
	query_free(query);
	return NULL;
}

static bool query_bind(struct query *query, const char *types, va_list values, GError **error)
{
	for (int i = 0; types[i]; i++) {
		const char *text;
		int result;

		if (types[i] == 'i') {
			result = sqlite3_bind_int64(query->statement, i + 1,
				va_arg(values, int64_t));
		} else {
			text = va_arg(values, const char *);
			result = sqlite3_bind_text64(query->statement, i + 1, text,
				text ? strlen(text) : 0, SQLITE_STATIC, SQLITE_UTF8);
		}
		if (result != SQLITE_OK)
			return fail(query->store, result, error);
	}
	return true;
}

static struct query *query_start(struct store *store, const char *sql, const char *types,
				 va_list values, GError **error)
{
	struct query *query = g_hash_table_lookup(store->queries, sql);

	if (!query || query->busy) {
		bool keep = !query;

		query = query_prepare(store, sql, error);
		if (!query)
			return NULL;
		query->kept = keep;
		if (keep)
			g_hash_table_insert(store->queries, (void *)sql, query);
	}
	query->busy = true;
	query->damaged = false;
	if (query_bind(query, types, values, error))
		return query;
	sql_end(query);
	return NULL;
}

struct query *sql_start(struct store *store, GError **error, const char *sql,
			const char *types, ...)
{
	struct query *query;
	va_list values;

	va_start(values, types);
	query = query_start(store, sql, types, values, error);
	va_end(values);
	return query;
}

int sql_next(struct query *query, GError **error)
{
	int result;

	if (query->damaged) {
		set_corrupt(query->store, "a value is missing in a row", error);
		return -1;
	}
	result = sqlite3_step(query->statement);
	if (result == SQLITE_ROW)
		return 1;
	if (result == SQLITE_DONE)
		return 0;
	fail(query->store, result, error);
	return -1;
}

const char *sql_text(struct query *query, int column)
{
	return (const char *)sqlite3_column_text(query->statement, column);
}

int64_t sql_int(struct query *query, int column)
{
	return sqlite3_column_int64(query->statement, column);
}

char *sql_copy(struct query *query, int column)
{
	const char *text = sql_text(query, column);

	if (!text)
		query->damaged = true;
	return g_strdup(text ? text : "");
}

void sql_end(struct query *query)
{
	if (!query)
		return;
	if (!query->kept) {
		query_free(query);
		return;
	}
	sqlite3_reset(query->statement);
	sqlite3_clear_bindings(query->statement);
	query->busy = false;
}

bool sql_run(struct store *store, GError **error, const char *sql, const char *types, ...)
{
	struct query *query;
	va_list values;
	int result = -1;

	va_start(values, types);
	query = query_start(store, sql, types, values, error);
	va_end(values);
	while (query && (result = sql_next(query, error)) == 1)
		;
	sql_end(query);
	return result == 0;
}

int sql_find(struct store *store, int64_t *found, GError **error, const char *sql,
	     const char *types, ...)
{
	struct query *query;
	va_list values;
	int result = -1;

	va_start(values, types);
	query = query_start(store, sql, types, values, error);
	va_end(values);
	if (query)
		result = sql_next(query, error);
	if (result == 1)
		*found = sql_int(query, 0);
	sql_end(query);
	return result;
}

int64_t sql_changes(struct store *store)
{
	return sqlite3_changes(store->db);
}

int64_t sql_last_id(struct store *store)
{
	return sqlite3_last_insert_rowid(store->db);
}

/* --- transactions ----------------------------------------------------------------------------- */

/* SQLite ends a transaction by itself after some failures, as of a full disk. */
static bool was_rolled_back(struct store *store, GError **error)
{
	if (!store->batch || !sqlite3_get_autocommit(store->db))
		return false;
	g_set_error(error, STORE_ERROR, STORE_ERROR_FAILED,
		"%s: these changes were taken back after the failure before (start them again)",
		store->path);
	return true;
}

static void roll_back(struct store *store)
{
	if (!sqlite3_get_autocommit(store->db))
		sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
}

bool store_begin(struct store *store, GError **error)
{
	g_return_val_if_fail(!store->batch, false);
	store->batch = sql_run(store, error, "BEGIN IMMEDIATE", "");
	return store->batch;
}

bool store_commit(struct store *store, GError **error)
{
	bool ok;

	g_return_val_if_fail(store->batch, false);
	ok = !was_rolled_back(store, error) && sql_run(store, error, "COMMIT", "");
	if (!ok)
		roll_back(store);
	store->batch = false;
	return ok;
}

void store_rollback(struct store *store)
{
	if (store->batch)
		roll_back(store);
	store->batch = false;
}

bool sql_enter(struct store *store, GError **error)
{
	if (was_rolled_back(store, error))
		return false;
	return sql_run(store, error, store->batch ? "SAVEPOINT step" : "BEGIN IMMEDIATE", "");
}

bool sql_leave(struct store *store, bool ok, GError **error)
{
	if (ok && sql_run(store, error, store->batch ? "RELEASE step" : "COMMIT", ""))
		return true;
	if (!store->batch)
		roll_back(store);
	else if (!sqlite3_get_autocommit(store->db))
		sqlite3_exec(store->db, "ROLLBACK TO step; RELEASE step", NULL, NULL, NULL);
	return false;
}

bool sql_enter_read(struct store *store, GError **error)
{
	g_return_val_if_fail(!store->reading, false);
	if (store->batch)
		return !was_rolled_back(store, error);
	store->reading = sql_run(store, error, "BEGIN", "");
	return store->reading;
}

void sql_leave_read(struct store *store)
{
	if (store->reading)
		roll_back(store);
	store->reading = false;
}

/* --- opening ---------------------------------------------------------------------------------- */

/* What a file says it is. */
struct identity {
	int64_t application;
	int64_t version;
	int64_t objects; /* tables, indexes, … */
};

/* All three as of one moment: another process may be making the database just now. */
static bool identity_read(struct store *store, struct identity *identity, GError **error)
{
	bool ok;

	if (!sql_enter_read(store, error))
		return false;
	ok = sql_find(store, &identity->application, error, "PRAGMA application_id", "") == 1 &&
	     sql_find(store, &identity->version, error, "PRAGMA user_version", "") == 1 &&
	     sql_find(store, &identity->objects, error, "SELECT count(*) FROM sqlite_schema",
		      "") == 1;
	sql_leave_read(store);
	return ok;
}

static bool identity_check(struct store *store, const struct identity *identity, GError **error)
{
	bool is_new = !identity->application && !identity->version && !identity->objects;

	if (!is_new && identity->application != APPLICATION_ID) {
		g_set_error(error, STORE_ERROR, STORE_ERROR_CORRUPT,
			"%s: is another program's database (give capbroker a file of its own)",
			store->path);
		return false;
	}
	if (identity->version > (int64_t)store_upgrade_count) {
		g_set_error(error, STORE_ERROR, STORE_ERROR_NEWER,
			"%s: written by a newer capbroker (schema %" G_GINT64_FORMAT
			", this one knows %zu; upgrade capbroker)",
			store->path, (gint64)identity->version, store_upgrade_count);
		return false;
	}
	if (identity->version < 0 || (!is_new && identity->version == 0)) {
		set_corrupt(store, "its schema has no valid number", error);
		return false;
	}
	return true;
}

static bool connect_to(struct store *store, const char *uri, int flags, GError **error)
{
	int result = sqlite3_open_v2(uri, &store->db, flags | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX,
		NULL);

	if (!store->db)
		g_error("out of memory");
	return result == SQLITE_OK || fail(store, result, error);
}

static void disconnect(struct store *store)
{
	g_hash_table_remove_all(store->queries);
	sqlite3_close_v2(store->db);
	store->db = NULL;
}

/* Text that is there and not empty: a journal or log that SQLite would apply when it opens. */
static bool has_journal(struct store *store)
{
	static const char *const suffixes[] = { "-wal", "-journal" };
	const char *file = sqlite3_db_filename(store->db, "main");

	for (size_t i = 0; i < G_N_ELEMENTS(suffixes); i++) {
		g_autofree char *name = g_strconcat(file ? file : "", suffixes[i], NULL);
		struct stat status;

		if (stat(name, &status) == 0 && status.st_size > 0)
			return true;
	}
	return false;
}

/* SQLite fills up a last page that was cut short with zeroes, and says nothing. */
static bool check_length(struct store *store, GError **error)
{
	struct stat status;
	int64_t page;

	if (has_journal(store))
		return true;
	if (sql_find(store, &page, error, "PRAGMA page_size", "") != 1)
		return false;
	if (page <= 0 || stat(sqlite3_db_filename(store->db, "main"), &status) ||
		status.st_size % page == 0)
		return true;
	set_corrupt(store, "its end is cut off", error);
	return false;
}

/* Refuses what is not ours without a lock and without writing; see the theory above. */
static bool look_first(struct store *store, const char *uri, GError **error)
{
	g_autofree char *immutable = g_strconcat(uri, "?immutable=1", NULL);
	struct identity identity = { 0 };
	g_autoptr(GError) problem = NULL;
	bool ok;

	if (!connect_to(store, immutable, SQLITE_OPEN_READONLY, error)) {
		disconnect(store);
		return false;
	}
	if (identity_read(store, &identity, &problem))
		ok = identity_check(store, &identity, error) && check_length(store, error);
	else
		ok = has_journal(store);
	if (!ok && problem)
		g_propagate_error(error, g_steal_pointer(&problem));
	disconnect(store);
	return ok;
}

static bool configure(struct store *store, GError **error)
{
	static const struct {
		int option, value;
	} options[] = {
		{ SQLITE_DBCONFIG_DEFENSIVE, 1 },
		{ SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 },
		{ SQLITE_DBCONFIG_ENABLE_TRIGGER, 0 },
		{ SQLITE_DBCONFIG_ENABLE_VIEW, 0 },
		{ SQLITE_DBCONFIG_ENABLE_FKEY, 1 },
		{ SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1 }, /* until it is known to be ours */
	};
	g_autofree char *sql = g_strdup_printf(
		"PRAGMA synchronous = FULL; PRAGMA cell_size_check = ON; PRAGMA journal_size_limit = %d",
		WAL_KEPT);
	int result;

	for (size_t i = 0; i < G_N_ELEMENTS(options); i++)
		sqlite3_db_config(store->db, options[i].option, options[i].value, NULL);
	sqlite3_limit(store->db, SQLITE_LIMIT_LENGTH, TEXT_MAX);
	store_set_timeout(store, store->timeout_ms);
	result = sqlite3_exec(store->db, sql, NULL, NULL, NULL);
	return result == SQLITE_OK || fail(store, result, error);
}

/* SQLite doesn't wait here while another process opens the same new file, so we do. */
static bool switch_to_wal(struct store *store, GError **error)
{
	int64_t end = g_get_monotonic_time() + (int64_t)store->timeout_ms * 1000;
	bool is_wal = false;
	int result;

	sqlite3_busy_timeout(store->db, 0);
	for (;;) {
		sqlite3_stmt *statement = NULL;

		result = sqlite3_prepare_v2(store->db, "PRAGMA journal_mode = WAL", -1, &statement,
			NULL);
		if (result == SQLITE_OK)
			result = sqlite3_step(statement);
		if (result == SQLITE_ROW)
			is_wal = g_strcmp0((const char *)sqlite3_column_text(statement, 0), "wal") == 0;
		sqlite3_finalize(statement);
		if ((result & 0xff) != SQLITE_BUSY || g_get_monotonic_time() > end)
			break;
		g_usleep(RETRY_US);
	}
	sqlite3_busy_timeout(store->db, store->timeout_ms);
	if (result != SQLITE_ROW)
		return fail(store, result, error);
	if (!is_wal)
		g_set_error(error, STORE_ERROR, STORE_ERROR_OPEN,
			"%s: its file system can't hold SQLite's write-ahead log (use a local disk)",
			store->path);
	return is_wal;
}

/* Runs the upgrades after number @version, inside a transaction. */
static bool run_upgrades(struct store *store, int64_t version, GError **error)
{
	for (size_t i = version; i < store_upgrade_count; i++) {
		int result = sqlite3_exec(store->db, store_upgrades[i].sql, NULL, NULL, NULL);

		if (result != SQLITE_OK)
			return fail(store, result, error);
	}
	return true;
}

static bool upgrade(struct store *store, GError **error)
{
	g_autofree char *stamp = g_strdup_printf("PRAGMA application_id = %d; PRAGMA user_version = %zu",
		APPLICATION_ID, store_upgrade_count);
	int64_t version;
	bool ok;

	if (!store_begin(store, error))
		return false;
	/* Another process may have done it while this one waited. */
	ok = sql_find(store, &version, error, "PRAGMA user_version", "") == 1 &&
	     run_upgrades(store, version, error);
	if (ok && version < (int64_t)store_upgrade_count) {
		int result = sqlite3_exec(store->db, stamp, NULL, NULL, NULL);

		ok = result == SQLITE_OK || fail(store, result, error);
	}
	if (ok)
		return store_commit(store, error);
	store_rollback(store);
	return false;
}

static bool make_ready(struct store *store, GError **error)
{
	struct identity identity = { 0 };

	if (sqlite3_db_readonly(store->db, "main") == 1 && !store->read_only) {
		set_read_only(store, 0, error);
		return false;
	}
	if (!configure(store, error) || !identity_read(store, &identity, error) ||
		!identity_check(store, &identity, error))
		return false;
	if (store->read_only && identity.version < (int64_t)store_upgrade_count) {
		g_set_error(error, STORE_ERROR, STORE_ERROR_OPEN,
			identity.version ? "%s: must be upgraded first (run a command that writes, such as import)" :
					   "%s: is empty (run 'capbroker probe' or 'capbroker import' first)",
			store->path);
		return false;
	}
	if (!store->read_only && !switch_to_wal(store, error))
		return false;
	if (identity.version < (int64_t)store_upgrade_count && !upgrade(store, error))
		return false;
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
	return true;
}

/*
 * A read-only medium has no room for the files SQLite shares between processes. Where nobody can
 * write beside the database and no log is waiting, it is read as it lies there.
 */
static bool lies_still(struct store *store, const char *absolute)
{
	g_autofree char *folder = g_path_get_dirname(absolute);

	return store->read_only && g_access(folder, W_OK) != 0 && !has_journal(store);
}

static bool open_file(struct store *store, const char *absolute, GError **error)
{
	int flags = store->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
	g_autofree char *uri = g_filename_to_uri(absolute, NULL, error);
	g_autofree char *still = NULL;
	g_autoptr(GError) problem = NULL;

	if (!uri || !look_first(store, uri, error))
		return false;
	if (connect_to(store, uri, flags, &problem) && make_ready(store, &problem))
		return true;
	if (!lies_still(store, absolute)) {
		g_propagate_error(error, g_steal_pointer(&problem));
		return false;
	}
	disconnect(store);
	still = g_strconcat(uri, "?immutable=1", NULL);
	return connect_to(store, still, flags, error) && make_ready(store, error);
}

static bool set_open_error(struct store *store, int number, GError **error)
{
	if (number == ENOENT)
		g_set_error(error, STORE_ERROR, STORE_ERROR_OPEN,
			"%s: no such database (run 'capbroker probe' or 'capbroker import' first)",
			store->path);
	else if (means_full(number))
		set_full(store, number, error);
	else
		g_set_error(error, STORE_ERROR,
			number == EROFS ? STORE_ERROR_FULL : STORE_ERROR_OPEN,
			"%s: cannot open: %s (give --db FILE that this user may use)", store->path,
			g_strerror(number));
	return false;
}

static bool make_file(struct store *store, const char *absolute, GError **error)
{
	g_autofree char *folder = g_path_get_dirname(absolute);
	int file;

	if (g_mkdir_with_parents(folder, 0700))
		return set_open_error(store, errno == ENOENT ? ENOTDIR : errno, error);
	/* Exclusive: to close a file that this process has open elsewhere would drop its locks. */
	file = open(absolute, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (file < 0)
		return errno == EEXIST || set_open_error(store, errno, error);
	close(file);
	return true;
}

/* Sees to it that there is a regular file to open. */
static bool check_file(struct store *store, const char *absolute, GError **error)
{
	struct stat status;

	if (stat(absolute, &status)) {
		if (errno == ENOENT && !store->read_only)
			return make_file(store, absolute, error);
		return set_open_error(store, errno, error);
	}
	/* SQLite takes a file of one byte for a new one. */
	if (S_ISREG(status.st_mode) && status.st_size == 1) {
		set_corrupt(store, "it is one byte long", error);
		return false;
	}
	if (S_ISREG(status.st_mode))
		return true;
	g_set_error(error, STORE_ERROR, STORE_ERROR_OPEN, "%s: is %s (give a file's name)",
		store->path, S_ISDIR(status.st_mode) ? "a folder" : "not a regular file");
	return false;
}

struct store *store_open_within(const char *path, bool read_only, unsigned int milliseconds,
				GError **error)
{
	g_autofree char *absolute = g_canonicalize_filename(path, NULL);
	struct store *store = g_new0(struct store, 1);

	store->path = g_strdup(path);
	store->read_only = read_only;
	store->timeout_ms = MIN(milliseconds, (unsigned int)G_MAXINT);
	store->queries = g_hash_table_new_full(g_str_hash, g_str_equal, NULL,
		(GDestroyNotify)query_free);
	if (check_file(store, absolute, error) && open_file(store, absolute, error))
		return store;
	store_close(store);
	return NULL;
}

struct store *store_open(const char *path, bool read_only, GError **error)
{
	return store_open_within(path, read_only, STORE_TIMEOUT_MS, error);
}

void store_set_timeout(struct store *store, unsigned int milliseconds)
{
	store->timeout_ms = MIN(milliseconds, (unsigned int)G_MAXINT);
	sqlite3_busy_timeout(store->db, store->timeout_ms);
}

bool store_changed_elsewhere(struct store *store, bool *changed, GError **error)
{
	int64_t version = 0;

	if (sql_find(store, &version, error, "PRAGMA data_version", "") < 0)
		return false;
	*changed = store->data_version && version != store->data_version;
	store->data_version = version;
	return true;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	store_rollback(store);
	disconnect(store);
	g_hash_table_destroy(store->queries);
	g_free(store->path);
	g_free(store);
}
