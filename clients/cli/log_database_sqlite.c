// Backend of log_database.h: the audit log's tables from SQLite's file. They are described in broker/README.md.
#include "clients/cli/log_database_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

// Read, not mapped: measured a tenth faster, because a copied page is in the processor's cache, and a file that is cut meanwhile
// is an error and no SIGBUS.
#define SETTINGS "PRAGMA trusted_schema = OFF; PRAGMA mmap_size = 0; BEGIN"

struct file {
	struct log_database base;    // first: a struct log_database * of ours is a struct file *
	char *path;
	sqlite3 *handle;
	sqlite3_stmt *rows, *nodes;
};

static struct file *file_of(struct log_database *database)
{
	return (struct file *)database;
}

static void explain(const char *path, const char *what, char detail[LOG_DATABASE_DETAIL_BYTES])
{
	snprintf(detail, LOG_DATABASE_DETAIL_BYTES, "%.120s: %.150s", path, what);
}

static void describe(const struct log_database *database, char detail[LOG_DATABASE_DETAIL_BYTES])
{
	const struct file *file = (const struct file *)database;
	explain(file->path, sqlite3_errmsg(file->handle), detail);
}

// ------------------------------------------------------------------ opening

// A number to read is a transaction that has begun: BEGIN alone reads nothing.
static int begin(sqlite3 *handle)
{
	int code = sqlite3_exec(handle, SETTINGS, NULL, NULL, NULL);
	return code != SQLITE_OK ? code : sqlite3_exec(handle, "SELECT 1 FROM sqlite_master LIMIT 1", NULL, NULL, NULL);
}

static bool has_wal(const char *path)
{
	struct stat status;
	char *wal = sqlite3_mprintf("%s-wal", path);
	bool has = wal == NULL || (stat(wal, &status) == 0 && status.st_size > 0);
	sqlite3_free(wal);
	return has;
}

// "file:///the/path?immutable=1"; what would mean something in a URI is written as its number. NULL: no memory, or no such file.
static char *immutable_uri(const char *path)
{
	char *whole = realpath(path, NULL), *uri = whole == NULL ? NULL : malloc(3 * strlen(whole) + 32);
	if (uri != NULL) {
		char *out = stpcpy(uri, "file://");
		for (const char *at = whole; *at != '\0'; at++)
			if (strchr("%?#", *at) != NULL)
				out += sprintf(out, "%%%02x", (unsigned)*at);
			else
				*out++ = *at;
		strcpy(out, "?immutable=1");
	}
	free(whole);
	return uri;
}

