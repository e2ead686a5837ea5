// INBOX_ACKNOWLEDGE: somebody of the organisation has taken these notifications on. Again is harmless.
#include "broker/inbox.h"

static enum reason acknowledge(struct op_context *context, uint64_t id, Cpis__V1__InboxAcknowledgeReply *reply)
{
	const struct ods_code *own = &context->session->organisation;
	struct store_inbox_item item;
	enum store_status status = context->store->ops->inbox_get(context->store, STORE_BOX_NOTIFICATIONS, own, id, context->arena, &item);
	if (status == STORE_NOT_FOUND) {
		reply->unknown++;
		return REASON_NONE;
	}
	if (status != STORE_OK)
		return REASON_STORE;
	if (item.acknowledged_ms != 0) {
		reply->already++;
		return REASON_NONE;
	}
	struct store_blob by = inbox_seal_acknowledger(context, own, id, context->session->name);
	if (by.data == NULL ||
	    context->store->ops->inbox_acknowledge(context->store, STORE_BOX_NOTIFICATIONS, own, id, context->now_ms, by) != STORE_OK)
		return REASON_STORE;
	reply->acknowledged++;
	return REASON_NONE;
}

enum reason op_inbox_acknowledge(struct op_context *context)
{
	const Cpis__V1__InboxAcknowledgeRequest *request = context->request->inbox_acknowledge;
	Cpis__V1__InboxAcknowledgeReply *reply =
		OP_NEW(context, Cpis__V1__InboxAcknowledgeReply, cpis__v1__inbox_acknowledge_reply__init);
	if (reply == NULL)
		return REASON_INTERNAL;
	for (size_t i = 0; i < request->n_ids; i++) {
		enum reason reason = acknowledge(context, request->ids[i], reply);
		if (reason != REASON_NONE)
			return reason;
	}
	context->detail->count = reply->acknowledged;
	context->reply->inbox_acknowledge = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_INBOX_ACKNOWLEDGE;
	return REASON_NONE;
}
