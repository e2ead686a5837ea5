// POLICY_SHOW: the policy in force, as it was written, and how it came to be.
#include "broker/op.h"

enum reason op_policy_show(struct op_context *context)
{
	Cpis__V1__PolicyShowReply *reply = OP_NEW(context, Cpis__V1__PolicyShowReply, cpis__v1__policy_show_reply__init);
	if (reply == NULL)
		return REASON_INTERNAL;
	size_t bytes;
	const uint8_t *text = policy_text(context->policy, &bytes);
	// A longer one can stand in the broker's own file, and does not fit a message.
	if (bytes > POLICY_BYTES_MAX)
		bytes = 0;
	reply->version = op_text(policy_version(context->policy));
	reply->policy = (ProtobufCBinaryData){bytes, (uint8_t *)(uintptr_t)text};
	const Cpis__Stored__V1__StoredPolicy *origin = policy_in_force_origin(context->in_force);
	if (origin != NULL) {
		reply->loaded_by = origin->loaded_by_name;
		reply->loaded_ms = origin->loaded_ms;
		reply->audit_index = origin->audit_index;
	}
	context->reply->policy_show = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_POLICY_SHOW;
	return REASON_NONE;
}
