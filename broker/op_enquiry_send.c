// ENQUIRY_SEND: a duty social worker asks the care setting that looked. Tied to one access notification in the own inbox: who
// was not told of a look cannot ask about it. What was asked stands in the audit record too, sealed: the record is what is kept
// for ever and can be proven, so that nobody can dispute later what was said.
#include <string.h>

#include "broker/authority_state.h"
#include "broker/inbox.h"
#include "broker/log.h"
#include "broker/sealed.h"
#include "broker/visibility.h"

// The look that the question is about: the item's, or the one named of a digest's. NULL: none.
static const Cpis__V1__AccessNotification *find_look(const Cpis__V1__InboxItem *item, uint64_t audit_index)
{
	if (item->kind_case == CPIS__V1__INBOX_ITEM__KIND_ACCESS)
		return audit_index == 0 || item->access->audit_index == audit_index ? item->access : NULL;
	if (item->kind_case != CPIS__V1__INBOX_ITEM__KIND_DIGEST)
		return NULL;
	for (size_t i = 0; i < item->digest->n_accesses; i++)
		if (item->digest->accesses[i]->audit_index == audit_index)
			return item->digest->accesses[i];
	return NULL;
}

static enum reason read_look(struct op_context *context, const Cpis__V1__AccessNotification **ret)
{
	const Cpis__V1__EnquirySendRequest *request = context->request->enquiry_send;
	struct store_inbox_item row;
	enum store_status status = context->store->ops->inbox_get(context->store, STORE_BOX_NOTIFICATIONS,
								  &context->session->organisation, request->notification_id,
								  context->arena, &row);
	if (status == STORE_NOT_FOUND)
		return REASON_NO_SUCH_ITEM;
	if (status != STORE_OK)
		return REASON_STORE;
	const Cpis__V1__InboxItem *item = inbox_open(context, STORE_BOX_NOTIFICATIONS, &row);
	if (item == NULL)
		return REASON_INTERNAL;
	*ret = find_look(item, request->audit_index);
	return *ret == NULL ? REASON_NOT_A_NOTIFICATION : REASON_NONE;
}

// Where the asking authority can be rung now; empty when it has no contacts.
static enum reason find_telephone(struct op_context *context, const char **ret)
{
	struct authority_state state;
	bool office_hours;
	*ret = "";
	enum reason reason = authority_state_load(context, &context->organisation->ods, &state);
	if (reason != REASON_NONE)
		return reason;
	const Cpis__V1__Contacts *contacts = authority_contacts(&state, english_time_of(context->now_ms).date);
	if (contacts != NULL)
		*ret = visibility_ring_now(contacts->emergency_duty_telephone, contacts->office_hours_telephone,
					   context->now_ms, &office_hours);
	return REASON_NONE;
}

// Whom it is about and what was said. False: no memory.
static bool note(struct op_context *context, const Cpis__V1__AccessNotification *look)
{
	struct nhs_number number;
	context->detail->target = arena_printf(context->arena, "enquiry %llu of %s to %s about record %llu",
					       (unsigned long long)context->audit_index, context->organisation->ods.text,
					       look->access->organisation, (unsigned long long)look->audit_index);
	context->detail->message_text = context->request->enquiry_send->message_text;
	if (context->detail->target == NULL ||
	    nhs_number_parse(look->nhs_number, strlen(look->nhs_number), &number) != NHS_NUMBER_OK)
		return false;
	vault_tag_subject(context->vault, &number, &context->subject);
	context->has_subject = true;
	context->detail->nhs_number = look->nhs_number;
	return true;
}

enum reason op_enquiry_send(struct op_context *context)
{
	const Cpis__V1__AccessNotification *look = NULL;
	const char *telephone = NULL;
	Cpis__V1__Enquiry enquiry = CPIS__V1__ENQUIRY__INIT;
	Cpis__V1__InboxItem item = CPIS__V1__INBOX_ITEM__INIT;
	Cpis__V1__EnquirySendReply *reply = OP_NEW(context, Cpis__V1__EnquirySendReply, cpis__v1__enquiry_send_reply__init);
	enum reason reason = read_look(context, &look);
	if (reason == REASON_NONE)
		reason = find_telephone(context, &telephone);
	if (reason != REASON_NONE)
		return reason;
	if (reply == NULL || !note(context, look))
		return REASON_INTERNAL;
	enquiry.enquiry_id = context->audit_index;
	enquiry.nhs_number = look->nhs_number;
	enquiry.access = look->access;
	enquiry.audit_index = look->audit_index;
	enquiry.authority = op_text(context->organisation->ods.text);
	enquiry.authority_name = op_text(context->organisation->name);
	enquiry.asked_by = context->session->name;
	enquiry.telephone = op_text(telephone);
	enquiry.message_text = context->request->enquiry_send->message_text;
	item.kind_case = CPIS__V1__INBOX_ITEM__KIND_ENQUIRY;
	item.enquiry = &enquiry;
	if ((reason = inbox_put(context, look->access->organisation, &item)) != REASON_NONE)
		return reason;
	reply->enquiry_id = enquiry.enquiry_id;
	reply->organisation = look->access->organisation;
	context->reply->enquiry_send = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_ENQUIRY_SEND;
	return REASON_NONE;
}
