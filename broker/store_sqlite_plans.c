// SQLite backend: what authorities publish. Plans in their versions, the authorities' state, records that were not stored.
#include <string.h>

#include "broker/store_sqlite_priv.h"

// ------------------------------------------------------------------ plans

enum store_status sqlite_plan_put(struct store *base, const struct store_plan *plan)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_PLAN_PUT];
	sqlite_subject_add(store, &plan->subject);
	int bound = sqlite_bind_tag(statement, 1, &plan->slot) | sqlite_bind_u64(statement, 2, plan->generation) |
		    sqlite_bind_tag(statement, 3, &plan->subject) | sqlite_bind_ods(statement, 4, &plan->authority) |
		    sqlite_bind_bytes(statement, 5, plan->sealed.data, plan->sealed.bytes);
	return sqlite_run(store, statement, bound, "plan_put");
}

static bool read_plan(sqlite3_stmt *statement, struct arena *arena, void *row)
{
	struct store_plan *plan = row;
	return sqlite_column_tag(statement, 0, &plan->slot) && sqlite_column_u64(statement, 1, &plan->generation) &&
	       sqlite_column_tag(statement, 2, &plan->subject) && sqlite_column_ods(statement, 3, &plan->authority) &&
	       sqlite_column_blob(statement, 4, arena, &plan->sealed);
}

enum store_status sqlite_plan_get(struct store *base, const struct store_tag *slot, uint64_t generation, struct arena *arena,
				  struct store_plan *ret)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_PLAN_GET];
	int bound = sqlite_bind_tag(statement, 1, slot) | sqlite_bind_u64(statement, 2, generation);
	return sqlite_get(store, statement, bound, read_plan, sizeof *ret, arena, ret, "plan_get");
}

enum store_status sqlite_plan_delete(struct store *base, const struct store_tag *slot, uint64_t generation)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_PLAN_DELETE];
	int bound = sqlite_bind_tag(statement, 1, slot) | sqlite_bind_u64(statement, 2, generation);
	return sqlite_run(store, statement, bound, "plan_delete");
}

static enum store_status list_plans(struct sqlite_store *store, sqlite3_stmt *statement, int bound, struct arena *arena,
				    struct store_plan **ret, size_t *ret_count, const char *what)
{
	void *rows = NULL;
	enum store_status status =
		sqlite_list(store, statement, bound, read_plan, sizeof **ret, arena, &rows, ret_count, what);
	if (status == STORE_OK)
		*ret = rows;
	return status;
}

enum store_status sqlite_plans_in(struct store *base, const struct ods_code *authority, const struct store_plan_place *after,
				  uint64_t until_generation, size_t max, struct arena *arena, struct store_plan **ret,
				  size_t *ret_count)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_PLANS_IN];
	int bound = sqlite_bind_ods(statement, 1, authority) | sqlite_bind_u64(statement, 2, after->generation) |
		    sqlite_bind_tag(statement, 3, &after->slot) | sqlite_bind_u64(statement, 4, until_generation) |
		    sqlite_bind_u64(statement, 5, max);
	return list_plans(store, statement, bound, arena, ret, ret_count, "plans_in");
}

enum store_status sqlite_plans_of(struct store *base, const struct store_tag *subject, size_t max, struct arena *arena,
				  struct store_plan **ret, size_t *ret_count)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_PLANS_OF];
	if (!store->poisoned && !sqlite_subject_may_have_plan(store, subject)) {
		*ret_count = 0;
		return STORE_OK;
	}
	int bound = sqlite_bind_tag(statement, 1, subject) | sqlite_bind_u64(statement, 2, max);
	return list_plans(store, statement, bound, arena, ret, ret_count, "plans_of");
}

// ------------------------------------------------------------------ authorities

enum store_status sqlite_authority_put(struct store *base, const struct store_authority *authority)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_AUTHORITY_PUT];
	int bound = sqlite_bind_ods(statement, 1, &authority->organisation) |
		    sqlite_bind_u64(statement, 2, authority->last_published_ms) |
		    sqlite_bind_u64(statement, 3, authority->due_ms) |
		    sqlite_bind_bytes(statement, 4, authority->sealed.data, authority->sealed.bytes);
	return sqlite_run(store, statement, bound, "authority_put");
}

static bool read_authority(sqlite3_stmt *statement, struct arena *arena, void *row)
{
	struct store_authority *authority = row;
	return sqlite_column_ods(statement, 0, &authority->organisation) &&
	       sqlite_column_u64(statement, 1, &authority->last_published_ms) &&
	       sqlite_column_u64(statement, 2, &authority->due_ms) &&
	       sqlite_column_blob(statement, 3, arena, &authority->sealed);
}

enum store_status sqlite_authority_get(struct store *base, const struct ods_code *organisation, struct arena *arena,
				       struct store_authority *ret)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_AUTHORITY_GET];
	return sqlite_get(store, statement, sqlite_bind_ods(statement, 1, organisation), read_authority, sizeof *ret, arena,
			  ret, "authority_get");
}

enum store_status sqlite_authority_due(struct store *base, struct arena *arena, struct store_authority *ret)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_AUTHORITY_DUE];
	return sqlite_get(store, statement, SQLITE_OK, read_authority, sizeof *ret, arena, ret, "authority_due");
}

