// PostgreSQL backend: inboxes.
#include "broker/store_postgres_priv.h"

// ESCALATIONS is a view of the notifications under other numbers: each statement has its twin.
static enum postgres_statement of_box(enum store_box box, enum postgres_statement own, enum postgres_statement escalation)
{
	return box == STORE_BOX_ESCALATIONS ? escalation : own;
}

static struct values box_values(enum store_box box, const struct ods_code *organisation)
{
	struct values values = {0};
	values_ods(&values, organisation);
	values_u64(&values, box);
	return values;
}

// No id is that large, and a caller may ask for anything.
static uint64_t capped(uint64_t after_id)
{
	return after_id > INT64_MAX ? INT64_MAX : after_id;
}

// In the order of INBOX_COLUMNS.
static bool read_item(struct postgres_row row, struct arena *arena, void *to)
{
	struct store_inbox_item *item = to;
	uint64_t box;
	if (!row_u64(row, 1, &box) || box > STORE_BOX_HELD)
		return false;
	item->box = (enum store_box)box;
	return row_ods(row, 0, &item->organisation) && row_u64(row, 2, &item->id) && row_u64(row, 3, &item->kind) &&
	       row_u64(row, 4, &item->created_ms) && row_blob(row, 5, arena, &item->sealed) && row_u64(row, 6, &item->acknowledged_ms) &&
	       row_u64(row, 7, &item->delivered_ms) && row_u64(row, 8, &item->lease_until_ms) && row_u64(row, 9, &item->escalated_ms) &&
	       row_u64(row, 10, &item->escalation_id) && row_u64(row, 11, &item->expired_ms) && row_u64(row, 12, &item->answered_ms) &&
	       row_u64(row, 13, &item->due_ms) && row_blob(row, 14, arena, &item->acknowledged_by) &&
	       row_blob(row, 15, arena, &item->leased_by);
}

static enum store_status get_number(struct store *base, enum postgres_statement statement, const struct values *values, uint64_t *ret)
{
	return postgres_get(postgres_store_of(base), statement, values, postgres_read_u64, sizeof *ret, NULL, ret);
}

enum store_status postgres_inbox_next_id(struct store *base, enum store_box box, const struct ods_code *organisation, uint64_t *ret)
{
	struct values values = box_values(box, organisation);
	return get_number(base, of_box(box, POSTGRES_INBOX_NEXT_ID, POSTGRES_ESCALATION_NEXT_ID), &values, ret);
}

enum store_status postgres_inbox_put(struct store *base, const struct store_inbox_item *item)
{
	struct values values = box_values(item->box, &item->organisation);
	values_u64(&values, item->id);
	values_u64(&values, item->kind);
	values_u64(&values, item->created_ms);
	values_u64(&values, item->due_ms);
	values_bytes(&values, item->sealed.data, item->sealed.bytes);
	return postgres_write(postgres_store_of(base), POSTGRES_INBOX_PUT, &values);
}

enum store_status postgres_inbox_update(struct store *base, const struct store_inbox_item *item)
{
	struct values values = box_values(item->box, &item->organisation);
	values_u64(&values, item->id);
	values_u64(&values, item->acknowledged_ms);
	values_u64(&values, item->delivered_ms);
	values_u64(&values, item->lease_until_ms);
	values_u64(&values, item->escalated_ms);
	values_u64(&values, item->escalation_id);
	values_u64(&values, item->expired_ms);
	values_u64(&values, item->answered_ms);
	values_u64(&values, item->due_ms);
	values_blob_or_null(&values, item->acknowledged_by);
	values_blob_or_null(&values, item->leased_by);
	return postgres_change_one(postgres_store_of(base), POSTGRES_INBOX_UPDATE, &values);
}

static enum store_status list(struct store *base, enum postgres_statement statement, const struct values *values, struct arena *arena,
			      struct store_inbox_item **ret, size_t *ret_count)
{
	return postgres_list(postgres_store_of(base), statement, values, read_item, sizeof **ret, arena, ret, ret_count);
}

enum store_status postgres_inbox_list(struct store *base, enum store_box box, const struct ods_code *organisation, uint64_t after_id,
				      bool include_acknowledged, size_t max, struct arena *arena, struct store_inbox_item **ret,
				      size_t *ret_count)
{
	struct values values = box_values(box, organisation);
	enum postgres_statement statement =
		include_acknowledged ? of_box(box, POSTGRES_INBOX_LIST_ALL, POSTGRES_ESCALATION_LIST_ALL)
				     : of_box(box, POSTGRES_INBOX_LIST_OPEN, POSTGRES_ESCALATION_LIST_OPEN);
	values_u64(&values, capped(after_id));
	values_u64(&values, max);
	return list(base, statement, &values, arena, ret, ret_count);
}

enum store_status postgres_inbox_free(struct store *base, enum store_box box, const struct ods_code *organisation, uint64_t after_id,
				      uint64_t now_ms, size_t max, struct arena *arena, struct store_inbox_item **ret, size_t *ret_count)
{
	struct values values = box_values(box, organisation);
	values_u64(&values, capped(after_id));
	values_u64(&values, max);
	values_u64(&values, now_ms);
	return list(base, of_box(box, POSTGRES_INBOX_FREE, POSTGRES_ESCALATION_FREE), &values, arena, ret, ret_count);
}

