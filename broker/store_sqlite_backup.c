// SQLite backend: the file as a whole. SQLite's backup interface copies pages; one read transaction around it makes them those of
// one moment, and beside a file in WAL mode a reader keeps no writer waiting.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/store_backup.h"
#include "broker/store_sqlite_priv.h"

#define PAGES_PER_STEP 512

static bool refuse(char detail[STORE_DETAIL_BYTES], const char *path, const char *what)
{
	snprintf(detail, STORE_DETAIL_BYTES, "%.100s: %.90s", path, what);
	return false;
}

// As it is, never made: only a file of ours, of this version.
static bool open_file(const char *path, const char *called, int flags, sqlite3 **ret, char detail[STORE_DETAIL_BYTES])
{
	char real[4096];
	bool empty = false;
	if (realpath(path, real) == NULL)
		return refuse(detail, called, strerror(errno));
	if (sqlite3_open_v2(real, ret, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW, NULL) != SQLITE_OK)
		return refuse(detail, called, sqlite3_errmsg(*ret));
	sqlite3_extended_result_codes(*ret, 1);
	sqlite3_busy_timeout(*ret, STORE_BUSY_TIMEOUT_MS);
	// The file may have been edited.
	if (sqlite3_exec(*ret, "PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY", NULL, NULL, NULL) != SQLITE_OK)
		return refuse(detail, called, sqlite3_errmsg(*ret));
	if (!sqlite_check_schema(*ret, called, &empty, detail))
		return false;
	return !empty || refuse(detail, called, "is empty");
}

// ------------------------------------------------------------------ the log

static bool read_text(sqlite3 *database, const char *sql, char *out, size_t out_bytes, uint64_t *ret_number)
{
	sqlite3_stmt *statement = NULL;
	bool read = sqlite3_prepare_v2(database, sql, -1, &statement, NULL) == SQLITE_OK;
	int step = read ? sqlite3_step(statement) : SQLITE_ERROR;
	const char *text = step == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0) : "";
	read = (step == SQLITE_ROW || step == SQLITE_DONE) && text != NULL && strlen(text) < out_bytes;
	if (read) {
		snprintf(out, out_bytes, "%s", text);
		if (ret_number != NULL)
			*ret_number = step == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(statement, 1) : 0;
	}
	sqlite3_finalize(statement);
	return read;
}

#define NOTE_SQL "SELECT note FROM checkpoint WHERE id = 1"
#define NEWEST_SQL "SELECT time_ms FROM audit WHERE idx = (SELECT max(idx) FROM audit)"

static bool read_newest(sqlite3 *database, uint64_t *ret_ms)
{
	char text[24];
	if (!read_text(database, NEWEST_SQL, text, sizeof text, NULL))
		return false;
	*ret_ms = strtoull(text, NULL, 10);
	return true;
}

// certs/merkle.h: which row has a node.
static bool fetch_node(void *context, unsigned height, uint64_t number, struct merkle_hash *ret)
{
	sqlite3_stmt *statement = context;
	sqlite3_reset(statement);
	if (sqlite3_bind_int64(statement, 1, (sqlite3_int64)(((number + 1) << height) - 1)) != SQLITE_OK ||
	    sqlite3_step(statement) != SQLITE_ROW)
		return false;
	const uint8_t *nodes = sqlite3_column_blob(statement, 0);
	size_t bytes = (size_t)sqlite3_column_bytes(statement, 0);
	if (nodes == NULL || bytes < (height + 1) * sizeof *ret)
		return false;
	memcpy(ret, nodes + height * sizeof *ret, sizeof *ret);
	return true;
}

