// RETENTION_RELEASE: a hold ends, and what is due by the policy goes.
#include "broker/hold.h"

enum reason op_retention_release(struct op_context *context)
{
	const Cpis__V1__RetentionReleaseRequest *request = context->request->retention_release;
	context->detail->target = request->name;
	context->detail->reason = request->reason;
	Cpis__V1__RetentionReleaseReply *reply =
		OP_NEW(context, Cpis__V1__RetentionReleaseReply, cpis__v1__retention_release_reply__init);
	if (reply == NULL)
		return REASON_INTERNAL;
	enum store_status status = hold_delete(context, request->name);
	if (status != STORE_OK && status != STORE_NOT_FOUND)
		return REASON_STORE;
	reply->released = status == STORE_OK;
	context->reply->retention_release = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_RETENTION_RELEASE;
	return REASON_NONE;
}
