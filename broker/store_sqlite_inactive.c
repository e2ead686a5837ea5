// SQLite backend: NHS numbers that are not in use.
#include "broker/store_sqlite_priv.h"

enum store_status sqlite_inactive_put(struct store *base, const struct store_inactive *inactive)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_INACTIVE_PUT];
	int bound = sqlite_bind_tag(statement, 1, &inactive->subject) |
		    sqlite_bind_bytes(statement, 2, inactive->sealed.data, inactive->sealed.bytes);
	return sqlite_run(store, statement, bound, "inactive_put");
}

static bool read_inactive(sqlite3_stmt *statement, struct arena *arena, void *row)
{
	struct store_inactive *inactive = row;
	return sqlite_column_tag(statement, 0, &inactive->subject) &&
	       sqlite_column_blob(statement, 1, arena, &inactive->sealed);
}

enum store_status sqlite_inactive_get(struct store *base, const struct store_tag *subject, struct arena *arena,
				      struct store_inactive *ret)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_INACTIVE_GET];
	return sqlite_get(store, statement, sqlite_bind_tag(statement, 1, subject), read_inactive, sizeof *ret, arena, ret,
			  "inactive_get");
}

enum store_status sqlite_inactive_delete(struct store *base, const struct store_tag *subject)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_INACTIVE_DELETE];
	enum store_status status = sqlite_run(store, statement, sqlite_bind_tag(statement, 1, subject), "inactive_delete");
	if (status == STORE_OK && sqlite3_changes(store->database) == 0)
		return STORE_NOT_FOUND;
	return status;
}
