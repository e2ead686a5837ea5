// SESSION_CLOSE: somebody signs out; what is left of their tokens opens nothing.
#include "broker/closed_sessions.h"
#include "broker/op.h"

enum reason op_session_close(struct op_context *context)
{
	Cpis__V1__SessionCloseReply *reply = OP_NEW(context, Cpis__V1__SessionCloseReply, cpis__v1__session_close_reply__init);
	if (reply == NULL)
		return REASON_INTERNAL;
	if (closed_sessions_add(context->closed_sessions, context->session->id, context->now_ms) != STORE_OK)
		return REASON_STORE;
	// A renewed token would be of the session that has just ended.
	context->reply->session_token = (ProtobufCBinaryData){0, NULL};
	context->reply->session_close = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_SESSION_CLOSE;
	return REASON_NONE;
}
