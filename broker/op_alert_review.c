// ALERT_REVIEW: what somebody entitled found when they looked into an alert. Once, and never about oneself.
#include "broker/alert.h"

static enum reason review(struct op_context *context, struct alert_case *opened)
{
	const Cpis__V1__AlertReviewRequest *request = context->request->alert_review;
	enum reason reason = alert_case_add(context, opened, CPIS__V1__ALERT_STEP_KIND__STEP_OUTCOME, request->words,
					    request->finding);
	if (reason == REASON_NONE)
		reason = alert_case_decide(context, opened, request);
	if (reason != REASON_NONE)
		return reason;
	if (!request->keep_open)
		opened->row.acknowledged_ms = context->now_ms;
	return alert_case_keep(context, opened);
}

enum reason op_alert_review(struct op_context *context)
{
	const Cpis__V1__AlertReviewRequest *request = context->request->alert_review;
	struct alert_case opened;
	Cpis__V1__AlertReviewReply *reply =
		OP_NEW(context, Cpis__V1__AlertReviewReply, cpis__v1__alert_review_reply__init);
	if (reply == NULL)
		return REASON_INTERNAL;
	enum reason reason = alert_case_load(context, request->id, &opened);
	context->detail->reason = request->words;
	context->detail->target = arena_printf(context->arena, "alert %llu: %s", (unsigned long long)request->id,
					       wire_alert_finding_name(request->finding));
	if (reason != REASON_NONE || context->detail->target == NULL)
		return reason != REASON_NONE ? reason : REASON_INTERNAL;
	if (opened.alert->reviewed_ms == 0) {
		if ((reason = review(context, &opened)) != REASON_NONE)
			return reason;
		reply->reviewed = true;
	}
	context->reply->alert_review = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_ALERT_REVIEW;
	return REASON_NONE;
}
