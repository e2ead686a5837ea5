// SQLite backend: inboxes.
#include "broker/store_sqlite_priv.h"

// ESCALATIONS is a view of the notifications under other numbers: each statement has its twin.
static sqlite3_stmt *of_box(struct sqlite_store *store, enum store_box box, enum store_statement own,
			    enum store_statement escalation)
{
	return store->statements[box == STORE_BOX_ESCALATIONS ? escalation : own];
}

static int bind_box(sqlite3_stmt *statement, const struct ods_code *organisation, enum store_box box)
{
	return sqlite_bind_ods(statement, 1, organisation) | sqlite_bind_u64(statement, 2, box);
}

static int bind_blob_or_null(sqlite3_stmt *statement, int place, struct store_blob blob)
{
	return blob.bytes == 0 ? sqlite3_bind_null(statement, place)
			       : sqlite_bind_bytes(statement, place, blob.data, blob.bytes);
}

// No id is that large, and a caller may ask for anything.
static uint64_t capped(uint64_t after_id)
{
	return after_id > INT64_MAX ? INT64_MAX : after_id;
}

// In the order of INBOX_COLUMNS.
static bool read_item(sqlite3_stmt *statement, struct arena *arena, void *row)
{
	struct store_inbox_item *item = row;
	uint64_t box;
	if (!sqlite_column_u64(statement, 1, &box) || box > STORE_BOX_HELD)
		return false;
	item->box = (enum store_box)box;
	return sqlite_column_ods(statement, 0, &item->organisation) && sqlite_column_u64(statement, 2, &item->id) &&
	       sqlite_column_u64(statement, 3, &item->kind) && sqlite_column_u64(statement, 4, &item->created_ms) &&
	       sqlite_column_blob(statement, 5, arena, &item->sealed) &&
	       sqlite_column_u64(statement, 6, &item->acknowledged_ms) &&
	       sqlite_column_u64(statement, 7, &item->delivered_ms) &&
	       sqlite_column_u64(statement, 8, &item->lease_until_ms) &&
	       sqlite_column_u64(statement, 9, &item->escalated_ms) &&
	       sqlite_column_u64(statement, 10, &item->escalation_id) &&
	       sqlite_column_u64(statement, 11, &item->expired_ms) && sqlite_column_u64(statement, 12, &item->answered_ms) &&
	       sqlite_column_u64(statement, 13, &item->due_ms) &&
	       sqlite_column_blob(statement, 14, arena, &item->acknowledged_by) &&
	       sqlite_column_blob(statement, 15, arena, &item->leased_by);
}

static enum store_status list(struct sqlite_store *store, sqlite3_stmt *statement, int bound, struct arena *arena,
			      struct store_inbox_item **ret, size_t *ret_count, const char *what)
{
	void *rows = NULL;
	enum store_status status = sqlite_list(store, statement, bound, read_item, sizeof **ret, arena, &rows, ret_count, what);
	if (status == STORE_OK)
		*ret = rows;
	return status;
}

enum store_status sqlite_inbox_next_id(struct store *base, enum store_box box, const struct ods_code *organisation, uint64_t *ret)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = of_box(store, box, STATEMENT_INBOX_NEXT_ID, STATEMENT_ESCALATION_NEXT_ID);
	return sqlite_get(store, statement, bind_box(statement, organisation, box), sqlite_read_u64,
			  sizeof *ret, NULL, ret,
			  "inbox_next_id");
}

enum store_status sqlite_inbox_put(struct store *base, const struct store_inbox_item *item)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_INBOX_PUT];
	int bound = bind_box(statement, &item->organisation, item->box) | sqlite_bind_u64(statement, 3, item->id) |
		    sqlite_bind_u64(statement, 4, item->kind) | sqlite_bind_u64(statement, 5, item->created_ms) |
		    sqlite_bind_u64(statement, 6, item->due_ms) |
		    sqlite_bind_bytes(statement, 7, item->sealed.data, item->sealed.bytes);
	enum store_status status = sqlite_run(store, statement, bound, "inbox_put");
	if (status == STORE_OK)
		sqlite_inbox_count_change(store, item->box, &item->organisation, false, true);
	return status;
}

// False also when there is no such row.
static enum store_status was_open(struct sqlite_store *store, enum store_box box, const struct ods_code *organisation, uint64_t id,
				  bool *ret)
{
	sqlite3_stmt *statement = store->statements[STATEMENT_INBOX_WAS_OPEN];
	uint64_t open = 0;
	int bound = bind_box(statement, organisation, box) | sqlite_bind_u64(statement, 3, id);
	enum store_status status =
		sqlite_get(store, statement, bound, sqlite_read_u64, sizeof open, NULL, &open, "inbox_was_open");
	*ret = open != 0;
	return status == STORE_NOT_FOUND ? STORE_OK : status;
}

