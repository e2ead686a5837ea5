// SQLite backend: inboxes.
#include "broker/store_sqlite_priv.h"

static int bind_box(sqlite3_stmt *statement, const struct ods_code *organisation, enum store_box box)
{
	return sqlite_bind_ods(statement, 1, organisation) | sqlite_bind_u64(statement, 2, box);
}

static bool read_number(sqlite3_stmt *statement, struct arena *arena, void *row)
{
	(void)arena;
	return sqlite_column_u64(statement, 0, row);
}

static bool read_item(sqlite3_stmt *statement, struct arena *arena, void *row)
{
	struct store_inbox_item *item = row;
	uint64_t box;
	if (!sqlite_column_u64(statement, 1, &box) || box > STORE_BOX_ALERTS)
		return false;
	item->box = (enum store_box)box;
	return sqlite_column_ods(statement, 0, &item->organisation) && sqlite_column_u64(statement, 2, &item->id) &&
	       sqlite_column_u64(statement, 3, &item->created_ms) &&
	       sqlite_column_u64(statement, 4, &item->acknowledged_ms) &&
	       sqlite_column_blob(statement, 5, arena, &item->sealed) &&
	       sqlite_column_blob(statement, 6, arena, &item->acknowledged_by);
}

enum store_status sqlite_inbox_next_id(struct store *base, enum store_box box, const struct ods_code *organisation, uint64_t *ret)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_INBOX_NEXT_ID];
	return sqlite_get(store, statement, bind_box(statement, organisation, box), read_number,
			  sizeof *ret, NULL, ret,
			  "inbox_next_id");
}

enum store_status sqlite_inbox_put(struct store *base, const struct store_inbox_item *item)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_INBOX_PUT];
	int bound = bind_box(statement, &item->organisation, item->box) | sqlite_bind_u64(statement, 3, item->id) |
		    sqlite_bind_u64(statement, 4, item->created_ms) |
		    sqlite_bind_bytes(statement, 5, item->sealed.data, item->sealed.bytes);
	return sqlite_run(store, statement, bound, "inbox_put");
}

enum store_status sqlite_inbox_list(struct store *base, enum store_box box, const struct ods_code *organisation, uint64_t after_id,
				    bool include_acknowledged, size_t max, struct arena *arena,
				    struct store_inbox_item **ret, size_t *ret_count)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement =
		store->statements[include_acknowledged ? STATEMENT_INBOX_LIST_ALL : STATEMENT_INBOX_LIST_OPEN];
	void *rows = NULL;
	// No id is that large, and a caller may ask for anything.
	if (after_id > INT64_MAX)
		after_id = INT64_MAX;
	int bound = bind_box(statement, organisation, box) | sqlite_bind_u64(statement, 3, after_id) |
		    sqlite_bind_u64(statement, 4, max);
	enum store_status status =
		sqlite_list(store, statement, bound, read_item, sizeof **ret, arena, &rows, ret_count, "inbox_list");
	if (status == STORE_OK)
		*ret = rows;
	return status;
}

enum store_status sqlite_inbox_get(struct store *base, enum store_box box, const struct ods_code *organisation, uint64_t id,
				   struct arena *arena, struct store_inbox_item *ret)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_INBOX_GET];
	if (id > INT64_MAX)
		return STORE_NOT_FOUND;
	int bound = bind_box(statement, organisation, box) | sqlite_bind_u64(statement, 3, id);
	return sqlite_get(store, statement, bound, read_item, sizeof *ret, arena, ret, "inbox_get");
}

enum store_status sqlite_inbox_acknowledge(struct store *base, enum store_box box, const struct ods_code *organisation, uint64_t id,
					   uint64_t now_ms, struct store_blob acknowledged_by)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_INBOX_ACKNOWLEDGE];
	if (id > INT64_MAX)
		return STORE_NOT_FOUND;
	int bound = bind_box(statement, organisation, box) | sqlite_bind_u64(statement, 3, id) |
		    sqlite_bind_u64(statement, 4, now_ms) |
		    sqlite_bind_bytes(statement, 5, acknowledged_by.data, acknowledged_by.bytes);
	enum store_status status = sqlite_run(store, statement, bound, "inbox_acknowledge");
	if (status == STORE_OK && sqlite3_changes(store->database) == 0)
		return STORE_NOT_FOUND;
	return status;
}

enum store_status sqlite_inbox_unacknowledged(struct store *base, enum store_box box, const struct ods_code *organisation, uint64_t *ret)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_INBOX_UNACKNOWLEDGED];
	return sqlite_get(store, statement, bind_box(statement, organisation, box), read_number,
			  sizeof *ret, NULL, ret,
			  "inbox_unacknowledged");
}
