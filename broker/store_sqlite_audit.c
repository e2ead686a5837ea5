// SQLite backend: the audit log's rows and its checkpoint. `cpis audit verify` reads these two tables as well.
#include <stdio.h>
#include <string.h>

#include "broker/store_sqlite_priv.h"

enum { SEARCH_SUBJECT = 1, SEARCH_PERSON = 2, SEARCH_ORGANISATION = 4 };

// A condition that is not asked for is left out, so that SQLite can pick the index of one that is.
bool sqlite_prepare_searches(struct sqlite_store *store)
{
	for (int asked = 0; asked < SEARCH_STATEMENTS; asked++) {
		char sql[400];
		snprintf(sql, sizeof sql,
			 "SELECT idx, salt, record, nodes, time_ms, organisation, subject, person FROM audit"
			 " WHERE idx < ?1 AND idx >= ?8 AND time_ms >= ?2 AND time_ms < ?3%s%s%s ORDER BY idx DESC LIMIT ?4",
			 asked & SEARCH_SUBJECT ? " AND subject = ?5" : "",
			 asked & SEARCH_PERSON ? " AND person = ?6" : "",
			 asked & SEARCH_ORGANISATION ? " AND organisation = ?7" : "");
		if (sqlite3_prepare_v3(store->database, sql, -1, SQLITE_PREPARE_PERSISTENT, &store->searches[asked],
				       NULL) != SQLITE_OK)
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
	// A system that nobody knows has no organisation.
	if (sqlite3_column_bytes(statement, 5) == 0)
		row->organisation.text[0] = '\0';
	else if (!sqlite_column_ods(statement, 5, &row->organisation))
		return false;
	return sqlite_column_u64(statement, 0, &row->index) && read_nodes(statement, 3, row) &&
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

static uint64_t bounded(uint64_t value, uint64_t if_zero)
{
	if (value == 0)
		return if_zero;
	return value > INT64_MAX ? INT64_MAX : value;
}

enum store_status sqlite_audit_search(struct store *base, const struct store_audit_filter *filter, struct arena *arena,
				      struct store_audit **ret, size_t *ret_count)
{
	struct sqlite_store *store = sqlite_store_of(base);
	int asked = (filter->has_subject ? SEARCH_SUBJECT : 0) | (filter->has_person ? SEARCH_PERSON : 0) |
		    (filter->has_organisation ? SEARCH_ORGANISATION : 0);
	sqlite3_stmt *statement = store->searches[asked];
	int bound = sqlite_bind_u64(statement, 1, bounded(filter->before_index, INT64_MAX)) |
		    sqlite_bind_u64(statement, 2, bounded(filter->from_ms, 0)) |
		    sqlite_bind_u64(statement, 3, bounded(filter->until_ms, INT64_MAX)) |
		    sqlite_bind_u64(statement, 4, filter->limit);
	bound |= sqlite_bind_u64(statement, 8, bounded(filter->from_index, 0));
	if (filter->has_subject)
		bound |= sqlite_bind_tag(statement, 5, &filter->subject);
	if (filter->has_person)
		bound |= sqlite_bind_tag(statement, 6, &filter->person);
	if (filter->has_organisation)
		bound |= sqlite_bind_ods(statement, 7, &filter->organisation);
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
