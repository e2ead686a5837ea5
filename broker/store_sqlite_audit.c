// SQLite backend: the audit log's rows and its checkpoint. `cpis audit verify` reads these two tables as well.
#include <stdio.h>
#include <string.h>

#include "broker/store_sqlite_priv.h"

// Each key has an index that ends in time_ms, behind which SQLite keeps idx. The bounds on time_ms alone are what the index
// is entered by; those on both columns then leave out what is beyond them within the same instant. NULL in place of the
// nodes, so that rows are read by one function.
bool sqlite_prepare_searches(struct sqlite_store *store)
{
	static const struct {
		const char *index, *condition;
	} keys[] = {
		[STORE_AUDIT_ALL] = {"audit_by_time", ""},
		[STORE_AUDIT_SUBJECT] = {"audit_by_subject", "subject = ?1 AND "},
		[STORE_AUDIT_PERSON] = {"audit_by_person", "person = ?1 AND "},
		[STORE_AUDIT_ORGANISATION] = {"audit_by_organisation", "organisation = ?1 AND "},
	};
	_Static_assert(2 * sizeof keys / sizeof keys[0] == SEARCH_STATEMENTS, "each key, in both orders");
	for (int i = 0; i < SEARCH_STATEMENTS; i++) {
		char sql[500];
		const char *order = i % 2 == 1 ? "ASC" : "DESC";
		snprintf(sql, sizeof sql,
			 "SELECT idx, salt, record, NULL, time_ms, organisation, subject, person FROM audit INDEXED BY %s"
			 " WHERE %stime_ms BETWEEN ?2 AND ?4 AND (time_ms, idx) >= (?2, ?3) AND (time_ms, idx) < (?4, ?5)"
			 " ORDER BY time_ms %s, idx %s LIMIT ?6",
			 keys[i / 2].index, keys[i / 2].condition, order, order);
		if (sqlite3_prepare_v3(store->database, sql, -1, SQLITE_PREPARE_PERSISTENT, &store->searches[i], NULL) !=
		    SQLITE_OK)
			return false;
	}
	return true;
}

enum store_status sqlite_audit_append(struct store *base, const struct store_audit *row)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_AUDIT_APPEND];
	if (row->node_count == 0 || row->node_count > MERKLE_HEIGHT_MAX + 1)
		return sqlite_store_fail(store, "audit_append", "the number of hashes is out of range");
	// That it is the next row is for the table's trigger to say.
	int bound = sqlite_bind_u64(statement, 1, row->index) |
		    sqlite_bind_bytes(statement, 2, row->salt, sizeof row->salt) |
		    sqlite_bind_bytes(statement, 3, row->record.data, row->record.bytes) |
		    sqlite_bind_bytes(statement, 4, row->nodes, row->node_count * sizeof row->nodes[0]) |
		    sqlite_bind_u64(statement, 5, row->time_ms) | sqlite_bind_ods(statement, 6, &row->organisation) |
		    sqlite_bind_tag(statement, 7, row->has_subject ? &row->subject : NULL) |
		    sqlite_bind_tag(statement, 8, row->has_person ? &row->person : NULL);
	return sqlite_run(store, statement, bound, "audit_append");
}

static bool read_optional_tag(sqlite3_stmt *statement, int column, bool *ret_has, struct store_tag *ret)
{
	*ret_has = sqlite3_column_type(statement, column) != SQLITE_NULL;
	return !*ret_has || sqlite_column_tag(statement, column, ret);
}

static bool read_nodes(sqlite3_stmt *statement, int column, struct store_audit *row)
{
	const void *nodes = sqlite3_column_blob(statement, column);
	int bytes = sqlite3_column_bytes(statement, column);
	if (nodes == NULL || bytes <= 0 || (size_t)bytes > sizeof row->nodes ||
	    (size_t)bytes % sizeof row->nodes[0] != 0)
		return false;
	memcpy(row->nodes, nodes, (size_t)bytes);
	row->node_count = (size_t)bytes / sizeof row->nodes[0];
	return true;
}

static bool read_audit(sqlite3_stmt *statement, struct arena *arena, void *out)
{
	struct store_audit *row = out;
	const void *salt = sqlite3_column_blob(statement, 1);
	if (salt == NULL || sqlite3_column_bytes(statement, 1) != SALT_BYTES)
		return false;
	memcpy(row->salt, salt, SALT_BYTES);
	row->node_count = 0;
	// A system that nobody knows has no organisation.
	if (sqlite3_column_bytes(statement, 5) == 0)
		row->organisation.text[0] = '\0';
	else if (!sqlite_column_ods(statement, 5, &row->organisation))
		return false;
	return sqlite_column_u64(statement, 0, &row->index) &&
	       (sqlite3_column_type(statement, 3) == SQLITE_NULL || read_nodes(statement, 3, row)) &&
	       sqlite_column_u64(statement, 4, &row->time_ms) &&
	       read_optional_tag(statement, 6, &row->has_subject, &row->subject) &&
	       read_optional_tag(statement, 7, &row->has_person, &row->person) &&
	       sqlite_column_blob(statement, 2, arena, &row->record);
}