static int open_as(struct file *database, const char *name, int flags)
{
	int code = sqlite3_open_v2(name, &database->handle, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | flags, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_busy_timeout(database->handle, 5000);
	return code == SQLITE_OK ? begin(database->handle) : code;
}

static int open_immutable(struct file *database)
{
	char *uri = immutable_uri(database->path);
	if (uri == NULL)
		return SQLITE_CANTOPEN;
	sqlite3_close(database->handle);
	int code = open_as(database, uri, SQLITE_OPEN_URI);
	free(uri);
	return code;
}

static bool prepare(struct file *database)
{
	return sqlite3_prepare_v2(database->handle,
				  "SELECT idx, salt, record, nodes, time_ms, organisation, subject, person FROM audit"
				  " WHERE idx >= ?1 AND idx < ?2 ORDER BY idx",
				  -1, &database->rows, NULL) == SQLITE_OK &&
	       sqlite3_prepare_v2(database->handle, "SELECT nodes FROM audit WHERE idx = ?1", -1, &database->nodes, NULL) ==
		       SQLITE_OK;
}

static const struct log_database_ops ops;

struct log_database *log_database_open(const char *path, char detail[LOG_DATABASE_DETAIL_BYTES])
{
	struct file *database = calloc(1, sizeof *database);
	if (database == NULL || (database->path = strdup(path)) == NULL) {
		explain(path, "out of memory", detail);
		free(database);
		return NULL;
	}
	database->base.ops = &ops;
	// A file in WAL mode wants files beside it, also for reading. Where they cannot be made nobody writes the file either.
	int code = open_as(database, path, 0);
	if ((code == SQLITE_CANTOPEN || code == SQLITE_READONLY) && !has_wal(path))
		code = open_immutable(database);
	if (code == SQLITE_OK && prepare(database))
		return &database->base;
	explain(path, database->handle == NULL ? sqlite3_errstr(code) : sqlite3_errmsg(database->handle), detail);
	log_database_close(&database->base);
	return NULL;
}

sqlite3 *log_database_handle(struct log_database *database)
{
	return file_of(database)->handle;
}

// Read later, but of what was there before nothing may change.
static struct log_database *open_again(const struct log_database *database, char detail[LOG_DATABASE_DETAIL_BYTES])
{
	return log_database_open(((const struct file *)database)->path, detail);
}

static void end(struct log_database *base)
{
	struct file *database = file_of(base);
	sqlite3_finalize(database->rows);
	sqlite3_finalize(database->nodes);
	sqlite3_close(database->handle);
	free(database->path);
	free(database);
}

// ------------------------------------------------------------------ the whole

static bool read_size(struct log_database *base, uint64_t *ret, bool *ret_negative)
{
	struct file *database = file_of(base);
	sqlite3_stmt *row = NULL;
	// Two subqueries, because SQLite takes one end of a table from its tree, and both ends only by reading all of it.
	bool read = sqlite3_prepare_v2(database->handle, "SELECT (SELECT max(idx) FROM audit), (SELECT min(idx) FROM audit)", -1,
				       &row, NULL) == SQLITE_OK &&
		    sqlite3_step(row) == SQLITE_ROW;
	if (read) {
		sqlite3_int64 highest = sqlite3_column_int64(row, 0);
		*ret_negative = sqlite3_column_int64(row, 1) < 0;
		*ret = sqlite3_column_type(row, 0) == SQLITE_NULL || highest < 0 ? 0 : (uint64_t)highest + 1;
	}
	sqlite3_finalize(row);
	return read;
}

static bool read_note(struct log_database *base, char ret[NOTE_BYTES_MAX + 2], size_t *ret_bytes)
{
	struct file *database = file_of(base);
	sqlite3_stmt *row = NULL;
	if (sqlite3_prepare_v2(database->handle, "SELECT note FROM checkpoint WHERE id = 1", -1, &row, NULL) != SQLITE_OK)
		return false;
	int step = sqlite3_step(row);
	const char *note = step == SQLITE_ROW ? (const char *)sqlite3_column_text(row, 0) : NULL;
	size_t bytes = note == NULL ? 0 : (size_t)sqlite3_column_bytes(row, 0);
	*ret_bytes = bytes <= NOTE_BYTES_MAX ? bytes : NOTE_BYTES_MAX + 1;
	if (note != NULL)
		memcpy(ret, note, *ret_bytes);
	ret[*ret_bytes] = '\0';
	sqlite3_finalize(row);
	return step == SQLITE_ROW || step == SQLITE_DONE;
}

// ------------------------------------------------------------------ rows

static bool bind(sqlite3_stmt *statement, int place, uint64_t value)
{
	return sqlite3_bind_int64(statement, place, value > INT64_MAX ? INT64_MAX : (sqlite3_int64)value) == SQLITE_OK;
}

static bool seek(struct log_database *base, uint64_t begin_index, uint64_t end)
{
	struct file *database = file_of(base);
	sqlite3_reset(database->rows);
	return bind(database->rows, 1, begin_index) && bind(database->rows, 2, end);
}

static struct log_bytes column(sqlite3_stmt *row, int number)
{
	static const uint8_t nothing[1];
	const uint8_t *data = sqlite3_column_blob(row, number);
	// SQLite gives NULL for what is empty too.
	if (data == NULL)
		return (struct log_bytes){sqlite3_column_type(row, number) == SQLITE_NULL ? NULL : nothing, 0};
	return (struct log_bytes){data, (size_t)sqlite3_column_bytes(row, number)};
}

static bool next(struct log_database *base, struct log_row *ret, bool *ret_found)
{
	struct file *database = file_of(base);
	sqlite3_stmt *row = database->rows;
	int step = sqlite3_step(row);
	*ret_found = step == SQLITE_ROW;
	if (!*ret_found) {
		sqlite3_reset(row);
		return step == SQLITE_DONE;
	}
	*ret = (struct log_row){.index = (uint64_t)sqlite3_column_int64(row, 0),
				.salt = column(row, 1),
				.record = column(row, 2),
				.nodes = column(row, 3),
				.time_ms = (uint64_t)sqlite3_column_int64(row, 4),
				.organisation = column(row, 5),
				.subject = column(row, 6),
				.person = column(row, 7)};
	return true;
}

static bool read_node(struct log_database *base, unsigned height, uint64_t number, struct merkle_hash *ret)
{
	struct file *database = file_of(base);
	uint64_t index = ((number + 1) << height) - 1;
	bool read = bind(database->nodes, 1, index) && sqlite3_step(database->nodes) == SQLITE_ROW;
	struct log_bytes nodes = read ? column(database->nodes, 0) : (struct log_bytes){0};
	read = read && nodes.bytes >= (height + 1) * sizeof *ret;
	if (read)
		memcpy(ret, nodes.data + height * sizeof *ret, sizeof *ret);
	sqlite3_reset(database->nodes);
	return read;
}

static const struct log_database_ops ops = {.again = open_again, .close = end, .detail = describe, .size = read_size, .note = read_note,
					    .seek = seek, .next = next, .node = read_node};
