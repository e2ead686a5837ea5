// SQLite backend: a store that is moved into another one. It is read as any reader reads beside a broker. The mark is in the file,
// so that it goes wherever the file is copied to, and is the application's number, so that programs which know nothing of moving
// refuse the file too.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/store_sqlite_move.h"
#include "broker/store_sqlite_priv.h"

#define SQL_BYTES 1024

struct sqlite_move {
	sqlite3 *database;
	sqlite3_stmt *rows, *nodes;
	const struct move_table *table; // that `rows` walks along
	char path[200];
};

static bool refuse(const struct sqlite_move *move, char detail[STORE_DETAIL_BYTES], const char *what)
{
	snprintf(detail, STORE_DETAIL_BYTES, "%.100s: %.250s", move->path, what);
	return false;
}

static bool fail(const struct sqlite_move *move, char detail[STORE_DETAIL_BYTES])
{
	char trouble[SQLITE_TROUBLE_BYTES];
	sqlite_trouble(move->database, false, trouble);
	return refuse(move, detail, trouble);
}

static bool open_as(struct sqlite_move *move, const char *path, int flags, char detail[STORE_DETAIL_BYTES])
{
	char real[4096];
	bool empty = false;
	snprintf(move->path, sizeof move->path, "%.190s", path);
	if (realpath(path, real) == NULL)
		return refuse(move, detail, strerror(errno));
	if (sqlite3_open_v2(real, &move->database, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW, NULL) != SQLITE_OK)
		return fail(move, detail);
	sqlite3_extended_result_codes(move->database, 1);
	sqlite3_busy_timeout(move->database, STORE_BUSY_TIMEOUT_MS);
	// The file may have been edited.
	if (sqlite3_exec(move->database, "PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY; PRAGMA synchronous = FULL", NULL, NULL,
			 NULL) != SQLITE_OK)
		return fail(move, detail);
	if (!sqlite_check_version(move->database, path, true, &empty, detail))
		return false;
	return !empty || refuse(move, detail, "is empty");
}

bool sqlite_move_open(const char *path, struct sqlite_move **ret, char detail[STORE_DETAIL_BYTES])
{
	struct sqlite_move *move = calloc(1, sizeof *move);
	if (move == NULL) {
		snprintf(detail, STORE_DETAIL_BYTES, "out of memory");
		return false;
	}
	if (!open_as(move, path, SQLITE_OPEN_READONLY, detail)) {
		sqlite_move_close(move);
		return false;
	}
	*ret = move;
	return true;
}

void sqlite_move_close(struct sqlite_move *move)
{
	if (move == NULL)
		return;
	sqlite3_finalize(move->rows);
	sqlite3_finalize(move->nodes);
	sqlite3_close(move->database);
	free(move);
}

bool sqlite_move_begin_moment(struct sqlite_move *move, char detail[STORE_DETAIL_BYTES])
{
	return sqlite3_exec(move->database, "BEGIN; SELECT count(*) FROM checkpoint", NULL, NULL, NULL) == SQLITE_OK ||
	       fail(move, detail);
}

void sqlite_move_end_moment(struct sqlite_move *move)
{
	sqlite3_finalize(move->rows);
	move->rows = NULL;
	(void)sqlite3_exec(move->database, "ROLLBACK", NULL, NULL, NULL); // read only: there is nothing to lose
}

// ------------------------------------------------------------------ what stands in it

// The first row's two columns; as they were when there is none.
static bool read_two(struct sqlite_move *move, const char *sql, uint64_t *ret_number, char *ret_text, size_t text_bytes)
{
	sqlite3_stmt *statement = NULL;
	int step = sqlite3_prepare_v2(move->database, sql, -1, &statement, NULL) == SQLITE_OK ? sqlite3_step(statement) : SQLITE_ERROR;
	if (step == SQLITE_ROW) {
		const char *text = (const char *)sqlite3_column_text(statement, 1);
		*ret_number = (uint64_t)sqlite3_column_int64(statement, 0);
		if (ret_text != NULL && text != NULL && strlen(text) < text_bytes)
			snprintf(ret_text, text_bytes, "%s", text);
	}
	sqlite3_finalize(statement);
	return step == SQLITE_ROW || step == SQLITE_DONE;
}

