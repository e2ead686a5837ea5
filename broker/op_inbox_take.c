// INBOX_TAKE: takes items of the session's own organisation for a while, so that its workers share the inbox without doing
// anything twice at the same time; when there is none that is free, waits for one. An item is nobody's again when its lease is
// over, or before, when it is acknowledged.
#include "broker/inbox_page.h"
#include "broker/progress.h"

static struct store_blob seal_lease(struct op_context *context, const struct store_inbox_item *row)
{
	Cpis__Stored__V1__StoredLease lease = CPIS__STORED__V1__STORED_LEASE__INIT;
	lease.by = context->session->name;
	lease.lease = context->audit_index;
	return inbox_seal(context, row, INBOX_PART_LEASE, &lease.base);
}

// From here on the store changes: nothing below refuses.
static enum reason lease_all(struct op_context *context, struct inbox_page *page, uint64_t until_ms)
{
	for (size_t i = 0; i < page->count; i++) {
		struct store_inbox_item *row = &page->rows[i];
		bool ignored;
		enum reason reason = progress_deliver(context, row, page->items[i], &ignored);
		if (reason != REASON_NONE)
			return reason;
		row->lease_until_ms = until_ms;
		row->leased_by = seal_lease(context, row);
		if (row->leased_by.data == NULL || context->store->ops->inbox_update(context->store, row) != STORE_OK)
			return REASON_STORE;
	}
	return REASON_NONE;
}

// Until something comes, or something that is held is free again.
static enum reason wait(struct op_context *context, enum store_box box, uint32_t wait_ms)
{
	uint64_t free_ms;
	if (context->store->ops->inbox_next_free(context->store, box, &context->session->organisation, context->now_ms,
						 &free_ms) != STORE_OK)
		return REASON_STORE;
	if (free_ms != 0 && free_ms - context->now_ms < wait_ms)
		wait_ms = (uint32_t)(free_ms - context->now_ms);
	return inbox_wait(context, box, wait_ms) ? REASON_PARKED : REASON_NONE;
}

static enum reason take(struct op_context *context, const Cpis__V1__InboxTakeRequest *request, uint64_t until_ms,
			struct inbox_page *page)
{
	struct inbox_query query = {
		.box = inbox_box_of(request->box),
		.choice = INBOX_FREE,
		.max = request->limit == 0 ? 1 : request->limit,
	};
	enum reason reason = inbox_page_read(context, &query, page);
	if (reason != REASON_NONE)
		return reason;
	return page->count == 0 ? wait(context, query.box, request->wait_ms) : lease_all(context, page, until_ms);
}

// The item, if it is still held by that take.
static enum reason find_held(struct op_context *context, const Cpis__V1__InboxTakeRequest *request, struct inbox_page *page)
{
	const struct ods_code *own = &context->session->organisation;
	enum store_box box = inbox_box_of(request->box);
	struct store_inbox_item *row = &page->rows[0];
	page->items = arena_alloc(context->arena, sizeof *page->items);
	if (page->items == NULL)
		return REASON_INTERNAL;
	enum store_status status =
		context->store->ops->inbox_get(context->store, box, own, request->held_id, context->arena, row);
	if (status == STORE_NOT_FOUND || (status == STORE_OK && (row->acknowledged_ms != 0 || row->expired_ms != 0 ||
								 row->lease_until_ms <= context->now_ms)))
		return REASON_NONE;
	if (status != STORE_OK)
		return REASON_STORE;
	const Cpis__Stored__V1__StoredLease *lease = inbox_lease(context, row);
	Cpis__V1__InboxItem *item = inbox_open(context, box, row);
	if (lease == NULL || item == NULL)
		return REASON_INTERNAL;
	if (lease->lease != request->lease)
		return REASON_NONE;
	page->items[page->count++] = item;
	return REASON_NONE;
}

// The lease keeps its name, so that it can be held on to again.
static enum reason hold(struct op_context *context, const Cpis__V1__InboxTakeRequest *request, uint64_t until_ms,
			struct inbox_page *page)
{
	enum reason reason = find_held(context, request, page);
	if (reason != REASON_NONE || page->count == 0)
		return reason;
	page->rows[0].lease_until_ms = page->items[0]->lease_until_ms = until_ms;
	// Who waits for it learns when it is free.
	wakes_add(context->wakes, inbox_wait_key(STORE_BOX_NOTIFICATIONS, &context->session->organisation));
	wakes_add(context->wakes, inbox_wait_key(STORE_BOX_ESCALATIONS, &context->session->organisation));
	return context->store->ops->inbox_update(context->store, &page->rows[0]) == STORE_OK ? REASON_NONE : REASON_STORE;
}

enum reason op_inbox_take(struct op_context *context)
{
	const Cpis__V1__InboxTakeRequest *request = context->request->inbox_take;
	uint64_t until_ms = context->now_ms + request->lease_ms;
	struct inbox_page page = {.count = 0};
	Cpis__V1__InboxTakeReply *reply = OP_NEW(context, Cpis__V1__InboxTakeReply, cpis__v1__inbox_take_reply__init);
	if (reply == NULL)
		return REASON_INTERNAL;
	enum reason reason = request->held_id != 0 ? hold(context, request, until_ms, &page)
						   : take(context, request, until_ms, &page);
	if (reason != REASON_NONE)
		return reason;
	if (context->store->ops->inbox_unacknowledged(context->store, inbox_box_of(request->box), &context->session->organisation,
						      &reply->unacknowledged) != STORE_OK)
		return REASON_STORE;
	reply->items = page.items;
	reply->n_items = page.count;
	if (page.count > 0) {
		reply->lease_until_ms = until_ms;
		reply->lease = request->held_id != 0 ? request->lease : context->audit_index;
	}
	context->detail->count = (uint32_t)reply->n_items;
	context->reply->inbox_take = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_INBOX_TAKE;
	return REASON_NONE;
}
