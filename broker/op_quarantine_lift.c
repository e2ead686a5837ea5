// QUARANTINE_LIFT: answered again from the next message on.
#include "broker/op_quarantine.h"

enum reason op_quarantine_lift(struct op_context *context)
{
	const Cpis__V1__QuarantineLiftRequest *request = context->request->quarantine_lift;
	if (!op_quarantine_note(context, request->kind, request->target, request->reason))
		return REASON_INTERNAL;
	if (!op_quarantine_in_scope(context, request->kind, request->target))
		return REASON_QUARANTINE_SCOPE;
	Cpis__V1__QuarantineLiftReply *reply =
		OP_NEW(context, Cpis__V1__QuarantineLiftReply, cpis__v1__quarantine_lift_reply__init);
	if (reply == NULL)
		return REASON_INTERNAL;
	enum store_status status = quarantine_lift(context->quarantine, request->kind, request->target);
	if (status != STORE_OK && status != STORE_NOT_FOUND)
		return REASON_STORE;
	reply->lifted = status == STORE_OK;
	context->reply->quarantine_lift = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_QUARANTINE_LIFT;
	return REASON_NONE;
}
