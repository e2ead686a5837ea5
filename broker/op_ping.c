// PING: is the whole path alive, down to the disk? Needs no person; recorded like everything else.
#include "broker/op.h"

enum reason op_ping(struct op_context *context)
{
	Cpis__V1__PingReply *reply = OP_NEW(context, Cpis__V1__PingReply, cpis__v1__ping_reply__init);
	if (reply == NULL)
		return REASON_INTERNAL;
	reply->broker_name = op_text(context->broker_name);
	reply->version = op_text(CPIS_VERSION);
	reply->time_ms = context->now_ms;
	context->reply->ping = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_PING;
	return REASON_NONE;
}
