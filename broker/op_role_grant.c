// ROLE_GRANT: a registration authority gives a person a role at its own organisation.
#include <string.h>

#include "broker/op.h"

static bool activities_are_known(const struct op_context *context, const Cpis__V1__RoleGrantRequest *request)
{
	struct activity_set ignored = {0};
	for (size_t i = 0; i < request->n_activities; i++)
		if (!policy_activity(context->policy, request->activities[i], &ignored))
			return false;
	return true;
}

enum reason op_role_grant(struct op_context *context)
{
	const Cpis__V1__RoleGrantRequest *request = context->request->role_grant;
	Cpis__Stored__V1__StoredRole role = CPIS__STORED__V1__STORED_ROLE__INIT;
	bool replaced = false;
	char *target = arena_printf(context->arena, "%s %s", request->uid, request->role_code);
	if (target == NULL)
		return REASON_INTERNAL;
	context->detail->target = target;
	context->detail->reason = request->reason;
	if (strcmp(request->uid, context->session->uid) == 0)
		return REASON_ROLE_SELF;
	if (policy_role_name(context->policy, request->role_code) == NULL)
		return REASON_ROLE_UNKNOWN;
	if (!activities_are_known(context, request) ||
	    (request->until_ms != 0 && request->until_ms <= context->now_ms) || request->trained_ms > context->now_ms)
		return REASON_VALUE;
	role.uid = request->uid;
	role.role_code = request->role_code;
	role.organisation = context->session->organisation.text;
	role.from_ms = request->from_ms == 0 ? context->now_ms : request->from_ms;
	role.until_ms = request->until_ms;
	role.trained_ms = request->trained_ms;
	role.n_activities = request->n_activities;
	role.activities = request->activities;
	role.granted_by_uid = context->session->uid;
	role.granted_by_name = context->session->name;
	role.audit_index = context->audit_index;
	Cpis__V1__RoleGrantReply *reply = OP_NEW(context, Cpis__V1__RoleGrantReply, cpis__v1__role_grant_reply__init);
	if (reply == NULL)
		return REASON_INTERNAL;
	enum store_status status = roles_put(context->roles, context->arena, &role, &replaced);
	if (status != STORE_OK)
		return status == STORE_NO_MEMORY ? REASON_INTERNAL : REASON_STORE;
	reply->replaced = replaced;
	context->reply->role_grant = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_ROLE_GRANT;
	return REASON_NONE;
}