bool sqlite_move_look(struct sqlite_move *move, struct sqlite_move_state *ret, char detail[STORE_DETAIL_BYTES])
{
	uint64_t marked = 0, one = 0, done = 0;
	*ret = (struct sqlite_move_state){0};
	if (!read_two(move, "SELECT count(*), '' FROM sqlite_master WHERE name = 'moved'", &marked, NULL, 0) ||
	    (marked != 0 && !read_two(move, "SELECT done, target FROM moved WHERE id = 1", &done, ret->identity, sizeof ret->identity)) ||
	    !read_two(move, "SELECT coalesce(max(idx) + 1, 0), '' FROM audit", &ret->records, NULL, 0) ||
	    !read_two(move, "SELECT coalesce(max(seq), 0), '' FROM sqlite_sequence WHERE name = 'heard'", &ret->heard_id, NULL, 0) ||
	    !read_two(move, "SELECT id, note FROM checkpoint", &one, ret->note, sizeof ret->note))
		return fail(move, detail);
	if (marked != 0)
		ret->mark = done != 0 ? SQLITE_MOVE_DONE : SQLITE_MOVE_BEGUN;
	return true;
}

bool sqlite_move_count(struct sqlite_move *move, const struct move_table *table, uint64_t *ret, char detail[STORE_DETAIL_BYTES])
{
	char sql[SQL_BYTES];
	snprintf(sql, sizeof sql, "SELECT count(*), '' FROM \"%s\" NOT INDEXED", table->name);
	return read_two(move, sql, ret, NULL, 0) || fail(move, detail);
}

bool sqlite_move_node(void *context, unsigned height, uint64_t number, struct merkle_hash *ret)
{
	struct sqlite_move *move = context;
	if (move->nodes == NULL &&
	    sqlite3_prepare_v2(move->database, "SELECT nodes FROM audit WHERE idx = ?1", -1, &move->nodes, NULL) != SQLITE_OK)
		return false;
	bool found = sqlite3_bind_int64(move->nodes, 1, (sqlite3_int64)(((number + 1) << height) - 1)) == SQLITE_OK &&
		     sqlite3_step(move->nodes) == SQLITE_ROW;
	const uint8_t *nodes = found ? sqlite3_column_blob(move->nodes, 0) : NULL;
	found = nodes != NULL && (size_t)sqlite3_column_bytes(move->nodes, 0) >= (height + 1) * sizeof *ret;
	if (found)
		memcpy(ret, nodes + height * sizeof *ret, sizeof *ret);
	// A statement that is not over is a reader of the file, beside which it cannot be marked.
	sqlite3_reset(move->nodes);
	return found;
}

// ------------------------------------------------------------------ rows

bool sqlite_move_walk(struct sqlite_move *move, const struct move_table *table, uint64_t from, uint64_t until,
		      char detail[STORE_DETAIL_BYTES])
{
	char sql[SQL_BYTES], columns[SQL_BYTES / 2], keys[100];
	bool is_log = table == &move_audit;
	if (!move_table_list(table, 0, table->column_count, "", columns, sizeof columns) ||
	    !move_table_list(table, 0, table->key_count, "", keys, sizeof keys))
		return refuse(move, detail, "has more columns than this program knows");
	snprintf(sql, sizeof sql, "SELECT %s FROM \"%s\"%s ORDER BY %s", columns, table->name,
		 is_log ? " WHERE idx >= ?1 AND idx < ?2" : "", keys);
	sqlite3_finalize(move->rows);
	move->rows = NULL;
	move->table = table;
	if (sqlite3_prepare_v2(move->database, sql, -1, &move->rows, NULL) != SQLITE_OK ||
	    (is_log && (sqlite3_bind_int64(move->rows, 1, (sqlite3_int64)from) != SQLITE_OK ||
			sqlite3_bind_int64(move->rows, 2, (sqlite3_int64)until) != SQLITE_OK)))
		return fail(move, detail);
	return true;
}

