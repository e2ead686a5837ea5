// FLAG: step one, silent. Says only whether there is something to open.
#include "broker/child.h"

enum reason op_flag(struct op_context *context)
{
	struct child child;
	enum reason reason = child_load(context, context->request->flag->nhs_number, &child);
	if (reason != REASON_NONE)
		return reason;
	Cpis__V1__FlagReply *reply = OP_NEW(context, Cpis__V1__FlagReply, cpis__v1__flag_reply__init);
	if (reply == NULL)
		return REASON_INTERNAL;
	reply->flag = child.plan_count > 0;
	reply->notice = op_text(reply->flag ? CHILD_NOTICE_KNOWN : CHILD_NOTICE_NONE);
	context->reply->flag = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_FLAG;
	return REASON_NONE;
}