enum store_status sqlite_inbox_update(struct store *base, const struct store_inbox_item *item)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_INBOX_UPDATE];
	bool open_before;
	if (was_open(store, item->box, &item->organisation, item->id, &open_before) != STORE_OK)
		return STORE_FAILED;
	int bound = bind_box(statement, &item->organisation, item->box) | sqlite_bind_u64(statement, 3, item->id) |
		    sqlite_bind_u64(statement, 4, item->acknowledged_ms) | sqlite_bind_u64(statement, 5, item->delivered_ms) |
		    sqlite_bind_u64(statement, 6, item->lease_until_ms) | sqlite_bind_u64(statement, 7, item->escalated_ms) |
		    sqlite_bind_u64(statement, 8, item->escalation_id) | sqlite_bind_u64(statement, 9, item->expired_ms) |
		    sqlite_bind_u64(statement, 10, item->answered_ms) | sqlite_bind_u64(statement, 11, item->due_ms) |
		    bind_blob_or_null(statement, 12, item->acknowledged_by) |
		    bind_blob_or_null(statement, 13, item->leased_by);
	enum store_status status = sqlite_run(store, statement, bound, "inbox_update");
	if (status == STORE_OK && sqlite3_changes(store->database) == 0)
		return STORE_NOT_FOUND;
	if (status == STORE_OK)
		sqlite_inbox_count_change(store, item->box, &item->organisation, open_before,
					  item->acknowledged_ms == 0 && item->expired_ms == 0);
	return status;
}

enum store_status sqlite_inbox_list(struct store *base, enum store_box box, const struct ods_code *organisation, uint64_t after_id,
				    bool include_acknowledged, size_t max, struct arena *arena,
				    struct store_inbox_item **ret, size_t *ret_count)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement =
		include_acknowledged ? of_box(store, box, STATEMENT_INBOX_LIST_ALL, STATEMENT_ESCALATION_LIST_ALL)
				     : of_box(store, box, STATEMENT_INBOX_LIST_OPEN, STATEMENT_ESCALATION_LIST_OPEN);
	int bound = bind_box(statement, organisation, box) | sqlite_bind_u64(statement, 3, capped(after_id)) |
		    sqlite_bind_u64(statement, 4, max);
	return list(store, statement, bound, arena, ret, ret_count, "inbox_list");
}

enum store_status sqlite_inbox_free(struct store *base, enum store_box box, const struct ods_code *organisation, uint64_t after_id,
				    uint64_t now_ms, size_t max, struct arena *arena, struct store_inbox_item **ret,
				    size_t *ret_count)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = of_box(store, box, STATEMENT_INBOX_FREE, STATEMENT_ESCALATION_FREE);
	int bound = bind_box(statement, organisation, box) | sqlite_bind_u64(statement, 3, capped(after_id)) |
		    sqlite_bind_u64(statement, 4, max) | sqlite_bind_u64(statement, 5, now_ms);
	return list(store, statement, bound, arena, ret, ret_count, "inbox_free");
}

enum store_status sqlite_inbox_next_free(struct store *base, enum store_box box, const struct ods_code *organisation,
					 uint64_t now_ms, uint64_t *ret_ms)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = of_box(store, box, STATEMENT_INBOX_NEXT_FREE, STATEMENT_ESCALATION_NEXT_FREE);
	int bound = bind_box(statement, organisation, box) | sqlite_bind_u64(statement, 3, now_ms);
	return sqlite_get(store, statement, bound, sqlite_read_u64, sizeof *ret_ms, NULL, ret_ms, "inbox_next_free");
}

enum store_status sqlite_inbox_due(struct store *base, enum store_box box, uint64_t now_ms, size_t max, struct arena *arena,
				   struct store_inbox_item **ret, size_t *ret_count)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_INBOX_DUE];
	int bound = sqlite_bind_u64(statement, 1, box) | sqlite_bind_u64(statement, 2, now_ms) |
		    sqlite_bind_u64(statement, 3, max);
	return list(store, statement, bound, arena, ret, ret_count, "inbox_due");
}

enum store_status sqlite_inbox_latest(struct store *base, enum store_box box, const struct ods_code *organisation,
				      uint64_t before_ms, uint64_t but_kind, uint64_t *ret_created_ms)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_INBOX_LATEST];
	int bound = bind_box(statement, organisation, box) | sqlite_bind_u64(statement, 3, before_ms) |
		    sqlite_bind_u64(statement, 4, but_kind);
	enum store_status status = sqlite_get(store, statement, bound, sqlite_read_u64, sizeof *ret_created_ms, NULL,
					      ret_created_ms, "inbox_latest");
	if (status != STORE_NOT_FOUND)
		return status;
	*ret_created_ms = 0;
	return STORE_OK;
}

