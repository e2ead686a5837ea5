// ROLE_END: from the next message on the person does not hold this role at this organisation any more; sessions in it
// end with it.
#include "broker/op.h"

enum reason op_role_end(struct op_context *context)
{
	const Cpis__V1__RoleEndRequest *request = context->request->role_end;
	const struct ods_code *own = &context->session->organisation;
	Cpis__Stored__V1__StoredRole role = CPIS__STORED__V1__STORED_ROLE__INIT;
	bool replaced = false;
	char *target = arena_printf(context->arena, "%s %s", request->uid, request->role_code);
	Cpis__V1__RoleEndReply *reply = OP_NEW(context, Cpis__V1__RoleEndReply, cpis__v1__role_end_reply__init);
	if (target == NULL || reply == NULL)
		return REASON_INTERNAL;
	context->detail->target = target;
	context->detail->reason = request->reason;
	context->reply->role_end = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_ROLE_END;
	// One that would begin later is ended as well.
	if (!roles_holds_or_will(context->roles, context->snapshot, request->uid, request->role_code, own, context->now_ms))
		return REASON_NONE;
	// Kept as ended, so that the one in the register's file does not count any more either.
	role.uid = request->uid;
	role.role_code = request->role_code;
	role.organisation = context->session->organisation.text;
	role.until_ms = context->now_ms;
	role.granted_by_uid = context->session->uid;
	role.granted_by_name = context->session->name;
	role.audit_index = context->audit_index;
	enum store_status status = roles_put(context->roles, context->arena, &role, &replaced);
	if (status != STORE_OK)
		return status == STORE_NO_MEMORY ? REASON_INTERNAL : REASON_STORE;
	reply->ended = true;
	return REASON_NONE;
}
