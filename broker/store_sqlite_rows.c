// SQLite backend: how statements are run, and the rows about looks and requests.
#include <string.h>

#include "broker/store_sqlite_priv.h"
#include "proto/invariant.h"

// ------------------------------------------------------------------ binding and reading

int sqlite_bind_u64(sqlite3_stmt *statement, int place, uint64_t value)
{
	return value > INT64_MAX ? SQLITE_RANGE : sqlite3_bind_int64(statement, place, (sqlite3_int64)value);
}

int sqlite_bind_bytes(sqlite3_stmt *statement, int place, const void *data, size_t bytes)
{
	// A null pointer would become SQL's NULL.
	return sqlite3_bind_blob64(statement, place, bytes == 0 ? "" : data, bytes, SQLITE_STATIC);
}

int sqlite_bind_tag(sqlite3_stmt *statement, int place, const struct store_tag *tag)
{
	return tag == NULL ? sqlite3_bind_null(statement, place)
			   : sqlite_bind_bytes(statement, place, tag->bytes, sizeof tag->bytes);
}

int sqlite_bind_ods(sqlite3_stmt *statement, int place, const struct ods_code *code)
{
	return sqlite3_bind_text(statement, place, code->text, -1, SQLITE_STATIC);
}

bool sqlite_column_u64(sqlite3_stmt *statement, int column, uint64_t *ret)
{
	sqlite3_int64 value = sqlite3_column_int64(statement, column);
	if (value < 0)
		return false;
	*ret = (uint64_t)value;
	return true;
}

bool sqlite_column_tag(sqlite3_stmt *statement, int column, struct store_tag *ret)
{
	const void *data = sqlite3_column_blob(statement, column);
	if (data == NULL || sqlite3_column_bytes(statement, column) != TAG_BYTES)
		return false;
	memcpy(ret->bytes, data, TAG_BYTES);
	return true;
}

bool sqlite_column_ods(sqlite3_stmt *statement, int column, struct ods_code *ret)
{
	const unsigned char *text = sqlite3_column_text(statement, column);
	int bytes = sqlite3_column_bytes(statement, column);
	return text != NULL && bytes >= 0 && ods_code_parse((const char *)text, (size_t)bytes, ret);
}

bool sqlite_column_blob(sqlite3_stmt *statement, int column, struct arena *arena, struct store_blob *ret)
{
	const void *data = sqlite3_column_blob(statement, column);
	int bytes = sqlite3_column_bytes(statement, column);
	ret->data = NULL;
	ret->bytes = bytes < 0 ? 0 : (size_t)bytes;
	if (ret->bytes == 0)
		return true;
	ret->data = data == NULL ? NULL : arena_copy(arena, data, ret->bytes);
	return ret->data != NULL;
}

bool sqlite_read_u64(sqlite3_stmt *statement, struct arena *arena, void *row)
{
	(void)arena;
	return sqlite_column_u64(statement, 0, row);
}

// ------------------------------------------------------------------ running

static void finish(sqlite3_stmt *statement)
{
	sqlite3_reset(statement);
	// What was bound belonged to the caller.
	sqlite3_clear_bindings(statement);
}

// SQLite knows nothing of a statement that was never run.
static enum store_status fail_and_finish(struct sqlite_store *store, sqlite3_stmt *statement, int bound,
					 const char *what)
{
	enum store_status status = STORE_FAILED;
	// That an earlier call of the batch failed has been said.
	if (!store->poisoned)
		status = sqlite_store_fail(store, what, bound != SQLITE_OK ? "a value is out of the store's range" : NULL);
	finish(statement);
	return status;
}

// A row that could not be read: because it does not fit, which the caller can live with, or because it is not ours.
static enum store_status unreadable(struct sqlite_store *store, sqlite3_stmt *statement, const struct arena *arena,
				    const char *what)
{
	finish(statement);
	if (arena != NULL && arena->overflowed)
		return STORE_NO_MEMORY;
	return sqlite_store_fail(store, what, "a row is not what this program writes");
}

enum store_status sqlite_run(struct sqlite_store *store, sqlite3_stmt *statement, int bound, const char *what)
{
	INVARIANT(store->begun);
	if (store->poisoned || bound != SQLITE_OK || sqlite3_step(statement) != SQLITE_DONE)
		return fail_and_finish(store, statement, bound, what);
	finish(statement);
	return STORE_OK;
}

enum store_status sqlite_get(struct sqlite_store *store, sqlite3_stmt *statement, int bound, sqlite_read_row *read,
			     size_t row_bytes, struct arena *arena, void *ret, const char *what)
{
	struct store_audit room; // the largest of all rows
	INVARIANT(row_bytes <= sizeof room);
	int step = store->poisoned || bound != SQLITE_OK ? SQLITE_ERROR : sqlite3_step(statement);
	if (step == SQLITE_DONE) {
		finish(statement);
		return STORE_NOT_FOUND;
	}
	if (step != SQLITE_ROW)
		return fail_and_finish(store, statement, bound, what);
	if (!read(statement, arena, &room))
		return unreadable(store, statement, arena, what);
	finish(statement);
	memcpy(ret, &room, row_bytes);
	return STORE_OK;
}

// How many rows come is not known before; an array that is full is copied to one twice as large.
static void *grow(struct arena *arena, void *rows, size_t count, size_t *capacity, size_t row_bytes)
{
	size_t wanted = *capacity == 0 ? 8 : 2 * *capacity;
	void *larger = arena_alloc(arena, wanted * row_bytes);
	if (larger != NULL && count > 0)
		memcpy(larger, rows, count * row_bytes);
	*capacity = wanted;
	return larger;
}

