// ALERT_SHOW: one alert as a case, with all that was done about it.
#include "broker/alert.h"

enum reason op_alert_show(struct op_context *context)
{
	struct alert_case opened;
	Cpis__V1__AlertShowReply *reply = OP_NEW(context, Cpis__V1__AlertShowReply, cpis__v1__alert_show_reply__init);
	if (reply == NULL)
		return REASON_INTERNAL;
	enum reason reason = alert_case_load(context, context->request->alert_show->id, &opened);
	if (reason != REASON_NONE)
		return reason;
	reply->alert = opened.alert;
	context->detail->count = (uint32_t)opened.alert->n_steps;
	context->reply->alert_show = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_ALERT_SHOW;
	return REASON_NONE;
}