// By the hashes that are stored with the last rows.
static bool read_log(sqlite3 *database, const char *path, struct store_log *ret, char detail[STORE_DETAIL_BYTES])
{
	sqlite3_stmt *nodes = NULL;
	struct merkle_tree tree;
	char text[24];
	if (!read_text(database, "SELECT coalesce(max(idx) + 1, 0) FROM audit", text, sizeof text, NULL) ||
	    !read_text(database, NOTE_SQL, ret->note, sizeof ret->note, NULL) || !read_newest(database, &ret->newest_ms))
		return refuse(detail, path, sqlite3_errmsg(database));
	ret->records = strtoull(text, NULL, 10);
	bool loaded = sqlite3_prepare_v2(database, "SELECT nodes FROM audit WHERE idx = ?1", -1, &nodes, NULL) == SQLITE_OK &&
		      merkle_tree_load(ret->records, fetch_node, nodes, &tree);
	sqlite3_finalize(nodes);
	if (!loaded)
		return refuse(detail, path, "the audit log's last rows cannot be read");
	merkle_root(&tree, &ret->root);
	return true;
}

static bool refuse_record(char detail[STORE_DETAIL_BYTES], const char *path, uint64_t index, const char *what)
{
	snprintf(detail, STORE_DETAIL_BYTES, "%.100s: audit record %llu %s", path, (unsigned long long)index, what);
	return false;
}

// A row's hashes must be what follows from its salt and record, and from the rows before.
static bool take_row(sqlite3_stmt *row, const char *path, struct merkle_tree *tree, char detail[STORE_DETAIL_BYTES])
{
	struct merkle_hash leaf, nodes[MERKLE_HEIGHT_MAX + 1];
	size_t count = 0;
	const void *salt = sqlite3_column_blob(row, 1), *record = sqlite3_column_blob(row, 2), *stored = sqlite3_column_blob(row, 3);
	if ((uint64_t)sqlite3_column_int64(row, 0) != tree->size)
		return refuse_record(detail, path, tree->size, "is missing");
	if (salt == NULL || record == NULL || sqlite3_column_bytes(row, 1) != SALT_BYTES)
		return refuse_record(detail, path, tree->size, "cannot be read");
	merkle_leaf(salt, record, (size_t)sqlite3_column_bytes(row, 2), &leaf);
	uint64_t index = tree->size;
	merkle_append(tree, &leaf, nodes, &count);
	if (stored == NULL || (size_t)sqlite3_column_bytes(row, 3) != count * sizeof nodes[0] ||
	    memcmp(stored, nodes, count * sizeof nodes[0]) != 0)
		return refuse_record(detail, path, index, "is not what was logged, or one before it is not");
	return true;
}

static bool derive_log(sqlite3 *database, const char *path, struct store_log *ret, char detail[STORE_DETAIL_BYTES])
{
	sqlite3_stmt *rows = NULL;
	struct merkle_tree tree = {0};
	int step = SQLITE_ERROR;
	bool good = true;
	if (sqlite3_prepare_v2(database, "SELECT idx, salt, record, nodes FROM audit ORDER BY idx", -1, &rows, NULL) == SQLITE_OK)
		while (good && (step = sqlite3_step(rows)) == SQLITE_ROW)
			good = take_row(rows, path, &tree, detail);
	if (good && step != SQLITE_DONE)
		good = refuse(detail, path, sqlite3_errmsg(database));
	sqlite3_finalize(rows);
	if (!good)
		return false;
	ret->records = tree.size;
	merkle_root(&tree, &ret->root);
	return (read_text(database, NOTE_SQL, ret->note, sizeof ret->note, NULL) && read_newest(database, &ret->newest_ms)) ||
	       refuse(detail, path, sqlite3_errmsg(database));
}

// ------------------------------------------------------------------ copying

// Little by little: whoever flushes a commit meanwhile would wait for all that lies before it in the disk's queue.
static int flush_database(sqlite3 *database)
{
	sqlite3_file *file = NULL;
	int status = sqlite3_file_control(database, "main", SQLITE_FCNTL_FILE_POINTER, &file);
	return status == SQLITE_OK && file->pMethods != NULL ? file->pMethods->xSync(file, SQLITE_SYNC_NORMAL) : status;
}

