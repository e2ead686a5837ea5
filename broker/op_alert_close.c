// ALERT_CLOSE: what was still to be done about a case is done. Once, and never about oneself.
#include "broker/alert.h"

enum reason op_alert_close(struct op_context *context)
{
	const Cpis__V1__AlertCloseRequest *request = context->request->alert_close;
	struct alert_case opened;
	Cpis__V1__AlertCloseReply *reply = OP_NEW(context, Cpis__V1__AlertCloseReply, cpis__v1__alert_close_reply__init);
	if (reply == NULL)
		return REASON_INTERNAL;
	context->detail->reason = request->words;
	enum reason reason = alert_case_load(context, request->id, &opened);
	if (reason != REASON_NONE)
		return reason;
	if (opened.alert->reviewed_ms == 0)
		return REASON_ALERT_UNDECIDED;
	if (opened.row.acknowledged_ms == 0) {
		reason = alert_case_add(context, &opened, CPIS__V1__ALERT_STEP_KIND__STEP_CLOSED, request->words,
					CPIS__V1__ALERT_FINDING__ALERT_FINDING_UNSPECIFIED);
		opened.row.acknowledged_ms = context->now_ms;
		if (reason == REASON_NONE)
			reason = alert_case_keep(context, &opened);
		if (reason != REASON_NONE)
			return reason;
		reply->closed = true;
	}
	context->reply->alert_close = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_ALERT_CLOSE;
	return REASON_NONE;
}
