// PostgreSQL backend: the rows of the audit log, and its checkpoint.
#include <string.h>

#include "broker/store_postgres_priv.h"

enum store_status postgres_audit_size(struct store *base, uint64_t *ret)
{
	return postgres_get(postgres_store_of(base), POSTGRES_AUDIT_SIZE, NULL, postgres_read_u64, sizeof *ret, NULL, ret);
}

// In this broker's turn only this store appends.
static bool count_rows(struct postgres_store *store)
{
	store->audit_counted = store->audit_counted || postgres_audit_size(&store->base, &store->audit_next) == STORE_OK;
	return store->audit_counted;
}

enum store_status postgres_audit_append(struct store *base, const struct store_audit *row)
{
	struct postgres_store *store = postgres_store_of(base);
	struct values values = {0};
	if (row->node_count == 0 || row->node_count > MERKLE_HEIGHT_MAX + 1)
		return postgres_fail(store, "AUDIT_APPEND", "the number of hashes is out of range");
	if (store->poisoned || !count_rows(store))
		return STORE_FAILED;
	// The table's trigger says so too, but later.
	if (row->index != store->audit_next)
		return postgres_fail(store, "AUDIT_APPEND", "audit rows are only appended, in order");
	values_u64(&values, row->index);
	values_bytes(&values, row->salt, sizeof row->salt);
	values_bytes(&values, row->record.data, row->record.bytes);
	values_bytes(&values, row->nodes, row->node_count * sizeof row->nodes[0]);
	values_u64(&values, row->time_ms);
	values_ods(&values, &row->organisation);
	values_tag(&values, row->has_subject ? &row->subject : NULL);
	values_tag(&values, row->has_person ? &row->person : NULL);
	enum store_status status = postgres_write(store, POSTGRES_AUDIT_APPEND, &values);
	if (status != STORE_OK || !postgres_note_time(store, row->index, row->time_ms))
		return STORE_FAILED;
	store->audit_next++;
	return STORE_OK;
}

static bool read_optional_tag(struct postgres_row row, int column, bool *ret_has, struct store_tag *ret)
{
	*ret_has = !row_is_null(row, column);
	return !*ret_has || row_tag(row, column, ret);
}

static bool read_nodes(struct postgres_row row, int column, struct store_audit *to)
{
	size_t bytes = row_bytes(row, column);
	if (bytes == 0 || bytes > sizeof to->nodes || bytes % sizeof to->nodes[0] != 0 || !row_fixed(row, column, to->nodes, bytes))
		return false;
	to->node_count = bytes / sizeof to->nodes[0];
	return true;
}

bool postgres_read_audit(struct postgres_row row, struct arena *arena, void *to)
{
	struct store_audit *audit = to;
	audit->node_count = 0;
	// A system that nobody knows has no organisation.
	if (row_bytes(row, 5) == 0)
		audit->organisation.text[0] = '\0';
	else if (!row_ods(row, 5, &audit->organisation))
		return false;
	return row_u64(row, 0, &audit->index) && row_fixed(row, 1, audit->salt, SALT_BYTES) &&
	       (row_is_null(row, 3) || read_nodes(row, 3, audit)) && row_u64(row, 4, &audit->time_ms) &&
	       read_optional_tag(row, 6, &audit->has_subject, &audit->subject) &&
	       read_optional_tag(row, 7, &audit->has_person, &audit->person) && row_blob(row, 2, arena, &audit->record);
}

enum store_status postgres_audit_get(struct store *base, uint64_t index, struct arena *arena, struct store_audit *ret)
{
	struct values values = {0};
	if (index > INT64_MAX)
		return STORE_NOT_FOUND;
	values_u64(&values, index);
	return postgres_get(postgres_store_of(base), POSTGRES_AUDIT_GET, &values, postgres_read_audit, sizeof *ret, arena, ret);
}

static bool read_nodes_only(struct postgres_row row, struct arena *arena, void *to)
{
	(void)arena;
	return read_nodes(row, 0, to);
}

enum store_status postgres_audit_node(struct store *base, uint64_t index, unsigned height, struct merkle_hash *ret)
{
	struct values values = {0};
	struct store_audit row;
	if (index > INT64_MAX)
		return STORE_NOT_FOUND;
	values_u64(&values, index);
	enum store_status status = postgres_get(postgres_store_of(base), POSTGRES_AUDIT_NODES, &values, read_nodes_only, sizeof row, NULL, &row);
	if (status != STORE_OK)
		return status;
	if (height >= row.node_count)
		return STORE_NOT_FOUND;
	*ret = row.nodes[height];
	return STORE_OK;
}

enum store_status postgres_checkpoint_put(struct store *base, const char *note)
{
	struct values values = {0};
	values_text(&values, note);
	return postgres_write(postgres_store_of(base), POSTGRES_CHECKPOINT_PUT, &values);
}

static bool read_checkpoint(struct postgres_row row, struct arena *arena, void *to)
{
	return row_note(row, 0, arena, to);
}

enum store_status postgres_checkpoint_get(struct store *base, struct arena *arena, const char **ret)
{
	return postgres_get(postgres_store_of(base), POSTGRES_CHECKPOINT_GET, NULL, read_checkpoint, sizeof *ret, arena, ret);
}
