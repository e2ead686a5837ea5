// ENROL_INVITE: a registrar lets a new system come with a one-time code. The broker gets the code's hash only, and keeps a
// keyed tag of that.
#include <stdio.h>
#include <string.h>

#include "broker/op_enrol.h"

enum reason op_enrol_invite(struct op_context *context)
{
	const Cpis__V1__EnrolInviteRequest *request = context->request->enrol_invite;
	struct enrolments_entry entry = {
		.invited_ms = context->now_ms, .until_ms = request->until_ms, .audit_index = context->audit_index};
	if (!op_enrol_note(context, request->organisation, request->system_name, ""))
		return REASON_INTERNAL;
	context->detail->reason = request->reason;
	if (!ods_code_parse(request->organisation, strlen(request->organisation), &entry.organisation) ||
	    !op_enrol_in_scope(context, &entry.organisation))
		return REASON_ENROLMENT_SCOPE;
	if (request->until_ms <= context->now_ms || request->until_ms > context->now_ms + ENROLMENT_MS_MAX)
		return REASON_VALUE;
	snprintf(entry.system_name, sizeof entry.system_name, "%s", request->system_name);
	snprintf(entry.invited_by_uid, sizeof entry.invited_by_uid, "%s", context->session->uid);
	snprintf(entry.invited_by_name, sizeof entry.invited_by_name, "%s", context->session->name);
	vault_tag_enrolment_code(context->vault, request->code_sha256.data, &entry.code);
	const struct enrolments_entry *before =
		enrolments_find(context->enrolments, &entry.organisation, entry.system_name);
	const struct enrolments_entry *same_code = enrolments_by_code(context->enrolments, &entry.code);
	// One code must not lead to two invitations.
	if (same_code != NULL && same_code != before)
		return REASON_VALUE;
	if (before == NULL && !enrolments_has_room(context->enrolments, context->now_ms))
		return REASON_ENROLMENTS_FULL;
	Cpis__V1__EnrolInviteReply *reply =
		OP_NEW(context, Cpis__V1__EnrolInviteReply, cpis__v1__enrol_invite_reply__init);
	if (reply == NULL)
		return REASON_INTERNAL;
	reply->replaced = before != NULL && enrolments_is_open(before, context->now_ms);
	enum store_status status = enrolments_put(context->enrolments, context->arena, &entry, context->now_ms);
	if (status != STORE_OK)
		return status == STORE_NO_MEMORY ? REASON_INTERNAL : REASON_STORE;
	context->reply->enrol_invite = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_ENROL_INVITE;
	return REASON_NONE;
}
