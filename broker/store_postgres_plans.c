// PostgreSQL backend: what authorities publish. Plans in their versions, the authorities' state, records that were not stored.
#include "broker/store_postgres_priv.h"

// ------------------------------------------------------------------ plans

enum store_status postgres_plan_put(struct store *base, const struct store_plan *plan)
{
	struct values values = {0};
	values_tag(&values, &plan->slot);
	values_u64(&values, plan->generation);
	values_tag(&values, &plan->subject);
	values_ods(&values, &plan->authority);
	values_bytes(&values, plan->sealed.data, plan->sealed.bytes);
	return postgres_write(postgres_store_of(base), POSTGRES_PLAN_PUT, &values);
}

static bool read_plan(struct postgres_row row, struct arena *arena, void *to)
{
	struct store_plan *plan = to;
	return row_tag(row, 0, &plan->slot) && row_u64(row, 1, &plan->generation) && row_tag(row, 2, &plan->subject) &&
	       row_ods(row, 3, &plan->authority) && row_blob(row, 4, arena, &plan->sealed);
}

enum store_status postgres_plan_get(struct store *base, const struct store_tag *slot, uint64_t generation, struct arena *arena,
				    struct store_plan *ret)
{
	struct values values = {0};
	values_tag(&values, slot);
	values_u64(&values, generation);
	return postgres_get(postgres_store_of(base), POSTGRES_PLAN_GET, &values, read_plan, sizeof *ret, arena, ret);
}

enum store_status postgres_plan_delete(struct store *base, const struct store_tag *slot, uint64_t generation)
{
	struct values values = {0};
	values_tag(&values, slot);
	values_u64(&values, generation);
	return postgres_write(postgres_store_of(base), POSTGRES_PLAN_DELETE, &values);
}

enum store_status postgres_plans_in(struct store *base, const struct ods_code *authority, const struct store_plan_place *after,
				    uint64_t until_generation, size_t max, struct arena *arena, struct store_plan **ret,
				    size_t *ret_count)
{
	struct values values = {0};
	values_ods(&values, authority);
	values_u64(&values, after->generation);
	values_tag(&values, &after->slot);
	values_u64(&values, until_generation);
	values_u64(&values, max);
	return postgres_list(postgres_store_of(base), POSTGRES_PLANS_IN, &values, read_plan, sizeof **ret, arena, ret, ret_count);
}

enum store_status postgres_plans_of(struct store *base, const struct store_tag *subject, size_t max, struct arena *arena,
				    struct store_plan **ret, size_t *ret_count)
{
	struct values values = {0};
	values_tag(&values, subject);
	values_u64(&values, max);
	return postgres_list(postgres_store_of(base), POSTGRES_PLANS_OF, &values, read_plan, sizeof **ret, arena, ret, ret_count);
}

// ------------------------------------------------------------------ authorities

enum store_status postgres_authority_put(struct store *base, const struct store_authority *authority)
{
	struct values values = {0};
	values_ods(&values, &authority->organisation);
	values_u64(&values, authority->last_published_ms);
	values_u64(&values, authority->due_ms);
	values_bytes(&values, authority->sealed.data, authority->sealed.bytes);
	return postgres_write(postgres_store_of(base), POSTGRES_AUTHORITY_PUT, &values);
}

static bool read_authority(struct postgres_row row, struct arena *arena, void *to)
{
	struct store_authority *authority = to;
	return row_ods(row, 0, &authority->organisation) && row_u64(row, 1, &authority->last_published_ms) &&
	       row_u64(row, 2, &authority->due_ms) && row_blob(row, 3, arena, &authority->sealed);
}

enum store_status postgres_authority_get(struct store *base, const struct ods_code *organisation, struct arena *arena,
					 struct store_authority *ret)
{
	struct values values = {0};
	values_ods(&values, organisation);
	return postgres_get(postgres_store_of(base), POSTGRES_AUTHORITY_GET, &values, read_authority, sizeof *ret, arena, ret);
}

