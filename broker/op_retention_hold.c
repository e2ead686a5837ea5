// RETENTION_HOLD: from now on no key of these months is destroyed.
#include <string.h>

#include "broker/hold.h"
#include "proto/date.h"

// An empty end is one without an end.
static bool covers(const Cpis__V1__RetentionHold *wide, const Cpis__V1__RetentionHold *narrow)
{
	bool from = wide->from_month[0] == '\0' ||
		    (narrow->from_month[0] != '\0' && strcmp(wide->from_month, narrow->from_month) <= 0);
	bool until = wide->until_month[0] == '\0' ||
		     (narrow->until_month[0] != '\0' && strcmp(wide->until_month, narrow->until_month) >= 0);
	return from && until;
}

// Releasing has conditions of its own, which holding less may not get round.
static enum reason check_others(struct op_context *context, const Cpis__V1__RetentionHold *asked, bool *ret_replaced)
{
	Cpis__V1__RetentionHold **holds = NULL;
	size_t count = 0;
	*ret_replaced = false;
	enum store_status status = hold_all(context, &holds, &count);
	if (status != STORE_OK)
		return status == STORE_FAILED ? REASON_STORE : REASON_INTERNAL;
	for (size_t i = 0; i < count; i++) {
		if (strcmp(holds[i]->name, asked->name) != 0)
			continue;
		*ret_replaced = true;
		return covers(asked, holds[i]) ? REASON_NONE : REASON_HOLD_NARROWER;
	}
	return count < HOLDS_MAX ? REASON_NONE : REASON_HOLDS_FULL;
}

enum reason op_retention_hold(struct op_context *context)
{
	const Cpis__V1__RetentionHold *asked = context->request->retention_hold->hold;
	Cpis__V1__RetentionHold hold = CPIS__V1__RETENTION_HOLD__INIT;
	bool replaced = false;
	context->detail->target = arena_printf(context->arena, "%s %s to %s", asked->name,
					       asked->from_month[0] == '\0' ? "first" : asked->from_month,
					       asked->until_month[0] == '\0' ? "last" : asked->until_month);
	context->detail->reason = asked->reason;
	if (context->detail->target == NULL)
		return REASON_INTERNAL;
	enum reason reason = check_others(context, asked, &replaced);
	if (reason != REASON_NONE)
		return reason;
	hold.name = asked->name;
	hold.from_month = asked->from_month;
	hold.until_month = asked->until_month;
	hold.reason = asked->reason;
	hold.held_by_uid = context->session->uid;
	hold.held_by_name = context->session->name;
	hold.since_ms = context->now_ms;
	hold.audit_index = context->audit_index;
	Cpis__V1__RetentionHoldReply *reply =
		OP_NEW(context, Cpis__V1__RetentionHoldReply, cpis__v1__retention_hold_reply__init);
	if (reply == NULL)
		return REASON_INTERNAL;
	enum store_status status = hold_put(context, &hold);
	if (status != STORE_OK)
		return status == STORE_FAILED ? REASON_STORE : REASON_INTERNAL;
	reply->replaced = replaced;
	context->reply->retention_hold = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_RETENTION_HOLD;
	return REASON_NONE;
}
