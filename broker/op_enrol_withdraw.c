// ENROL_WITHDRAW: an invitation ends before its time. A certificate that was issued already is not touched: that is what
// revocation and quarantine are for.
#include <string.h>

#include "broker/op_enrol.h"

enum reason op_enrol_withdraw(struct op_context *context)
{
	const Cpis__V1__EnrolWithdrawRequest *request = context->request->enrol_withdraw;
	struct ods_code organisation;
	if (!op_enrol_note(context, request->organisation, request->system_name, ""))
		return REASON_INTERNAL;
	context->detail->reason = request->reason;
	if (!ods_code_parse(request->organisation, strlen(request->organisation), &organisation) ||
	    !op_enrol_in_scope(context, &organisation))
		return REASON_ENROLMENT_SCOPE;
	Cpis__V1__EnrolWithdrawReply *reply =
		OP_NEW(context, Cpis__V1__EnrolWithdrawReply, cpis__v1__enrol_withdraw_reply__init);
	if (reply == NULL)
		return REASON_INTERNAL;
	context->reply->enrol_withdraw = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_ENROL_WITHDRAW;
	const struct enrolments_entry *entry =
		enrolments_find(context->enrolments, &organisation, request->system_name);
	if (entry == NULL || !enrolments_is_open(entry, context->now_ms))
		return REASON_NONE;
	struct enrolments_entry withdrawn = *entry;
	withdrawn.withdrawn_ms = context->now_ms;
	enum store_status status = enrolments_put(context->enrolments, context->arena, &withdrawn, context->now_ms);
	if (status != STORE_OK)
		return status == STORE_NO_MEMORY ? REASON_INTERNAL : REASON_STORE;
	reply->withdrawn = true;
	return REASON_NONE;
}
