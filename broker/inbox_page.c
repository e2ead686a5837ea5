// A page of an inbox. Read a few rows at a time: a hundred large ones would not fit the request's memory, and what fits a
// reply is known only when they are open.
#include "broker/inbox_page.h"

#define ROWS_AT_A_TIME 8u

static enum store_status read_rows(struct op_context *context, const struct inbox_query *query, uint64_t after_id, size_t max,
				   struct store_inbox_item **rows, size_t *count)
{
	const struct ods_code *own = &context->session->organisation;
	const struct store_ops *ops = context->store->ops;
	return query->choice == INBOX_FREE
		       ? ops->inbox_free(context->store, query->box, own, after_id, context->now_ms, max, context->arena, rows, count)
		       : ops->inbox_list(context->store, query->box, own, after_id, query->choice == INBOX_ALL, max, context->arena,
					 rows, count);
}

static enum reason add(struct op_context *context, const struct inbox_query *query, const struct store_inbox_item *row,
		       size_t *body_bytes, bool *full, struct inbox_page *page)
{
	Cpis__V1__InboxItem *item = inbox_open(context, query->box, row);
	if (item == NULL)
		return REASON_INTERNAL;
	*body_bytes += protobuf_c_message_get_packed_size(&item->base) + 8;
	// The rest comes with the next page: after_id.
	*full = *body_bytes > OP_BODY_BYTES_MAX;
	if (*full)
		return REASON_NONE;
	page->rows[page->count] = *row;
	page->items[page->count++] = item;
	*full = page->count == query->max;
	return REASON_NONE;
}

enum reason inbox_page_read(struct op_context *context, const struct inbox_query *query, struct inbox_page *ret)
{
	uint64_t after_id = query->after_id;
	size_t body_bytes = 0, found;
	bool full = false;
	ret->count = 0;
	ret->items = arena_alloc(context->arena, query->max * sizeof *ret->items);
	if (ret->items == NULL)
		return REASON_INTERNAL;
	if (context->store->ops->inbox_unacknowledged(context->store, query->box, &context->session->organisation,
						      &ret->unacknowledged) != STORE_OK)
		return REASON_STORE;
	do {
		struct store_inbox_item *rows = NULL;
		size_t left = query->max - ret->count, wanted = left < ROWS_AT_A_TIME ? left : ROWS_AT_A_TIME;
		if (read_rows(context, query, after_id, wanted, &rows, &found) != STORE_OK)
			return REASON_STORE;
		for (size_t i = 0; i < found && !full; i++) {
			enum reason reason = add(context, query, &rows[i], &body_bytes, &full, ret);
			if (reason != REASON_NONE)
				return reason;
			after_id = query->box == STORE_BOX_ESCALATIONS ? rows[i].escalation_id : rows[i].id;
		}
		full = full || found < wanted;
	} while (!full);
	return REASON_NONE;
}
