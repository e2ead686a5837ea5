// INBOX_LIST: reads the inbox of the session's own organisation; when there is nothing, waits for something.
#include "broker/inbox_page.h"
#include "broker/progress.h"

// What people wrote to each other has now been handed to somebody.
static enum reason deliver(struct op_context *context, struct inbox_page *page)
{
	for (size_t i = 0; i < page->count; i++) {
		bool changed = false;
		enum reason reason = progress_deliver(context, &page->rows[i], page->items[i], &changed);
		if (reason != REASON_NONE)
			return reason;
		if (changed && context->store->ops->inbox_update(context->store, &page->rows[i]) != STORE_OK)
			return REASON_STORE;
	}
	return REASON_NONE;
}

enum reason op_inbox_list(struct op_context *context)
{
	const Cpis__V1__InboxListRequest *request = context->request->inbox_list;
	struct inbox_query query = {
		.box = inbox_box_of(request->box),
		.choice = request->include_acknowledged ? INBOX_ALL : INBOX_OPEN,
		.after_id = request->after_id,
		.max = request->limit == 0 ? PAGE_ITEMS_DEFAULT : request->limit,
	};
	struct inbox_page page;
	Cpis__V1__InboxListReply *reply = OP_NEW(context, Cpis__V1__InboxListReply, cpis__v1__inbox_list_reply__init);
	if (reply == NULL)
		return REASON_INTERNAL;
	enum reason reason = inbox_page_read(context, &query, &page);
	if (reason != REASON_NONE)
		return reason;
	if (page.count == 0 && inbox_wait(context, query.box, request->wait_ms))
		return REASON_PARKED;
	if ((reason = deliver(context, &page)) != REASON_NONE)
		return reason;
	reply->items = page.items;
	reply->n_items = page.count;
	reply->unacknowledged = page.unacknowledged;
	context->detail->count = (uint32_t)reply->n_items;
	context->reply->inbox_list = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_INBOX_LIST;
	return REASON_NONE;
}
