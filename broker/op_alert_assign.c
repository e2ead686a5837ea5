// ALERT_ASSIGN: who looks into a case.
#include <string.h>

#include "broker/alert.h"

// Somebody of this organisation; what they may do about it is decided when they do it.
static bool may_be_given(const struct op_context *context, const struct alert_case *opened, const char *uid)
{
	return strcmp(opened->about_uid, uid) != 0 &&
	       roles_has_person(context->roles, context->snapshot, uid, &context->session->organisation);
}

enum reason op_alert_assign(struct op_context *context)
{
	const Cpis__V1__AlertAssignRequest *request = context->request->alert_assign;
	struct alert_case opened;
	Cpis__V1__AlertAssignReply *reply =
		OP_NEW(context, Cpis__V1__AlertAssignReply, cpis__v1__alert_assign_reply__init);
	if (reply == NULL)
		return REASON_INTERNAL;
	context->detail->reason = arena_printf(context->arena, "to %s", request->uid);
	enum reason reason = context->detail->reason == NULL ? REASON_INTERNAL
							     : alert_case_load(context, request->id, &opened);
	if (reason == REASON_NONE && opened.row.acknowledged_ms != 0)
		reason = REASON_ALERT_CLOSED;
	if (reason == REASON_NONE && !may_be_given(context, &opened, request->uid))
		reason = REASON_ALERT_ASSIGNEE;
	if (reason == REASON_NONE)
		reason = alert_case_add(context, &opened, CPIS__V1__ALERT_STEP_KIND__STEP_ASSIGNED, request->uid,
					CPIS__V1__ALERT_FINDING__ALERT_FINDING_UNSPECIFIED);
	if (reason != REASON_NONE)
		return reason;
	opened.stored->assigned_uid = request->uid;
	if ((reply->alert = alert_case_outline(context, &opened)) == NULL)
		return REASON_INTERNAL;
	if ((reason = alert_case_keep(context, &opened)) != REASON_NONE)
		return reason;
	context->reply->alert_assign = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_ALERT_ASSIGN;
	return REASON_NONE;
}
