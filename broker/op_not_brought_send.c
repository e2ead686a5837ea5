// NOT_BROUGHT_SEND: a child on a plan missed a planned appointment, and the authorities are told. To the sender it says what a
// flag query would, and nothing of whom it told: where no plan is current, those of plans that a flag still counts are told, so
// that "sent" is true whenever the flag is.
#include <string.h>

#include "broker/access.h"
#include "broker/child.h"
#include "broker/inbox.h"
#include "broker/neighbour.h"
#include "broker/notify.h"
#include "proto/date.h"

// The care setting must be the organisation's own, as for a look.
static enum reason find_care_setting(struct op_context *context, Cpis__V1__CareSetting *ret)
{
	Cpis__V1__CareSetting asked = context->request->not_brought_send->care_setting;
	uint64_t own = context->organisation->care_settings;
	*ret = asked;
	if (asked != CPIS__V1__CARE_SETTING__CARE_SETTING_UNSPECIFIED)
		return (own >> (unsigned)asked & 1) != 0 ? REASON_NONE : REASON_CARE_SETTING;
	if (own == 0)
		return REASON_CARE_SETTING;
	if ((own & (own - 1)) != 0)
		return REASON_CARE_SETTING_UNNAMED;
	*ret = (Cpis__V1__CareSetting)__builtin_ctzll(own);
	return REASON_NONE;
}

static enum reason check_date(struct op_context *context)
{
	const char *text = context->request->not_brought_send->appointment_date;
	struct date date, today = english_time_of(context->now_ms).date;
	if (!date_parse(text, strlen(text), &date) || date.day > today.day || date.day < today.day - APPOINTMENT_DAYS_BACK_MAX)
		return REASON_APPOINTMENT;
	return REASON_NONE;
}

static enum reason tell(struct op_context *context, const char *organisation, char *local_id, Cpis__V1__Access *sender)
{
	const Cpis__V1__NotBroughtSendRequest *request = context->request->not_brought_send;
	Cpis__V1__NotBroughtNotice notice = CPIS__V1__NOT_BROUGHT_NOTICE__INIT;
	Cpis__V1__InboxItem item = CPIS__V1__INBOX_ITEM__INIT;
	notice.nhs_number = request->nhs_number;
	notice.local_id = local_id;
	notice.appointment_date = request->appointment_date;
	notice.message_text = request->message_text;
	notice.sender = sender;
	notice.audit_index = context->audit_index;
	item.kind_case = CPIS__V1__INBOX_ITEM__KIND_NOT_BROUGHT;
	item.not_brought = &notice;
	context->detail->count++;
	return inbox_put(context, organisation, &item);
}

// Current plans come first.
static enum reason tell_all(struct op_context *context, const struct child *child, const struct neighbour *neighbour,
			    Cpis__V1__Access *sender)
{
	enum reason reason = REASON_NONE;
	for (size_t i = 0; i < child->plan_count && reason == REASON_NONE; i++) {
		const Cpis__Stored__V1__StoredPlan *plan = child->plans[i].stored;
		if (child->plans[i].status != child->plans[0].status)
			break;
		if (!notify_named_before(child, i))
			reason = tell(context, plan->authority, plan->local_id, sender);
	}
	if (reason == REASON_NONE && neighbour->flag)
		reason = tell(context, neighbour->organisation->ods.text, op_text(""), sender);
	return reason;
}

// What is asked, and what is known of the child, as a flag query has it.
static enum reason look_up(struct op_context *context, struct child *child, struct neighbour *neighbour)
{
	enum reason reason = find_care_setting(context, &context->decision.care_setting);
	context->detail->care_setting = context->decision.care_setting;
	if (reason == REASON_NONE)
		reason = check_date(context);
	if (reason == REASON_NONE)
		reason = child_load(context, context->request->not_brought_send->nhs_number, child);
	return reason == REASON_NONE ? neighbour_ask(context, &child->number, false, neighbour) : reason;
}

enum reason op_not_brought_send(struct op_context *context)
{
	const Cpis__V1__NotBroughtSendRequest *request = context->request->not_brought_send;
	struct child child;
	struct neighbour neighbour;
	struct neighbour_words words;
	context->detail->message_text = request->message_text;
	enum reason reason = look_up(context, &child, &neighbour);
	if (reason != REASON_NONE)
		return reason;
	Cpis__V1__NotBroughtSendReply *reply =
		OP_NEW(context, Cpis__V1__NotBroughtSendReply, cpis__v1__not_brought_send_reply__init);
	Cpis__V1__Access *sender = access_now(context);
	context->detail->target = arena_printf(context->arena, "appointment of %s", request->appointment_date);
	if (reply == NULL || sender == NULL || context->detail->target == NULL)
		return REASON_INTERNAL;
	reply->sent = child.plan_count > 0 || neighbour.flag;
	if (!neighbour_words(context, &neighbour, reply->sent, &words))
		return REASON_INTERNAL;
	reply->notice = words.notice;
	if ((reason = tell_all(context, &child, &neighbour, sender)) != REASON_NONE)
		return reason;
	context->reply->not_brought_send = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_NOT_BROUGHT_SEND;
	return REASON_NONE;
}
