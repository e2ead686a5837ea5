// ENQUIRY_ANSWER: the care setting that was asked answers, once. Only it has the enquiry in its inbox. The answer settles the
// enquiry as acted on, and stands in the audit record as the question does.
#include <string.h>

#include "broker/settlement.h"

static enum reason read_enquiry(struct op_context *context, struct store_inbox_item *row, Cpis__V1__InboxItem **ret)
{
	enum store_status status = context->store->ops->inbox_get(context->store, STORE_BOX_NOTIFICATIONS,
								  &context->session->organisation,
								  context->request->enquiry_answer->item_id, context->arena, row);
	if (status == STORE_NOT_FOUND)
		return REASON_NO_SUCH_ITEM;
	if (status != STORE_OK)
		return REASON_STORE;
	*ret = inbox_open(context, STORE_BOX_NOTIFICATIONS, row);
	if (*ret == NULL)
		return REASON_INTERNAL;
	if ((*ret)->kind_case != CPIS__V1__INBOX_ITEM__KIND_ENQUIRY)
		return REASON_NOT_AN_ENQUIRY;
	return row->answered_ms != 0 ? REASON_ANSWERED : REASON_NONE;
}

// As much of the question as an ordinary string may have, not ending inside a character.
static char *beginning_of(struct op_context *context, const char *text)
{
	size_t bytes = strlen(text);
	if (bytes > TEXT_BYTES_MAX) {
		bytes = TEXT_BYTES_MAX;
		while (bytes > 0 && ((unsigned char)text[bytes] & 0xc0) == 0x80)
			bytes--;
	}
	return arena_copy_text(context->arena, text, bytes);
}

static bool note(struct op_context *context, const Cpis__V1__Enquiry *enquiry)
{
	struct nhs_number number;
	context->detail->target = arena_printf(context->arena, "answer of %s to enquiry %llu of %s about record %llu",
					       context->organisation->ods.text, (unsigned long long)enquiry->enquiry_id,
					       enquiry->authority, (unsigned long long)enquiry->audit_index);
	context->detail->message_text = context->request->enquiry_answer->message_text;
	if (context->detail->target == NULL ||
	    nhs_number_parse(enquiry->nhs_number, strlen(enquiry->nhs_number), &number) != NHS_NUMBER_OK)
		return false;
	vault_tag_subject(context->vault, &number, &context->subject);
	context->has_subject = true;
	context->detail->nhs_number = enquiry->nhs_number;
	return true;
}

static enum reason send(struct op_context *context, const Cpis__V1__Enquiry *enquiry, char *question)
{
	Cpis__V1__EnquiryAnswer answer = CPIS__V1__ENQUIRY_ANSWER__INIT;
	Cpis__V1__InboxItem item = CPIS__V1__INBOX_ITEM__INIT;
	answer.enquiry_id = enquiry->enquiry_id;
	answer.organisation = op_text(context->organisation->ods.text);
	answer.organisation_name = op_text(context->organisation->name);
	answer.answered_by = context->session->name;
	answer.message_text = context->request->enquiry_answer->message_text;
	answer.question = question;
	answer.nhs_number = enquiry->nhs_number;
	answer.audit_index = enquiry->audit_index;
	item.kind_case = CPIS__V1__INBOX_ITEM__KIND_ANSWER;
	item.answer = &answer;
	return inbox_put(context, enquiry->authority, &item);
}

// Noted as answered, and settled unless somebody has said so before.
static enum reason settle(struct op_context *context, struct store_inbox_item *row, const Cpis__V1__InboxItem *item)
{
	bool done = false;
	row->answered_ms = context->now_ms;
	enum reason reason = settlement_make(context, row, item, CPIS__V1__SETTLEMENT__ACTED_ON, &done);
	if (reason != REASON_NONE || done)
		return reason;
	return context->store->ops->inbox_update(context->store, row) == STORE_OK ? REASON_NONE : REASON_STORE;
}

enum reason op_enquiry_answer(struct op_context *context)
{
	struct store_inbox_item row;
	Cpis__V1__InboxItem *item = NULL;
	enum reason reason = read_enquiry(context, &row, &item);
	if (reason != REASON_NONE)
		return reason;
	const Cpis__V1__Enquiry *enquiry = item->enquiry;
	Cpis__V1__EnquiryAnswerReply *reply =
		OP_NEW(context, Cpis__V1__EnquiryAnswerReply, cpis__v1__enquiry_answer_reply__init);
	char *question = beginning_of(context, enquiry->message_text);
	if (reply == NULL || question == NULL || !note(context, enquiry))
		return REASON_INTERNAL;
	// Settling may refuse before it writes; sending does not refuse.
	if ((reason = settle(context, &row, item)) != REASON_NONE || (reason = send(context, enquiry, question)) != REASON_NONE)
		return reason;
	reply->organisation = enquiry->authority;
	context->reply->enquiry_answer = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_ENQUIRY_ANSWER;
	return REASON_NONE;
}
