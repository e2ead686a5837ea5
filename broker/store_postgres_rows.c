// PostgreSQL backend: rows about looks and requests.
#include <string.h>

#include "broker/store_postgres_priv.h"

// ------------------------------------------------------------------ accesses

enum store_status postgres_access_put(struct store *base, const struct store_access *access)
{
	struct values values = {0};
	values_tag(&values, &access->subject);
	values_u64(&values, access->audit_index);
	values_bool(&values, access->silent);
	values_bytes(&values, access->sealed.data, access->sealed.bytes);
	return postgres_write(postgres_store_of(base), POSTGRES_ACCESS_PUT, &values);
}

enum store_status postgres_access_delete(struct store *base, const struct store_tag *subject, uint64_t audit_index)
{
	struct values values = {0};
	values_tag(&values, subject);
	values_u64(&values, audit_index);
	return postgres_change_one(postgres_store_of(base), POSTGRES_ACCESS_DELETE, &values);
}

static bool read_access(struct postgres_row row, struct arena *arena, void *to)
{
	struct store_access *access = to;
	return row_tag(row, 0, &access->subject) && row_u64(row, 1, &access->audit_index) && row_bool(row, 2, &access->silent) &&
	       row_blob(row, 3, arena, &access->sealed);
}

enum store_status postgres_accesses_of(struct store *base, const struct store_tag *subject, bool with_silent, uint64_t before_index,
				       size_t max, struct arena *arena, struct store_access **ret, size_t *ret_count)
{
	struct values values = {0};
	values_tag(&values, subject);
	values_bool(&values, with_silent);
	values_u64(&values, before_index == 0 ? INT64_MAX : before_index);
	values_u64(&values, max);
	return postgres_list(postgres_store_of(base), POSTGRES_ACCESSES_OF, &values, read_access, sizeof **ret, arena, ret, ret_count);
}

// ------------------------------------------------------------------ requests

enum store_status postgres_request_put(struct store *base, const struct store_request *request)
{
	struct values values = {0};
	values_tag(&values, &request->key);
	values_bytes(&values, request->digest, sizeof request->digest);
	values_u64(&values, request->expires_ms);
	values_bytes(&values, request->sealed.data, request->sealed.bytes);
	return postgres_write(postgres_store_of(base), POSTGRES_REQUEST_PUT, &values);
}

static bool read_request(struct postgres_row row, struct arena *arena, void *to)
{
	struct store_request *request = to;
	return row_tag(row, 0, &request->key) && row_fixed(row, 1, request->digest, HASH_BYTES) &&
	       row_u64(row, 2, &request->expires_ms) && row_blob(row, 3, arena, &request->sealed);
}

enum store_status postgres_request_get(struct store *base, const struct store_tag *key, uint64_t now_ms, struct arena *arena,
				       struct store_request *ret)
{
	struct values values = {0};
	values_tag(&values, key);
	values_u64(&values, now_ms);
	return postgres_get(postgres_store_of(base), POSTGRES_REQUEST_GET, &values, read_request, sizeof *ret, arena, ret);
}

_Static_assert(STORE_EXPIRE_MAX == 1100, "the statement has the same number");

enum store_status postgres_request_expire(struct store *base, uint64_t now_ms)
{
	struct values values = {0};
	values_u64(&values, now_ms);
	return postgres_write(postgres_store_of(base), POSTGRES_REQUEST_EXPIRE, &values);
}
