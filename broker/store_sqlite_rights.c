// SQLite backend: what is held back, the role profiles granted over the broker, and the policy put in force over it.
#include "broker/store_sqlite_priv.h"

// ------------------------------------------------------------------ quarantine

enum store_status sqlite_quarantine_put(struct store *base, const struct store_quarantine *entry)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_QUARANTINE_PUT];
	int bound = sqlite_bind_tag(statement, 1, &entry->target) | sqlite_bind_u64(statement, 2, entry->since_ms) |
		    sqlite_bind_bytes(statement, 3, entry->sealed.data, entry->sealed.bytes);
	return sqlite_run(store, statement, bound, "quarantine_put");
}

enum store_status sqlite_quarantine_delete(struct store *base, const struct store_tag *target)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_QUARANTINE_DELETE];
	enum store_status status =
		sqlite_run(store, statement, sqlite_bind_tag(statement, 1, target), "quarantine_delete");
	if (status == STORE_OK && sqlite3_changes(store->database) == 0)
		return STORE_NOT_FOUND;
	return status;
}

static bool read_quarantine(sqlite3_stmt *statement, struct arena *arena, void *row)
{
	struct store_quarantine *entry = row;
	return sqlite_column_tag(statement, 0, &entry->target) && sqlite_column_u64(statement, 1, &entry->since_ms) &&
	       sqlite_column_blob(statement, 2, arena, &entry->sealed);
}

enum store_status sqlite_quarantine_all(struct store *base, size_t max, struct arena *arena,
					struct store_quarantine **ret, size_t *ret_count)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_QUARANTINE_ALL];
	void *rows = NULL;
	enum store_status status = sqlite_list(store, statement, sqlite_bind_u64(statement, 1, max), read_quarantine,
					       sizeof **ret, arena, &rows, ret_count, "quarantine_all");
	if (status == STORE_OK)
		*ret = rows;
	return status;
}

// ------------------------------------------------------------------ role profiles

enum store_status sqlite_role_put(struct store *base, const struct store_role *role)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_ROLE_PUT];
	int bound = sqlite_bind_tag(statement, 1, &role->profile) |
		    sqlite_bind_bytes(statement, 2, role->sealed.data, role->sealed.bytes);
	return sqlite_run(store, statement, bound, "role_put");
}

static bool read_role(sqlite3_stmt *statement, struct arena *arena, void *row)
{
	struct store_role *role = row;
	return sqlite_column_tag(statement, 0, &role->profile) &&
	       sqlite_column_blob(statement, 1, arena, &role->sealed);
}

enum store_status sqlite_role_all(struct store *base, size_t max, struct arena *arena, struct store_role **ret,
				  size_t *ret_count)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_ROLE_ALL];
	void *rows = NULL;
	enum store_status status = sqlite_list(store, statement, sqlite_bind_u64(statement, 1, max), read_role,
					       sizeof **ret, arena, &rows, ret_count, "role_all");
	if (status == STORE_OK)
		*ret = rows;
	return status;
}

enum store_status sqlite_role_use_put(struct store *base, const struct store_tag *profile, uint64_t used_ms)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_ROLE_USE_PUT];
	int bound = sqlite_bind_tag(statement, 1, profile) | sqlite_bind_u64(statement, 2, used_ms);
	return sqlite_run(store, statement, bound, "role_use_put");
}

enum store_status sqlite_role_use_get(struct store *base, const struct store_tag *profile, uint64_t *ret_used_ms)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_ROLE_USE_GET];
	return sqlite_get(store, statement, sqlite_bind_tag(statement, 1, profile), sqlite_read_u64, sizeof *ret_used_ms, NULL,
			  ret_used_ms, "role_use_get");
}

// ------------------------------------------------------------------ policy

enum store_status sqlite_policy_put(struct store *base, struct store_blob sealed)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_POLICY_PUT];
	return sqlite_run(store, statement, sqlite_bind_bytes(statement, 1, sealed.data, sealed.bytes), "policy_put");
}

static bool read_policy(sqlite3_stmt *statement, struct arena *arena, void *row)
{
	return sqlite_column_blob(statement, 0, arena, row);
}

enum store_status sqlite_policy_get(struct store *base, struct arena *arena, struct store_blob *ret)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_POLICY_GET];
	return sqlite_get(store, statement, SQLITE_OK, read_policy, sizeof *ret, arena, ret, "policy_get");
}
