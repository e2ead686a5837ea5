// RESPONDER_ANNOUNCE: the demographics organisation says that numbers are no longer in use, or are again.
//
// The record names none of them: two numbers of one announcement may be one child's old and new one.
#include <string.h>

#include "broker/inactive.h"

static bool is_standing(Cpis__V1__DemographicsStatus status)
{
	return status == CPIS__V1__DEMOGRAPHICS_STATUS__VERIFIED || status == CPIS__V1__DEMOGRAPHICS_STATUS__SENSITIVE ||
	       status == CPIS__V1__DEMOGRAPHICS_STATUS__SUPERSEDED || status == CPIS__V1__DEMOGRAPHICS_STATUS__INVALID;
}

static enum reason check(const struct op_context *context, const Cpis__V1__ResponderAnnounceRequest *request)
{
	const struct organisation *organisation = register_demographics(context->snapshot);
	struct nhs_number ignored;
	if (organisation == NULL || !ods_code_equal(&organisation->ods, &context->session->organisation))
		return REASON_RESPONDER_SCOPE;
	for (size_t i = 0; i < request->n_numbers; i++) {
		const char *number = request->numbers[i]->nhs_number;
		if (nhs_number_parse(number, strlen(number), &ignored) != NHS_NUMBER_OK)
			return REASON_NHS_NUMBER;
		if (!is_standing(request->numbers[i]->status))
			return REASON_VALUE;
	}
	return REASON_NONE;
}

enum reason op_responder_announce(struct op_context *context)
{
	const Cpis__V1__ResponderAnnounceRequest *request = context->request->responder_announce;
	enum reason reason = check(context, request);
	if (reason != REASON_NONE)
		return reason;
	Cpis__V1__ResponderAnnounceReply *reply =
		OP_NEW(context, Cpis__V1__ResponderAnnounceReply, cpis__v1__responder_announce_reply__init);
	if (reply == NULL)
		return REASON_INTERNAL;
	for (size_t i = 0; i < request->n_numbers && reason == REASON_NONE; i++) {
		const Cpis__V1__NumberStatus *told = request->numbers[i];
		struct nhs_number number;
		bool changed = false;
		if (nhs_number_parse(told->nhs_number, strlen(told->nhs_number), &number) == NHS_NUMBER_OK)
			reason = inactive_set(context, &number, told->status, &changed);
		reply->changed += changed;
	}
	if (reason != REASON_NONE)
		return reason;
	(void)responders_seen(context->responders, context->session, context->now_ms);
	context->detail->count = (uint32_t)request->n_numbers;
	context->reply->responder_announce = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_RESPONDER_ANNOUNCE;
	return REASON_NONE;
}
