// ALERT_REVIEW: what somebody entitled found when they looked into an alert. Once, and never about oneself.
#include <string.h>

#include "broker/alert.h"

static enum reason review(struct op_context *context, const struct ods_code *own)
{
	const Cpis__V1__AlertReviewRequest *request = context->request->alert_review;
	Cpis__Stored__V1__StoredReview review = CPIS__STORED__V1__STORED_REVIEW__INIT;
	review.finding = request->finding;
	review.words = request->words;
	review.reviewed_by_uid = context->session->uid;
	review.reviewed_by_name = context->session->name;
	struct store_blob sealed = alert_seal_review(context, own, request->id, &review);
	if (sealed.data == NULL || context->store->ops->inbox_acknowledge(context->store, STORE_BOX_ALERTS, own, request->id,
									  context->now_ms, sealed) != STORE_OK)
		return REASON_STORE;
	return REASON_NONE;
}

enum reason op_alert_review(struct op_context *context)
{
	const Cpis__V1__AlertReviewRequest *request = context->request->alert_review;
	const struct ods_code *own = &context->session->organisation;
	struct store_inbox_item row;
	const char *uid = NULL;
	Cpis__V1__AlertReviewReply *reply =
		OP_NEW(context, Cpis__V1__AlertReviewReply, cpis__v1__alert_review_reply__init);
	char *target = arena_printf(context->arena, "alert %llu: %s", (unsigned long long)request->id,
				    wire_alert_finding_name(request->finding));
	if (reply == NULL || target == NULL)
		return REASON_INTERNAL;
	context->detail->target = target;
	context->detail->reason = request->words;
	enum store_status status = context->store->ops->inbox_get(context->store, STORE_BOX_ALERTS, own, request->id,
								  context->arena, &row);
	if (status == STORE_NOT_FOUND)
		return REASON_NO_SUCH_ALERT;
	if (status != STORE_OK)
		return REASON_STORE;
	if (alert_open(context, &row, &uid) == NULL)
		return REASON_INTERNAL;
	if (strcmp(uid, context->session->uid) == 0)
		return REASON_REVIEW_SELF;
	if (row.acknowledged_ms == 0) {
		enum reason reason = review(context, own);
		if (reason != REASON_NONE)
			return reason;
		reply->reviewed = true;
	}
	context->reply->alert_review = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_ALERT_REVIEW;
	return REASON_NONE;
}
