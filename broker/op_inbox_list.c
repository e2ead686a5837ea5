// INBOX_LIST: reads the inbox of the session's own organisation.
#include "broker/inbox.h"
#include "broker/log.h"

enum reason op_inbox_list(struct op_context *context)
{
	const Cpis__V1__InboxListRequest *request = context->request->inbox_list;
	const struct ods_code *own = &context->session->organisation;
	size_t max = request->limit == 0 ? PAGE_ITEMS_DEFAULT : request->limit;
	struct store_inbox_item *rows = NULL;
	size_t count = 0;
	Cpis__V1__InboxListReply *reply = OP_NEW(context, Cpis__V1__InboxListReply, cpis__v1__inbox_list_reply__init);
	if (reply == NULL)
		return REASON_INTERNAL;
	if (context->store->ops->inbox_list(context->store, STORE_BOX_NOTIFICATIONS, own, request->after_id, request->include_acknowledged, max,
					    context->arena, &rows, &count) != STORE_OK ||
	    context->store->ops->inbox_unacknowledged(context->store, STORE_BOX_NOTIFICATIONS, own, &reply->unacknowledged) != STORE_OK)
		return REASON_STORE;
	reply->items = arena_alloc(context->arena, (count + 1) * sizeof *reply->items);
	if (reply->items == NULL)
		return REASON_INTERNAL;
	size_t body_bytes = 0;
	for (size_t i = 0; i < count; i++) {
		Cpis__V1__InboxItem *item = inbox_open(context, &rows[i]);
		if (item == NULL) {
			log_event(LOG_LEVEL_ERROR, "inbox_unreadable", "item %llu of %s does not open",
				  (unsigned long long)rows[i].id, own->text);
			return REASON_INTERNAL;
		}
		body_bytes += protobuf_c_message_get_packed_size(&item->base) + 8;
		if (body_bytes > OP_BODY_BYTES_MAX)
			break; // the rest comes with the next page: after_id
		reply->items[reply->n_items++] = item;
	}
	context->detail->count = (uint32_t)reply->n_items;
	context->reply->inbox_list = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_INBOX_LIST;
	return REASON_NONE;
}
