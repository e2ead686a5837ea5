// PostgreSQL backend: checkpoints that systems handed in, and those that witnesses cosign.
#include "broker/store_postgres_priv.h"

// ------------------------------------------------------------------ handed in

enum store_status postgres_heard_put(struct store *base, const struct store_heard *row)
{
	struct values values = {0};
	values_ods(&values, &row->organisation);
	values_text(&values, row->system_name);
	values_bool(&values, row->fits);
	values_u64(&values, row->size);
	values_u64(&values, row->received_ms);
	values_text(&values, row->note);
	return postgres_write(postgres_store_of(base), POSTGRES_HEARD_PUT, &values);
}

static bool read_heard(struct postgres_row row, struct arena *arena, void *to)
{
	struct store_heard *heard = to;
	return row_u64(row, 0, &heard->id) && row_ods(row, 1, &heard->organisation) &&
	       row_text(row, 2, heard->system_name, sizeof heard->system_name) && row_bool(row, 3, &heard->fits) &&
	       row_u64(row, 4, &heard->size) && row_u64(row, 5, &heard->received_ms) && row_note(row, 6, arena, &heard->note);
}

enum store_status postgres_heard_after(struct store *base, uint64_t after, size_t max, struct arena *arena, struct store_heard **ret,
				       size_t *ret_count)
{
	struct values values = {0};
	// Whatever somebody asks to go on from: nothing comes after what no row can have.
	values_u64(&values, after > INT64_MAX ? INT64_MAX : after);
	values_u64(&values, max);
	return postgres_list(postgres_store_of(base), POSTGRES_HEARD_AFTER, &values, read_heard, sizeof **ret, arena, ret, ret_count);
}

enum store_status postgres_heard_largest(struct store *base, struct arena *arena, struct store_heard *ret)
{
	return postgres_get(postgres_store_of(base), POSTGRES_HEARD_LARGEST, NULL, read_heard, sizeof *ret, arena, ret);
}

enum store_status postgres_heard_expire(struct store *base, size_t keep)
{
	struct values values = {0};
	values_u64(&values, keep);
	return postgres_write(postgres_store_of(base), POSTGRES_HEARD_EXPIRE, &values);
}

// ------------------------------------------------------------------ cosigned

enum store_status postgres_cosigned_put(struct store *base, enum store_cosigned_which which, const struct store_cosigned *row)
{
	struct values values = {0};
	values_u64(&values, which);
	values_u64(&values, row->time_ms);
	values_text(&values, row->note);
	return postgres_write(postgres_store_of(base), POSTGRES_COSIGNED_PUT, &values);
}

static bool read_cosigned(struct postgres_row row, struct arena *arena, void *to)
{
	struct store_cosigned *cosigned = to;
	return row_u64(row, 0, &cosigned->time_ms) && row_note(row, 1, arena, &cosigned->note);
}

enum store_status postgres_cosigned_get(struct store *base, enum store_cosigned_which which, struct arena *arena,
					struct store_cosigned *ret)
{
	struct values values = {0};
	values_u64(&values, which);
	return postgres_get(postgres_store_of(base), POSTGRES_COSIGNED_GET, &values, read_cosigned, sizeof *ret, arena, ret);
}