enum store_status postgres_inbox_next_free(struct store *base, enum store_box box, const struct ods_code *organisation, uint64_t now_ms,
					   uint64_t *ret_ms)
{
	struct values values = box_values(box, organisation);
	values_u64(&values, now_ms);
	return get_number(base, of_box(box, POSTGRES_INBOX_NEXT_FREE, POSTGRES_ESCALATION_NEXT_FREE), &values, ret_ms);
}

enum store_status postgres_inbox_due(struct store *base, enum store_box box, uint64_t now_ms, size_t max, struct arena *arena,
				     struct store_inbox_item **ret, size_t *ret_count)
{
	struct values values = {0};
	values_u64(&values, box);
	values_u64(&values, now_ms);
	values_u64(&values, max);
	return list(base, POSTGRES_INBOX_DUE, &values, arena, ret, ret_count);
}

enum store_status postgres_inbox_latest(struct store *base, enum store_box box, const struct ods_code *organisation, uint64_t before_ms,
					uint64_t but_kind, uint64_t *ret_created_ms)
{
	struct values values = box_values(box, organisation);
	values_u64(&values, before_ms);
	values_u64(&values, but_kind);
	enum store_status status = get_number(base, POSTGRES_INBOX_LATEST, &values, ret_created_ms);
	if (status != STORE_NOT_FOUND)
		return status;
	*ret_created_ms = 0;
	return STORE_OK;
}

enum store_status postgres_inbox_get(struct store *base, enum store_box box, const struct ods_code *organisation, uint64_t id,
				     struct arena *arena, struct store_inbox_item *ret)
{
	struct values values = box_values(box, organisation);
	if (id > INT64_MAX)
		return STORE_NOT_FOUND;
	values_u64(&values, id);
	return postgres_get(postgres_store_of(base), of_box(box, POSTGRES_INBOX_GET, POSTGRES_ESCALATION_GET), &values, read_item,
			    sizeof *ret, arena, ret);
}

enum store_status postgres_inbox_acknowledge(struct store *base, enum store_box box, const struct ods_code *organisation, uint64_t id,
					     uint64_t now_ms, struct store_blob acknowledged_by)
{
	struct values values = box_values(box, organisation);
	if (id > INT64_MAX)
		return STORE_NOT_FOUND;
	values_u64(&values, id);
	values_u64(&values, now_ms);
	values_bytes(&values, acknowledged_by.data, acknowledged_by.bytes);
	return postgres_change_one(postgres_store_of(base), POSTGRES_INBOX_ACKNOWLEDGE, &values);
}

enum store_status postgres_inbox_unacknowledged(struct store *base, enum store_box box, const struct ods_code *organisation, uint64_t *ret)
{
	struct values values = box_values(box, organisation);
	return get_number(base, of_box(box, POSTGRES_INBOX_UNACKNOWLEDGED, POSTGRES_ESCALATION_UNACKNOWLEDGED), &values, ret);
}

struct counted {
	uint64_t oldest_ms, all;
	uint64_t since[STORE_AGES - 1];
};

static bool read_counted(struct postgres_row row, struct arena *arena, void *to)
{
	struct counted *counted = to;
	(void)arena;
	if (!row_u64(row, 0, &counted->oldest_ms) || !row_u64(row, 1, &counted->all))
		return false;
	for (int i = 0; i < (int)STORE_AGES - 1; i++)
		if (!row_u64(row, 2 + i, &counted->since[i]))
			return false;
	return true;
}

enum store_status postgres_inbox_waiting(struct store *base, const uint64_t since_ms[STORE_AGES - 1], uint32_t max,
					 struct store_waiting *ret)
{
	struct values values = {0};
	struct counted counted;
	for (unsigned i = 0; i < STORE_AGES - 1; i++)
		values_u64(&values, since_ms[i]);
	values_u64(&values, (uint64_t)max + 1);
	enum store_status status = postgres_get(postgres_store_of(base), POSTGRES_INBOX_WAITING, &values, read_counted, sizeof counted,
						NULL, &counted);
	if (status == STORE_OK)
		*ret = store_waiting_of(counted.oldest_ms, counted.all, counted.since, max);
	return status;
}

// ------------------------------------------------------------------ nothing to report

enum store_status postgres_reported_put(struct store *base, const struct store_reported *row)
{
	struct values values = {0};
	values_u64(&values, row->until_ms);
	values_ods(&values, &row->after);
	return postgres_write(postgres_store_of(base), POSTGRES_REPORTED_PUT, &values);
}

static bool read_reported(struct postgres_row row, struct arena *arena, void *to)
{
	struct store_reported *reported = to;
	(void)arena;
	*reported = (struct store_reported){0};
	return row_u64(row, 0, &reported->until_ms) && (row_bytes(row, 1) == 0 || row_ods(row, 1, &reported->after));
}

enum store_status postgres_reported_get(struct store *base, struct store_reported *ret)
{
	return postgres_get(postgres_store_of(base), POSTGRES_REPORTED_GET, NULL, read_reported, sizeof *ret, NULL, ret);
}