enum store_status sqlite_audit_get(struct store *base, uint64_t index, struct arena *arena, struct store_audit *ret)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_AUDIT_GET];
	if (index > INT64_MAX)
		return STORE_NOT_FOUND;
	return sqlite_get(store, statement, sqlite_bind_u64(statement, 1, index), read_audit,
			  sizeof *ret, arena, ret, "audit_get");
}

static bool read_nodes_only(sqlite3_stmt *statement, struct arena *arena, void *row)
{
	(void)arena;
	return read_nodes(statement, 0, row);
}

enum store_status sqlite_audit_node(struct store *base, uint64_t index, unsigned height, struct merkle_hash *ret)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_AUDIT_NODES];
	struct store_audit row;
	if (index > INT64_MAX)
		return STORE_NOT_FOUND;
	enum store_status status = sqlite_get(store, statement, sqlite_bind_u64(statement, 1, index), read_nodes_only,
					      sizeof row, NULL, &row, "audit_node");
	if (status != STORE_OK)
		return status;
	if (height >= row.node_count)
		return STORE_NOT_FOUND;
	*ret = row.nodes[height];
	return STORE_OK;
}

static int bind_key(sqlite3_stmt *statement, const struct store_audit_range *range)
{
	switch (range->key) {
	case STORE_AUDIT_SUBJECT:
	case STORE_AUDIT_PERSON:
		return sqlite_bind_tag(statement, 1, &range->tag);
	case STORE_AUDIT_ORGANISATION:
		return sqlite_bind_ods(statement, 1, &range->organisation);
	case STORE_AUDIT_ALL:
		break;
	}
	return SQLITE_OK;
}

static uint64_t bounded(uint64_t value)
{
	return value > INT64_MAX ? INT64_MAX : value;
}

enum store_status sqlite_audit_search(struct store *base, const struct store_audit_range *range, struct arena *arena,
				      struct store_audit **ret, size_t *ret_count)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->searches[2 * (int)range->key + range->oldest_first];
	int bound = bind_key(statement, range) | sqlite_bind_u64(statement, 2, bounded(range->from.time_ms)) |
		    sqlite_bind_u64(statement, 3, bounded(range->from.index)) |
		    sqlite_bind_u64(statement, 4, bounded(range->until.time_ms)) |
		    sqlite_bind_u64(statement, 5, bounded(range->until.index)) |
		    sqlite_bind_u64(statement, 6, range->limit);
	void *rows = NULL;
	enum store_status status = sqlite_list(store, statement, bound, read_audit, sizeof **ret, arena, &rows,
					       ret_count, "audit_search");
	if (status == STORE_OK)
		*ret = rows;
	return status;
}

static bool read_size(sqlite3_stmt *statement, struct arena *arena, void *row)
{
	(void)arena;
	return sqlite_column_u64(statement, 0, row);
}

enum store_status sqlite_audit_size(struct store *base, uint64_t *ret)
{
	struct sqlite_store *store = sqlite_store_of(base);
	return sqlite_get(store, store->statements[STATEMENT_AUDIT_SIZE], SQLITE_OK, read_size,
			  sizeof *ret, NULL, ret, "audit_size");
}

enum store_status sqlite_checkpoint_put(struct store *base, const char *note)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_CHECKPOINT_PUT];
	return sqlite_run(store, statement, sqlite3_bind_text(statement, 1, note, -1, SQLITE_STATIC),
			  "checkpoint_put");
}

static bool read_note(sqlite3_stmt *statement, struct arena *arena, void *row)
{
	const char **note = row;
	const char *text = (const char *)sqlite3_column_text(statement, 0);
	int bytes = sqlite3_column_bytes(statement, 0);
	*note = text == NULL || bytes < 0 ? NULL : arena_copy_text(arena, text, (size_t)bytes);
	return *note != NULL;
}

enum store_status sqlite_checkpoint_get(struct store *base, struct arena *arena, const char **ret)
{
	struct sqlite_store *store = sqlite_store_of(base);
	return sqlite_get(store, store->statements[STATEMENT_CHECKPOINT_GET], SQLITE_OK, read_note,
			  sizeof *ret, arena, ret,
			  "checkpoint_get");
}