static bool copy_pages(sqlite3 *from, sqlite3 *to, const char *path, char detail[STORE_DETAIL_BYTES])
{
	sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
	int status = SQLITE_ERROR;
	if (backup != NULL) {
		do
			status = sqlite3_backup_step(backup, PAGES_PER_STEP);
		while (status == SQLITE_OK && (status = flush_database(to)) == SQLITE_OK);
		int finished = sqlite3_backup_finish(backup);
		if (status == SQLITE_DONE)
			status = finished == SQLITE_OK ? SQLITE_DONE : finished;
	}
	return status == SQLITE_DONE || refuse(detail, path, backup == NULL ? sqlite3_errmsg(to) : sqlite3_errstr(status));
}

static bool copy_into(sqlite3 *from, sqlite3 *to, const char *path, const char *to_path, struct store_log *ret,
		      char detail[STORE_DETAIL_BYTES])
{
	// No journal: what is cut short is removed. The moment begins with the first read.
	if (sqlite3_exec(to, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF", NULL, NULL, NULL) != SQLITE_OK)
		return refuse(detail, to_path, sqlite3_errmsg(to));
	if (sqlite3_exec(from, "BEGIN; SELECT count(*) FROM checkpoint", NULL, NULL, NULL) != SQLITE_OK)
		return refuse(detail, path, sqlite3_errmsg(from));
	// One file by itself, until a broker opens it: a reader would leave a write-ahead log beside it.
	return copy_pages(from, to, to_path, detail) && read_log(to, to_path, ret, detail) &&
	       (sqlite3_exec(to, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL) == SQLITE_OK ||
		refuse(detail, to_path, sqlite3_errmsg(to)));
}

static bool flush_file(const char *path, char detail[STORE_DETAIL_BYTES])
{
	int file = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	bool flushed = file >= 0 && fsync(file) == 0;
	int error = errno;
	if (file >= 0)
		close(file);
	return flushed || refuse(detail, path, strerror(error));
}

static bool make_empty(const char *path, char detail[STORE_DETAIL_BYTES])
{
	int file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (file < 0)
		return refuse(detail, path, strerror(errno));
	close(file);
	return true;
}

static void remove_copy(const char *path)
{
	static const char *const endings[] = {"", "-wal", "-shm", "-journal"};
	char whole[4200];
	for (unsigned i = 0; i < sizeof endings / sizeof endings[0]; i++) {
		snprintf(whole, sizeof whole, "%s%s", path, endings[i]);
		unlink(whole);
	}
}

bool store_sqlite_backup(const char *path, const char *to, struct store_log *ret, char detail[STORE_DETAIL_BYTES])
{
	sqlite3 *source = NULL, *copy = NULL;
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
	if (!make_empty(to, detail))
		return false;
	bool done = open_file(path, path, SQLITE_OPEN_READONLY, &source, detail);
	if (done && sqlite3_open_v2(to, &copy, flags, NULL) != SQLITE_OK)
		done = refuse(detail, to, sqlite3_errmsg(copy));
	done = done && copy_into(source, copy, path, to, ret, detail);
	if (sqlite3_close(copy) != SQLITE_OK && done)
		done = refuse(detail, to, "cannot be closed");
	sqlite3_close(source);
	done = done && flush_file(to, detail);
	if (!done)
		remove_copy(to);
	return done;
}

// ------------------------------------------------------------------ checking, and what was lost

static bool check_pages(sqlite3 *database, const char *path, char detail[STORE_DETAIL_BYTES])
{
	char answer[STORE_DETAIL_BYTES];
	sqlite3_stmt *statement = NULL;
	int step = sqlite3_prepare_v2(database, "PRAGMA integrity_check(1)", -1, &statement, NULL) == SQLITE_OK
			   ? sqlite3_step(statement)
			   : SQLITE_ERROR;
	const char *text = step == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0) : NULL;
	snprintf(answer, sizeof answer, "is damaged: %.70s", text != NULL ? text : sqlite3_errmsg(database));
	bool whole = text != NULL && strcmp(text, "ok") == 0;
	sqlite3_finalize(statement);
	return whole || refuse(detail, path, answer);
}

bool store_sqlite_verify(const char *path, const char *called, struct store_log *ret, char detail[STORE_DETAIL_BYTES])
{
	sqlite3 *database = NULL;
	bool good = open_file(path, called, SQLITE_OPEN_READWRITE, &database, detail) && check_pages(database, called, detail) &&
		    derive_log(database, called, ret, detail);
	sqlite3_close(database);
	return good;
}

bool store_sqlite_succeed(const char *path, const char *note, char detail[STORE_DETAIL_BYTES])
{
	sqlite3 *database = NULL;
	sqlite3_stmt *statement = NULL;
	bool done = open_file(path, path, SQLITE_OPEN_READWRITE, &database, detail);
	if (done && (sqlite3_exec(database, "BEGIN IMMEDIATE; DELETE FROM heard; DELETE FROM cosigned", NULL, NULL, NULL) != SQLITE_OK ||
		     sqlite3_prepare_v2(database, "INSERT OR REPLACE INTO checkpoint (id, note) VALUES (1, ?1)", -1, &statement,
					NULL) != SQLITE_OK ||
		     sqlite3_bind_text(statement, 1, note, -1, SQLITE_STATIC) != SQLITE_OK ||
		     sqlite3_step(statement) != SQLITE_DONE || sqlite3_exec(database, "COMMIT", NULL, NULL, NULL) != SQLITE_OK))
		done = refuse(detail, path, sqlite3_errmsg(database));
	sqlite3_finalize(statement);
	sqlite3_close(database);
	return done;
}

static bool tell_publications(sqlite3 *database, store_tell_publication *tell, void *context)
{
	sqlite3_stmt *rows = NULL;
	int step = SQLITE_ERROR;
	if (sqlite3_prepare_v2(database,
			       "SELECT organisation, last_published_ms FROM authority WHERE last_published_ms > 0 ORDER BY organisation",
			       -1, &rows, NULL) == SQLITE_OK)
		while ((step = sqlite3_step(rows)) == SQLITE_ROW)
			tell(context, (const char *)sqlite3_column_text(rows, 0), (uint64_t)sqlite3_column_int64(rows, 1));
	sqlite3_finalize(rows);
	return step == SQLITE_DONE;
}

bool store_sqlite_gap(const char *path, struct store_gap *ret, store_tell_publication *tell, void *context,
		      char detail[STORE_DETAIL_BYTES])
{
	sqlite3 *database = NULL;
	// One moment, should a broker be at work.
	bool good = open_file(path, path, SQLITE_OPEN_READONLY, &database, detail) &&
		    (sqlite3_exec(database, "BEGIN", NULL, NULL, NULL) == SQLITE_OK ||
		     refuse(detail, path, sqlite3_errmsg(database))) &&
		    read_log(database, path, &ret->log, detail);
	if (good && (!read_text(database, "SELECT note, time_ms FROM cosigned WHERE which = 3", ret->restored_note,
				sizeof ret->restored_note, &ret->restored_ms) ||
		     !read_text(database, "SELECT note FROM heard WHERE fits = 0 ORDER BY size DESC, id LIMIT 1", ret->heard_note,
				sizeof ret->heard_note, NULL) ||
		     !read_text(database,
				"SELECT organisation || '/' || system FROM heard WHERE fits = 0 ORDER BY size DESC, id LIMIT 1",
				ret->heard_of, sizeof ret->heard_of, NULL) ||
		     !tell_publications(database, tell, context)))
		good = refuse(detail, path, sqlite3_errmsg(database));
	sqlite3_close(database);
	ret->was_restored = good && ret->restored_note[0] != '\0';
	ret->was_heard = good && ret->heard_note[0] != '\0';
	return good;
}
