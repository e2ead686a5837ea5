// SQLite backend: checkpoints that systems handed in, and those that witnesses cosign.
#include <stdio.h>

#include "broker/store_sqlite_priv.h"

static bool read_note(sqlite3_stmt *statement, int column, struct arena *arena, const char **ret)
{
	const char *text = (const char *)sqlite3_column_text(statement, column);
	int bytes = sqlite3_column_bytes(statement, column);
	*ret = text == NULL || bytes < 0 ? NULL : arena_copy_text(arena, text, (size_t)bytes);
	return *ret != NULL;
}

// ------------------------------------------------------------------ handed in

enum store_status sqlite_heard_put(struct store *base, const struct store_heard *row)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_HEARD_PUT];
	int bound = sqlite_bind_ods(statement, 1, &row->organisation) |
		    sqlite3_bind_text(statement, 2, row->system_name, -1, SQLITE_STATIC) |
		    sqlite_bind_u64(statement, 3, row->fits) | sqlite_bind_u64(statement, 4, row->size) |
		    sqlite_bind_u64(statement, 5, row->received_ms) |
		    sqlite3_bind_text(statement, 6, row->note, -1, SQLITE_STATIC);
	return sqlite_run(store, statement, bound, "heard_put");
}

static bool read_heard(sqlite3_stmt *statement, struct arena *arena, void *to)
{
	struct store_heard *row = to;
	const char *name = (const char *)sqlite3_column_text(statement, 2);
	int bytes = sqlite3_column_bytes(statement, 2);
	if (name == NULL || bytes < 0 || (size_t)bytes >= sizeof row->system_name)
		return false;
	snprintf(row->system_name, sizeof row->system_name, "%s", name);
	row->fits = sqlite3_column_int(statement, 3) != 0;
	return sqlite_column_u64(statement, 0, &row->id) && sqlite_column_ods(statement, 1, &row->organisation) &&
	       sqlite_column_u64(statement, 4, &row->size) && sqlite_column_u64(statement, 5, &row->received_ms) &&
	       read_note(statement, 6, arena, &row->note);
}

enum store_status sqlite_heard_after(struct store *base, uint64_t after, size_t max, struct arena *arena,
				     struct store_heard **ret, size_t *ret_count)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_HEARD_AFTER];
	// Whatever somebody asks to go on from: nothing comes after what no row can have.
	int bound = sqlite_bind_u64(statement, 1, after > INT64_MAX ? INT64_MAX : after) | sqlite_bind_u64(statement, 2, max);
	void *rows = NULL;
	enum store_status status = sqlite_list(store, statement, bound, read_heard, sizeof **ret, arena, &rows, ret_count,
					       "heard_after");
	if (status == STORE_OK)
		*ret = rows;
	return status;
}

enum store_status sqlite_heard_largest(struct store *base, struct arena *arena, struct store_heard *ret)
{
	struct sqlite_store *store = sqlite_store_of(base);
	return sqlite_get(store, store->statements[STATEMENT_HEARD_LARGEST], SQLITE_OK, read_heard, sizeof *ret, arena, ret,
			  "heard_largest");
}

enum store_status sqlite_heard_expire(struct store *base, size_t keep)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_HEARD_EXPIRE];
	return sqlite_run(store, statement, sqlite_bind_u64(statement, 1, keep), "heard_expire");
}

// ------------------------------------------------------------------ cosigned

enum store_status sqlite_cosigned_put(struct store *base, enum store_cosigned_which which, const struct store_cosigned *row)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_COSIGNED_PUT];
	int bound = sqlite_bind_u64(statement, 1, which) | sqlite_bind_u64(statement, 2, row->time_ms) |
		    sqlite3_bind_text(statement, 3, row->note, -1, SQLITE_STATIC);
	return sqlite_run(store, statement, bound, "cosigned_put");
}

static bool read_cosigned(sqlite3_stmt *statement, struct arena *arena, void *to)
{
	struct store_cosigned *row = to;
	return sqlite_column_u64(statement, 0, &row->time_ms) && read_note(statement, 1, arena, &row->note);
}

enum store_status sqlite_cosigned_get(struct store *base, enum store_cosigned_which which, struct arena *arena,
				      struct store_cosigned *ret)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_COSIGNED_GET];
	return sqlite_get(store, statement, sqlite_bind_u64(statement, 1, which), read_cosigned, sizeof *ret, arena, ret,
			  "cosigned_get");
}
