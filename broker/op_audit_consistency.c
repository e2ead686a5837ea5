// AUDIT_CONSISTENCY: the proof that the log of one size is the beginning of the log of another (RFC 9162 section 2.1.4).
#include "broker/op.h"

enum reason op_audit_consistency(struct op_context *context)
{
	const Cpis__V1__AuditConsistencyRequest *asked = context->request->audit_consistency;
	// Up to and without this request's own record: what has a checkpoint is smaller.
	if (asked->new_size > context->audit_index)
		return REASON_NO_SUCH_SIZE;
	Cpis__V1__AuditConsistencyReply *reply =
		OP_NEW(context, Cpis__V1__AuditConsistencyReply, cpis__v1__audit_consistency_reply__init);
	if (reply == NULL)
		return REASON_INTERNAL;
	if (!audit_growth(context->audit, context->arena, asked->old_size, asked->new_size, &reply->n_path, &reply->path))
		return REASON_STORE;
	context->reply->audit_consistency = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_AUDIT_CONSISTENCY;
	return REASON_NONE;
}
