// ALERT_LIST: what the session's own organisation has to look into.
#include "broker/alert.h"

// Tag and length of an alert in the list.
#define ITEM_FRAMING_BYTES 4u

enum reason op_alert_list(struct op_context *context)
{
	const Cpis__V1__AlertListRequest *request = context->request->alert_list;
	const struct ods_code *own = &context->session->organisation;
	size_t max = request->limit == 0 ? PAGE_ITEMS_DEFAULT : request->limit;
	struct store_inbox_item *rows = NULL;
	size_t count = 0;
	Cpis__V1__AlertListReply *reply = OP_NEW(context, Cpis__V1__AlertListReply, cpis__v1__alert_list_reply__init);
	if (reply == NULL)
		return REASON_INTERNAL;
	if (context->store->ops->inbox_list(context->store, STORE_BOX_ALERTS, own, request->after_id,
					    request->include_reviewed, max, context->arena, &rows, &count) != STORE_OK ||
	    context->store->ops->inbox_unacknowledged(context->store, STORE_BOX_ALERTS, own, &reply->open) != STORE_OK)
		return REASON_STORE;
	reply->alerts = arena_alloc(context->arena, (count + 1) * sizeof *reply->alerts);
	if (reply->alerts == NULL)
		return REASON_INTERNAL;
	reply->more = count == max;
	for (size_t i = 0, bytes = 0; i < count; i++) {
		Cpis__V1__Alert *alert = alert_open(context, &rows[i]);
		if (alert == NULL)
			return REASON_INTERNAL;
		bytes += cpis__v1__alert__get_packed_size(alert) + ITEM_FRAMING_BYTES;
		if (bytes > OP_BODY_BYTES_MAX) {
			reply->more = true;
			break;
		}
		reply->alerts[reply->n_alerts++] = alert;
	}
	context->detail->count = (uint32_t)reply->n_alerts;
	context->reply->alert_list = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_ALERT_LIST;
	return REASON_NONE;
}