enum store_status sqlite_list(struct sqlite_store *store, sqlite3_stmt *statement, int bound, sqlite_read_row *read,
			      size_t row_bytes, struct arena *arena, void **ret, size_t *ret_count, const char *what)
{
	uint8_t *rows = NULL;
	size_t count = 0, capacity = 0;
	int step = store->poisoned || bound != SQLITE_OK ? SQLITE_ERROR : sqlite3_step(statement);
	for (; step == SQLITE_ROW; step = sqlite3_step(statement)) {
		if (count == capacity)
			rows = grow(arena, rows, count, &capacity, row_bytes);
		if (rows == NULL || !read(statement, arena, rows + count * row_bytes))
			return unreadable(store, statement, arena, what);
		count++;
	}
	if (step != SQLITE_DONE)
		return fail_and_finish(store, statement, bound, what);
	finish(statement);
	*ret = rows;
	*ret_count = count;
	return STORE_OK;
}

// ------------------------------------------------------------------ accesses

enum store_status sqlite_access_put(struct store *base, const struct store_access *access)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_ACCESS_PUT];
	int bound = sqlite_bind_tag(statement, 1, &access->subject) |
		    sqlite_bind_u64(statement, 2, access->audit_index) | sqlite_bind_u64(statement, 3, access->silent) |
		    sqlite_bind_bytes(statement, 4, access->sealed.data, access->sealed.bytes);
	return sqlite_run(store, statement, bound, "access_put");
}

enum store_status sqlite_access_delete(struct store *base, const struct store_tag *subject, uint64_t audit_index)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_ACCESS_DELETE];
	enum store_status status = sqlite_run(
		store, statement, sqlite_bind_tag(statement, 1, subject) | sqlite_bind_u64(statement, 2, audit_index), "access_delete");
	if (status == STORE_OK && sqlite3_changes(store->database) == 0)
		return STORE_NOT_FOUND;
	return status;
}

static bool read_access(sqlite3_stmt *statement, struct arena *arena, void *row)
{
	struct store_access *access = row;
	access->silent = sqlite3_column_int(statement, 2) != 0;
	return sqlite_column_tag(statement, 0, &access->subject) &&
	       sqlite_column_u64(statement, 1, &access->audit_index) &&
	       sqlite_column_blob(statement, 3, arena, &access->sealed);
}

enum store_status sqlite_accesses_of(struct store *base, const struct store_tag *subject, bool with_silent,
				     uint64_t before_index, size_t max, struct arena *arena, struct store_access **ret,
				     size_t *ret_count)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_ACCESSES_OF];
	void *rows = NULL;
	int bound = sqlite_bind_tag(statement, 1, subject) | sqlite_bind_u64(statement, 2, with_silent) |
		    sqlite_bind_u64(statement, 3, before_index == 0 ? INT64_MAX : before_index) |
		    sqlite_bind_u64(statement, 4, max);
	enum store_status status = sqlite_list(store, statement, bound, read_access, sizeof **ret, arena, &rows,
					       ret_count, "accesses_of");
	if (status == STORE_OK)
		*ret = rows;
	return status;
}

// ------------------------------------------------------------------ requests

enum store_status sqlite_request_put(struct store *base, const struct store_request *request)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_REQUEST_PUT];
	int bound = sqlite_bind_tag(statement, 1, &request->key) |
		    sqlite_bind_bytes(statement, 2, request->digest, sizeof request->digest) |
		    sqlite_bind_u64(statement, 3, request->expires_ms) |
		    sqlite_bind_bytes(statement, 4, request->sealed.data, request->sealed.bytes);
	return sqlite_run(store, statement, bound, "request_put");
}

static bool read_request(sqlite3_stmt *statement, struct arena *arena, void *row)
{
	struct store_request *request = row;
	const void *digest = sqlite3_column_blob(statement, 1);
	if (digest == NULL || sqlite3_column_bytes(statement, 1) != HASH_BYTES)
		return false;
	memcpy(request->digest, digest, HASH_BYTES);
	return sqlite_column_tag(statement, 0, &request->key) &&
	       sqlite_column_u64(statement, 2, &request->expires_ms) &&
	       sqlite_column_blob(statement, 3, arena, &request->sealed);
}

enum store_status sqlite_request_get(struct store *base, const struct store_tag *key, uint64_t now_ms, struct arena *arena,
				     struct store_request *ret)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_REQUEST_GET];
	int bound = sqlite_bind_tag(statement, 1, key) | sqlite_bind_u64(statement, 2, now_ms);
	return sqlite_get(store, statement, bound, read_request, sizeof *ret, arena, ret, "request_get");
}

_Static_assert(STORE_EXPIRE_MAX == 1100, "the statement has the same number");

// Each batch asks, and for most of them there is nothing to do: that is found out for a tenth of what removing nothing costs.
enum store_status sqlite_request_expire(struct store *base, uint64_t now_ms)
{
	struct sqlite_store *store = sqlite_store_of(base);
	uint64_t expired_ms;
	sqlite3_stmt *statement = store->statements[STATEMENT_REQUEST_EXPIRED];
	enum store_status status = sqlite_get(store, statement, sqlite_bind_u64(statement, 1, now_ms), sqlite_read_u64,
					      sizeof expired_ms, NULL, &expired_ms, "request_expire");
	if (status != STORE_OK)
		return status == STORE_NOT_FOUND ? STORE_OK : status;
	statement = store->statements[STATEMENT_REQUEST_EXPIRE];
	return sqlite_run(store, statement, sqlite_bind_u64(statement, 1, now_ms), "request_expire");
}