// ------------------------------------------------------------------ rejections

static int bind_field(sqlite3_stmt *statement, int place, const char *field)
{
	return sqlite3_bind_text(statement, place, field, -1, SQLITE_STATIC);
}

static bool read_field(sqlite3_stmt *statement, int column, char out[REJECTION_FIELD_BYTES_MAX + 1])
{
	const unsigned char *text = sqlite3_column_text(statement, column);
	int bytes = sqlite3_column_bytes(statement, column);
	if (text == NULL || bytes < 0 || bytes > (int)REJECTION_FIELD_BYTES_MAX)
		return false;
	memcpy(out, text, (size_t)bytes + 1);
	return true;
}

static bool read_u32(sqlite3_stmt *statement, int column, uint32_t *ret)
{
	uint64_t value;
	if (!sqlite_column_u64(statement, column, &value) || value > UINT32_MAX)
		return false;
	*ret = (uint32_t)value;
	return true;
}

static int bind_file(sqlite3_stmt *statement, const struct ods_code *authority, uint64_t generation)
{
	return sqlite_bind_ods(statement, 1, authority) | sqlite_bind_u64(statement, 2, generation);
}

enum store_status sqlite_rejection_put(struct store *base, const struct store_rejection *rejection)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_REJECTION_PUT];
	int bound = bind_file(statement, &rejection->authority, rejection->generation) |
		    sqlite_bind_u64(statement, 3, rejection->place) | sqlite_bind_tag(statement, 4, &rejection->record) |
		    sqlite_bind_u64(statement, 5, rejection->code) | bind_field(statement, 6, rejection->field) |
		    sqlite_bind_u64(statement, 7, rejection->since_ms) |
		    sqlite_bind_bytes(statement, 8, rejection->sealed.data, rejection->sealed.bytes);
	return sqlite_run(store, statement, bound, "rejection_put");
}

static bool read_rejection(sqlite3_stmt *statement, struct arena *arena, void *row)
{
	struct store_rejection *rejection = row;
	return sqlite_column_ods(statement, 0, &rejection->authority) &&
	       sqlite_column_u64(statement, 1, &rejection->generation) && read_u32(statement, 2, &rejection->place) &&
	       sqlite_column_tag(statement, 3, &rejection->record) && read_u32(statement, 4, &rejection->code) &&
	       read_field(statement, 5, rejection->field) && sqlite_column_u64(statement, 6, &rejection->since_ms) &&
	       sqlite_column_blob(statement, 7, arena, &rejection->sealed);
}

enum store_status sqlite_rejections_of(struct store *base, const struct ods_code *authority, uint64_t generation,
				       uint64_t from_place, size_t max, struct arena *arena, struct store_rejection **ret,
				       size_t *ret_count)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_REJECTIONS_OF];
	void *rows = NULL;
	int bound = bind_file(statement, authority, generation) | sqlite_bind_u64(statement, 3, from_place) |
		    sqlite_bind_u64(statement, 4, max);
	enum store_status status = sqlite_list(store, statement, bound, read_rejection, sizeof **ret, arena, &rows, ret_count,
					       "rejections_of");
	if (status == STORE_OK)
		*ret = rows;
	return status;
}

enum store_status sqlite_rejection_since(struct store *base, const struct store_rejection *like, uint64_t *ret_since_ms)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_REJECTION_SINCE];
	int bound = bind_file(statement, &like->authority, like->generation) | sqlite_bind_tag(statement, 3, &like->record) |
		    sqlite_bind_u64(statement, 4, like->code) | bind_field(statement, 5, like->field);
	return sqlite_get(store, statement, bound, sqlite_read_u64, sizeof *ret_since_ms, NULL, ret_since_ms, "rejection_since");
}

static bool read_count(sqlite3_stmt *statement, struct arena *arena, void *row)
{
	struct store_rejection_count *count = row;
	(void)arena;
	return read_u32(statement, 0, &count->code) && read_field(statement, 1, count->field) &&
	       read_u32(statement, 2, &count->count) && sqlite_column_u64(statement, 3, &count->oldest_ms);
}

enum store_status sqlite_rejection_counts(struct store *base, const struct ods_code *authority, uint64_t generation, size_t max,
					  struct arena *arena, struct store_rejection_count **ret, size_t *ret_count)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_REJECTION_COUNTS];
	void *rows = NULL;
	int bound = bind_file(statement, authority, generation) | sqlite_bind_u64(statement, 3, max);
	enum store_status status = sqlite_list(store, statement, bound, read_count, sizeof **ret, arena, &rows, ret_count,
					       "rejection_counts");
	if (status == STORE_OK)
		*ret = rows;
	return status;
}

enum store_status sqlite_rejection_expire(struct store *base, const struct ods_code *authority, const uint64_t keep[2],
					  size_t max, size_t *ret_removed)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_REJECTION_EXPIRE];
	int bound = sqlite_bind_ods(statement, 1, authority) | sqlite_bind_u64(statement, 2, keep[0]) |
		    sqlite_bind_u64(statement, 3, keep[1]) | sqlite_bind_u64(statement, 4, max);
	enum store_status status = sqlite_run(store, statement, bound, "rejection_expire");
	if (status == STORE_OK)
		*ret_removed = (size_t)sqlite3_changes(store->database);
	return status;
}