enum store_status sqlite_inbox_get(struct store *base, enum store_box box, const struct ods_code *organisation, uint64_t id,
				   struct arena *arena, struct store_inbox_item *ret)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = of_box(store, box, STATEMENT_INBOX_GET, STATEMENT_ESCALATION_GET);
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
	bool open_before;
	if (id > INT64_MAX)
		return STORE_NOT_FOUND;
	if (was_open(store, box, organisation, id, &open_before) != STORE_OK)
		return STORE_FAILED;
	int bound = bind_box(statement, organisation, box) | sqlite_bind_u64(statement, 3, id) |
		    sqlite_bind_u64(statement, 4, now_ms) |
		    sqlite_bind_bytes(statement, 5, acknowledged_by.data, acknowledged_by.bytes);
	enum store_status status = sqlite_run(store, statement, bound, "inbox_acknowledge");
	if (status == STORE_OK && sqlite3_changes(store->database) == 0)
		return STORE_NOT_FOUND;
	if (status == STORE_OK)
		sqlite_inbox_count_change(store, box, organisation, open_before, false);
	return status;
}

struct counted {
	uint64_t oldest_ms, all;
	uint64_t since[STORE_AGES - 1];
};

static bool read_counted(sqlite3_stmt *statement, struct arena *arena, void *row)
{
	struct counted *counted = row;
	(void)arena;
	if (!sqlite_column_u64(statement, 0, &counted->oldest_ms) || !sqlite_column_u64(statement, 1, &counted->all))
		return false;
	for (int i = 0; i < (int)STORE_AGES - 1; i++)
		if (!sqlite_column_u64(statement, 2 + i, &counted->since[i]))
			return false;
	return true;
}

enum store_status sqlite_inbox_waiting(struct store *base, const uint64_t since_ms[STORE_AGES - 1], uint32_t max, struct store_waiting *ret)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_INBOX_WAITING];
	struct counted counted;
	int bound = sqlite_bind_u64(statement, STORE_AGES, (uint64_t)max + 1);
	for (int i = 0; i < (int)STORE_AGES - 1; i++)
		bound |= sqlite_bind_u64(statement, 1 + i, since_ms[i]);
	enum store_status status = sqlite_get(store, statement, bound, read_counted, sizeof counted, NULL, &counted, "inbox_waiting");
	if (status == STORE_OK)
		*ret = store_waiting_of(counted.oldest_ms, counted.all, counted.since, max);
	return status;
}

enum store_status sqlite_inbox_unacknowledged(struct store *base, enum store_box box, const struct ods_code *organisation, uint64_t *ret)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = of_box(store, box, STATEMENT_INBOX_UNACKNOWLEDGED, STATEMENT_ESCALATION_UNACKNOWLEDGED);
	// Escalations are few: what nobody acknowledged in time.
	bool kept = box != STORE_BOX_ESCALATIONS;
	if (kept && !store->poisoned && sqlite_inbox_count_get(store, box, organisation, ret))
		return STORE_OK;
	enum store_status status = sqlite_get(store, statement, bind_box(statement, organisation, box), sqlite_read_u64, sizeof *ret,
					      NULL, ret, "inbox_unacknowledged");
	if (status == STORE_OK && kept)
		sqlite_inbox_count_put(store, box, organisation, *ret);
	return status;
}

// ------------------------------------------------------------------ nothing to report

enum store_status sqlite_reported_put(struct store *base, const struct store_reported *row)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_REPORTED_PUT];
	int bound = sqlite_bind_u64(statement, 1, row->until_ms) | sqlite_bind_ods(statement, 2, &row->after);
	return sqlite_run(store, statement, bound, "reported_put");
}

static bool read_reported(sqlite3_stmt *statement, struct arena *arena, void *row)
{
	struct store_reported *reported = row;
	(void)arena;
	*reported = (struct store_reported){0};
	return sqlite_column_u64(statement, 0, &reported->until_ms) &&
	       (sqlite3_column_bytes(statement, 1) == 0 || sqlite_column_ods(statement, 1, &reported->after));
}

enum store_status sqlite_reported_get(struct store *base, struct store_reported *ret)
{
	struct sqlite_store *store = sqlite_store_of(base);
	return sqlite_get(store, store->statements[STATEMENT_REPORTED_GET], SQLITE_OK, read_reported, sizeof *ret, NULL, ret,
			  "reported_get");
}
