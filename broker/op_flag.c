// FLAG: step one, silent. Says only whether there is something to open.
#include "broker/child.h"
#include "broker/neighbour.h"

enum reason op_flag(struct op_context *context)
{
	struct child child;
	struct neighbour neighbour;
	struct neighbour_words words;
	enum reason reason = child_load(context, context->request->flag->nhs_number, &child);
	if (reason == REASON_NONE)
		reason = neighbour_ask(context, &child.number, false, &neighbour);
	if (reason != REASON_NONE)
		return reason;
	Cpis__V1__FlagReply *reply = OP_NEW(context, Cpis__V1__FlagReply, cpis__v1__flag_reply__init);
	if (reply == NULL)
		return REASON_INTERNAL;
	reply->flag = child.plan_count > 0 || neighbour.flag;
	if (!neighbour_words(context, &neighbour, reply->flag, &words))
		return REASON_INTERNAL;
	reply->notice = words.notice;
	reply->not_available_from = words.not_available_from;
	reply->n_not_available_from = words.not_available_count;
	context->reply->flag = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_FLAG;
	return REASON_NONE;
}
