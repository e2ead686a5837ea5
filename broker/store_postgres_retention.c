// PostgreSQL backend: the keys that audit records are sealed with, and what holds their destruction up.
#include "broker/store_postgres_priv.h"

enum store_status postgres_audit_key_put(struct store *base, const struct store_audit_key *key)
{
	struct values values = {0};
	values_u64(&values, key->id);
	values_u64(&values, key->month);
	values_u64(&values, key->record_class);
	values_bytes(&values, key->sealed.data, key->sealed.bytes);
	return postgres_write(postgres_store_of(base), POSTGRES_AUDIT_KEY_PUT, &values);
}

// What is left of it in the server's files is for the operator: broker/README.md, "The PostgreSQL store".
enum store_status postgres_audit_key_destroy(struct store *base, uint32_t id, uint64_t now_ms)
{
	struct values values = {0};
	values_u64(&values, id);
	values_u64(&values, now_ms);
	return postgres_change_one(postgres_store_of(base), POSTGRES_AUDIT_KEY_DESTROY, &values);
}

static bool read_key(struct postgres_row row, struct arena *arena, void *to)
{
	struct store_audit_key *key = to;
	*key = (struct store_audit_key){0};
	return row_u32(row, 0, &key->id) && row_u32(row, 1, &key->month) && row_u32(row, 2, &key->record_class) &&
	       row_u64(row, 3, &key->destroyed_ms) && row_blob(row, 4, arena, &key->sealed);
}

enum store_status postgres_audit_key_all(struct store *base, size_t max, struct arena *arena, struct store_audit_key **ret,
					 size_t *ret_count)
{
	struct values values = {0};
	values_u64(&values, max);
	return postgres_list(postgres_store_of(base), POSTGRES_AUDIT_KEY_ALL, &values, read_key, sizeof **ret, arena, ret, ret_count);
}

enum store_status postgres_hold_put(struct store *base, const struct store_hold *hold)
{
	struct values values = {0};
	values_tag(&values, &hold->name);
	values_bytes(&values, hold->sealed.data, hold->sealed.bytes);
	return postgres_write(postgres_store_of(base), POSTGRES_HOLD_PUT, &values);
}

enum store_status postgres_hold_delete(struct store *base, const struct store_tag *name)
{
	struct values values = {0};
	values_tag(&values, name);
	return postgres_change_one(postgres_store_of(base), POSTGRES_HOLD_DELETE, &values);
}

static bool read_hold(struct postgres_row row, struct arena *arena, void *to)
{
	struct store_hold *hold = to;
	return row_tag(row, 0, &hold->name) && row_blob(row, 1, arena, &hold->sealed);
}

enum store_status postgres_hold_all(struct store *base, size_t max, struct arena *arena, struct store_hold **ret, size_t *ret_count)
{
	struct values values = {0};
	values_u64(&values, max);
	return postgres_list(postgres_store_of(base), POSTGRES_HOLD_ALL, &values, read_hold, sizeof **ret, arena, ret, ret_count);
}
