// SQLite backend: the keys that audit records are sealed with, and what holds their destruction up.
#include "broker/log.h"
#include "broker/store_sqlite_priv.h"

enum store_status sqlite_audit_key_put(struct store *base, const struct store_audit_key *key)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_AUDIT_KEY_PUT];
	int bound = sqlite_bind_u64(statement, 1, key->id) | sqlite_bind_u64(statement, 2, key->month) |
		    sqlite_bind_u64(statement, 3, key->record_class) |
		    sqlite_bind_bytes(statement, 4, key->sealed.data, key->sealed.bytes);
	return sqlite_run(store, statement, bound, "audit_key_put");
}

// secure_delete is on: the old value's bytes are overwritten in their page. What the WAL has of that page is cut off after the
// commit.
enum store_status sqlite_audit_key_destroy(struct store *base, uint32_t id, uint64_t now_ms)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_AUDIT_KEY_DESTROY];
	enum store_status status = sqlite_run(
		store, statement, sqlite_bind_u64(statement, 1, id) | sqlite_bind_u64(statement, 2, now_ms), "audit_key_destroy");
	if (status != STORE_OK)
		return status;
	store->leaves_remains = true;
	return sqlite3_changes(store->database) == 0 ? STORE_NOT_FOUND : STORE_OK;
}

bool sqlite_clear_remains(struct sqlite_store *store)
{
	int status = sqlite_wal_cut(store);
	if (status != SQLITE_OK && status != SQLITE_BUSY)
		log_trouble(LOG_EVENT_STORE_FAILED, "wal_checkpoint: %s", sqlite3_errmsg(store->database));
	return status == SQLITE_OK;
}

static bool read_key(sqlite3_stmt *statement, struct arena *arena, void *row)
{
	struct store_audit_key *key = row;
	uint64_t id, month, record_class;
	*key = (struct store_audit_key){0};
	if (!sqlite_column_u64(statement, 0, &id) || !sqlite_column_u64(statement, 1, &month) ||
	    !sqlite_column_u64(statement, 2, &record_class) || !sqlite_column_u64(statement, 3, &key->destroyed_ms) ||
	    id > UINT32_MAX || month > UINT32_MAX || record_class > UINT32_MAX)
		return false;
	key->id = (uint32_t)id;
	key->month = (uint32_t)month;
	key->record_class = (uint32_t)record_class;
	return key->destroyed_ms != 0 || sqlite_column_blob(statement, 4, arena, &key->sealed);
}

enum store_status sqlite_audit_key_all(struct store *base, size_t max, struct arena *arena, struct store_audit_key **ret,
				       size_t *ret_count)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_AUDIT_KEY_ALL];
	void *rows = NULL;
	enum store_status status = sqlite_list(store, statement, sqlite_bind_u64(statement, 1, max), read_key, sizeof **ret, arena,
					       &rows, ret_count, "audit_key_all");
	if (status == STORE_OK)
		*ret = rows;
	return status;
}

enum store_status sqlite_hold_put(struct store *base, const struct store_hold *hold)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_HOLD_PUT];
	int bound = sqlite_bind_tag(statement, 1, &hold->name) |
		    sqlite_bind_bytes(statement, 2, hold->sealed.data, hold->sealed.bytes);
	return sqlite_run(store, statement, bound, "hold_put");
}

enum store_status sqlite_hold_delete(struct store *base, const struct store_tag *name)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_HOLD_DELETE];
	enum store_status status = sqlite_run(store, statement, sqlite_bind_tag(statement, 1, name), "hold_delete");
	if (status == STORE_OK && sqlite3_changes(store->database) == 0)
		return STORE_NOT_FOUND;
	return status;
}

static bool read_hold(sqlite3_stmt *statement, struct arena *arena, void *row)
{
	struct store_hold *hold = row;
	return sqlite_column_tag(statement, 0, &hold->name) && sqlite_column_blob(statement, 1, arena, &hold->sealed);
}

enum store_status sqlite_hold_all(struct store *base, size_t max, struct arena *arena, struct store_hold **ret,
				  size_t *ret_count)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_HOLD_ALL];
	void *rows = NULL;
	enum store_status status = sqlite_list(store, statement, sqlite_bind_u64(statement, 1, max), read_hold, sizeof **ret, arena,
					       &rows, ret_count, "hold_all");
	if (status == STORE_OK)
		*ret = rows;
	return status;
}