enum store_status postgres_authority_due(struct store *base, struct arena *arena, struct store_authority *ret)
{
	return postgres_get(postgres_store_of(base), POSTGRES_AUTHORITY_DUE, NULL, read_authority, sizeof *ret, arena, ret);
}

// ------------------------------------------------------------------ rejections

enum store_status postgres_rejection_put(struct store *base, const struct store_rejection *rejection)
{
	struct values values = {0};
	values_ods(&values, &rejection->authority);
	values_u64(&values, rejection->generation);
	values_u64(&values, rejection->place);
	values_tag(&values, &rejection->record);
	values_u64(&values, rejection->code);
	values_text(&values, rejection->field);
	values_u64(&values, rejection->since_ms);
	values_bytes(&values, rejection->sealed.data, rejection->sealed.bytes);
	return postgres_write(postgres_store_of(base), POSTGRES_REJECTION_PUT, &values);
}

static bool read_rejection(struct postgres_row row, struct arena *arena, void *to)
{
	struct store_rejection *rejection = to;
	return row_ods(row, 0, &rejection->authority) && row_u64(row, 1, &rejection->generation) && row_u32(row, 2, &rejection->place) &&
	       row_tag(row, 3, &rejection->record) && row_u32(row, 4, &rejection->code) &&
	       row_text(row, 5, rejection->field, sizeof rejection->field) && row_u64(row, 6, &rejection->since_ms) &&
	       row_blob(row, 7, arena, &rejection->sealed);
}

enum store_status postgres_rejections_of(struct store *base, const struct ods_code *authority, uint64_t generation, uint64_t from_place,
					 size_t max, struct arena *arena, struct store_rejection **ret, size_t *ret_count)
{
	struct values values = {0};
	values_ods(&values, authority);
	values_u64(&values, generation);
	values_u64(&values, from_place);
	values_u64(&values, max);
	return postgres_list(postgres_store_of(base), POSTGRES_REJECTIONS_OF, &values, read_rejection, sizeof **ret, arena, ret, ret_count);
}

enum store_status postgres_rejection_since(struct store *base, const struct store_rejection *like, uint64_t *ret_since_ms)
{
	struct values values = {0};
	values_ods(&values, &like->authority);
	values_u64(&values, like->generation);
	values_tag(&values, &like->record);
	values_u64(&values, like->code);
	values_text(&values, like->field);
	return postgres_get(postgres_store_of(base), POSTGRES_REJECTION_SINCE, &values, postgres_read_u64, sizeof *ret_since_ms, NULL,
			    ret_since_ms);
}

static bool read_count(struct postgres_row row, struct arena *arena, void *to)
{
	struct store_rejection_count *count = to;
	(void)arena;
	return row_u32(row, 0, &count->code) && row_text(row, 1, count->field, sizeof count->field) && row_u32(row, 2, &count->count) &&
	       row_u64(row, 3, &count->oldest_ms);
}

enum store_status postgres_rejection_counts(struct store *base, const struct ods_code *authority, uint64_t generation, size_t max,
					    struct arena *arena, struct store_rejection_count **ret, size_t *ret_count)
{
	struct values values = {0};
	values_ods(&values, authority);
	values_u64(&values, generation);
	values_u64(&values, max);
	return postgres_list(postgres_store_of(base), POSTGRES_REJECTION_COUNTS, &values, read_count, sizeof **ret, arena, ret, ret_count);
}

enum store_status postgres_rejection_expire(struct store *base, const struct ods_code *authority, const uint64_t keep[2], size_t max,
					    size_t *ret_removed)
{
	struct values values = {0};
	values_ods(&values, authority);
	values_u64(&values, keep[0]);
	values_u64(&values, keep[1]);
	values_u64(&values, max);
	return postgres_change(postgres_store_of(base), POSTGRES_REJECTION_EXPIRE, &values, ret_removed);
}