// The tables are STRICT, so a value of another type is damage.
static bool add_column(sqlite3_stmt *rows, int column, enum move_kind kind, struct move_row *row)
{
	static const int types[] = {[MOVE_NUMBER] = SQLITE_INTEGER, [MOVE_BOOLEAN] = SQLITE_INTEGER, [MOVE_BYTES] = SQLITE_BLOB,
				    [MOVE_TEXT] = SQLITE_TEXT};
	int type = sqlite3_column_type(rows, column);
	if (kind == MOVE_BYTES && type == SQLITE_NULL)
		return move_row_null(row);
	if (type != types[kind])
		return false;
	if (kind == MOVE_NUMBER)
		return move_row_number(row, sqlite3_column_int64(rows, column));
	if (kind == MOVE_BOOLEAN)
		return move_row_boolean(row, sqlite3_column_int64(rows, column) != 0);
	const void *data = kind == MOVE_TEXT ? (const void *)sqlite3_column_text(rows, column) : sqlite3_column_blob(rows, column);
	int bytes = sqlite3_column_bytes(rows, column);
	return (data != NULL || bytes == 0) && move_row_bytes(row, data, (size_t)bytes);
}

bool sqlite_move_next(struct sqlite_move *move, struct move_row *row, bool *ret_end, char detail[STORE_DETAIL_BYTES])
{
	char what[120];
	int step = sqlite3_step(move->rows);
	*ret_end = step == SQLITE_DONE;
	if (step != SQLITE_DONE && step != SQLITE_ROW)
		return fail(move, detail);
	bool good = step == SQLITE_DONE || move_row_begin(row, move->table->column_count);
	for (unsigned i = 0; step == SQLITE_ROW && good && i < move->table->column_count; i++)
		good = add_column(move->rows, (int)i, move->table->columns[i].kind, row);
	if (step == SQLITE_DONE) {
		sqlite3_finalize(move->rows);
		move->rows = NULL;
	}
	if (good && (step == SQLITE_DONE || move_row_is_of(move->table, row)))
		return true;
	snprintf(what, sizeof what, "a row of %s cannot be read; the file is damaged: keep it, and put a backup in its place",
		 move->table->name);
	return refuse(move, detail, what);
}

// ------------------------------------------------------------------ the mark

static bool write_mark(struct sqlite_move *move, enum sqlite_move_mark mark, const char *identity)
{
	char sql[SQL_BYTES];
	// Texts of ours and PostgreSQL's numbers: nothing to quote.
	snprintf(sql, sizeof sql,
		 "BEGIN IMMEDIATE;"
		 "CREATE TABLE IF NOT EXISTS moved (id INTEGER PRIMARY KEY CHECK (id = 1), done INTEGER NOT NULL, target TEXT NOT NULL) STRICT;"
		 "INSERT OR REPLACE INTO moved (id, done, target) VALUES (1, %d, '%s');"
		 "PRAGMA application_id = %d; COMMIT",
		 mark == SQLITE_MOVE_DONE, identity, SQLITE_MOVED_ID);
	return sqlite3_exec(move->database, sql, NULL, NULL, NULL) == SQLITE_OK;
}

bool sqlite_move_mark(const char *path, enum sqlite_move_mark mark, const char *identity, char detail[STORE_DETAIL_BYTES])
{
	struct sqlite_move move = {0};
	int left = -1, written = -1;
	bool marked = open_as(&move, path, SQLITE_OPEN_READWRITE, detail);
	if (marked && strspn(identity, "0123456789/") != strlen(identity))
		marked = refuse(&move, detail, "cannot be marked");
	if (marked && !write_mark(&move, mark, identity))
		marked = fail(&move, detail);
	// Into the file itself: a write-ahead log may be left behind where the file is taken.
	if (marked && (sqlite3_wal_checkpoint_v2(move.database, NULL, SQLITE_CHECKPOINT_TRUNCATE, &left, &written) != SQLITE_OK ||
		       left > 0))
		marked = fail(&move, detail);
	if (sqlite3_close(move.database) != SQLITE_OK && marked)
		marked = refuse(&move, detail, "cannot be closed");
	return marked;
}
