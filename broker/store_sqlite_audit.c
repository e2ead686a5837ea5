// SQLite backend: the audit log's rows and its checkpoint. `cpis audit verify` reads these two tables as well.
#include <stdio.h>
#include <string.h>

#include "broker/store_sqlite_priv.h"

enum store_status sqlite_audit_size(struct store *base, uint64_t *ret)
{
	struct sqlite_store *store = sqlite_store_of(base);
	return sqlite_get(store, store->statements[STATEMENT_AUDIT_SIZE], SQLITE_OK, sqlite_read_u64,
			  sizeof *ret, NULL, ret, "audit_size");
}

enum store_status sqlite_audit_append(struct store *base, const struct store_audit *row)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_AUDIT_APPEND];
	if (row->node_count == 0 || row->node_count > MERKLE_HEIGHT_MAX + 1)
		return sqlite_store_fail(store, "audit_append", "the number of hashes is out of range");
	if (!store->audit_counted && sqlite_audit_size(base, &store->audit_next) != STORE_OK)
		return STORE_FAILED;
	store->audit_counted = true;
	// That it is the next row is for the table's trigger to say.
	int bound = sqlite_bind_u64(statement, 1, row->index) |
		    sqlite_bind_bytes(statement, 2, row->salt, sizeof row->salt) |
		    sqlite_bind_bytes(statement, 3, row->record.data, row->record.bytes) |
		    sqlite_bind_bytes(statement, 4, row->nodes, row->node_count * sizeof row->nodes[0]) |
		    sqlite_bind_u64(statement, 5, row->time_ms) | sqlite_bind_ods(statement, 6, &row->organisation) |
		    sqlite_bind_tag(statement, 7, row->has_subject ? &row->subject : NULL) |
		    sqlite_bind_tag(statement, 8, row->has_person ? &row->person : NULL);
	enum store_status status = sqlite_run(store, statement, bound, "audit_append");
	store->audit_next += status == STORE_OK;
	return status;
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

bool sqlite_read_audit(sqlite3_stmt *statement, struct arena *arena, void *out)
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
	return sqlite_get(store, statement, sqlite_bind_u64(statement, 1, index), sqlite_read_audit,
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
