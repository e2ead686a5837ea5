// INBOX_ACKNOWLEDGE: somebody of the organisation has seen these items, or acted on them. Again is harmless.
#include "broker/settlement.h"

// What a hundred large items need together would not fit the request's memory: each gives back its own. Nothing of them is in
// the reply.
static enum reason acknowledge(struct op_context *context, uint64_t id, bool only_look, Cpis__V1__InboxAcknowledgeReply *reply)
{
	const Cpis__V1__InboxAcknowledgeRequest *request = context->request->inbox_acknowledge;
	enum store_box box = inbox_box_of(request->box);
	struct store_inbox_item row;
	bool done = false;
	enum store_status status = context->store->ops->inbox_get(context->store, box, &context->session->organisation, id,
								  context->arena, &row);
	if (status == STORE_NOT_FOUND) {
		reply->unknown += only_look ? 0 : 1;
		return REASON_NONE;
	}
	if (status != STORE_OK)
		return REASON_STORE;
	const Cpis__V1__InboxItem *item = inbox_open(context, box, &row);
	if (item == NULL)
		return only_look ? REASON_INTERNAL : REASON_STORE;
	if (only_look)
		return REASON_NONE;
	if (settlement_make(context, &row, item, request->settlement, &done) != REASON_NONE)
		return REASON_STORE;
	if (done)
		reply->acknowledged++;
	else
		reply->already++;
	return REASON_NONE;
}

static enum reason acknowledge_all(struct op_context *context, bool only_look, Cpis__V1__InboxAcknowledgeReply *reply)
{
	const Cpis__V1__InboxAcknowledgeRequest *request = context->request->inbox_acknowledge;
	enum reason reason = REASON_NONE;
	for (size_t i = 0; i < request->n_ids && reason == REASON_NONE; i++) {
		size_t used = context->arena->used;
		reason = acknowledge(context, request->ids[i], only_look, reply);
		arena_rewind(context->arena, used);
	}
	return reason;
}

enum reason op_inbox_acknowledge(struct op_context *context)
{
	Cpis__V1__InboxAcknowledgeReply *reply =
		OP_NEW(context, Cpis__V1__InboxAcknowledgeReply, cpis__v1__inbox_acknowledge_reply__init);
	if (reply == NULL)
		return REASON_INTERNAL;
	// An item that does not open refuses the request before the first of them is written.
	enum reason reason = acknowledge_all(context, true, reply);
	if (reason == REASON_NONE)
		reason = acknowledge_all(context, false, reply);
	if (reason != REASON_NONE)
		return reason;
	context->detail->count = reply->acknowledged;
	context->reply->inbox_acknowledge = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_INBOX_ACKNOWLEDGE;
	return REASON_NONE;
}
