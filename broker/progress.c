// Progress notices.
#include "broker/progress.h"

static enum reason tell(struct op_context *context, const char *sender, Cpis__V1__ProgressNotice *notice)
{
	Cpis__V1__InboxItem item = CPIS__V1__INBOX_ITEM__INIT;
	item.kind_case = CPIS__V1__INBOX_ITEM__KIND_PROGRESS;
	item.progress = notice;
	return inbox_put(context, sender, &item);
}

static enum reason tell_of_look(struct op_context *context, const Cpis__V1__AccessNotification *look,
				Cpis__V1__ProgressNotice *notice)
{
	notice->about = CPIS__V1__INBOX_SUBJECT__LOOK;
	notice->audit_index = look->audit_index;
	return tell(context, look->access->organisation, notice);
}

static enum reason tell_of_digest(struct op_context *context, const Cpis__V1__AccessDigest *digest,
				  Cpis__V1__ProgressNotice *notice)
{
	enum reason reason = REASON_NONE;
	for (size_t i = 0; i < digest->n_accesses && reason == REASON_NONE; i++)
		reason = tell_of_look(context, digest->accesses[i], notice);
	return reason;
}

// Who holds a plan is not what a flag query tells, so the sender does not learn it from the receipt either.
static enum reason tell_of_appointment(struct op_context *context, const Cpis__V1__NotBroughtNotice *appointment,
				       const Cpis__V1__ProgressNotice *notice)
{
	Cpis__V1__ProgressNotice nameless = CPIS__V1__PROGRESS_NOTICE__INIT;
	nameless.event = notice->event;
	nameless.time_ms = notice->time_ms;
	nameless.about = CPIS__V1__INBOX_SUBJECT__MISSED_APPOINTMENT;
	nameless.audit_index = appointment->audit_index;
	return tell(context, appointment->sender->organisation, &nameless);
}

enum reason progress_tell(struct op_context *context, const struct store_inbox_item *row, const Cpis__V1__InboxItem *item,
			  Cpis__V1__ProgressEvent event, const char *by)
{
	const struct organisation *where = register_organisation(context->snapshot, &row->organisation);
	Cpis__V1__ProgressNotice notice = CPIS__V1__PROGRESS_NOTICE__INIT;
	notice.event = event;
	notice.organisation = op_text(row->organisation.text);
	notice.organisation_name = op_text(where == NULL ? row->organisation.text : where->name);
	notice.by = op_text(by);
	notice.time_ms = context->now_ms;
	switch (item->kind_case) {
	case CPIS__V1__INBOX_ITEM__KIND_ACCESS:
		return tell_of_look(context, item->access, &notice);
	case CPIS__V1__INBOX_ITEM__KIND_DIGEST:
		return tell_of_digest(context, item->digest, &notice);
	case CPIS__V1__INBOX_ITEM__KIND_NOT_BROUGHT:
		return tell_of_appointment(context, item->not_brought, &notice);
	case CPIS__V1__INBOX_ITEM__KIND_ENQUIRY:
		notice.about = CPIS__V1__INBOX_SUBJECT__ENQUIRY;
		notice.enquiry_id = item->enquiry->enquiry_id;
		notice.audit_index = item->enquiry->audit_index;
		return tell(context, item->enquiry->authority, &notice);
	case CPIS__V1__INBOX_ITEM__KIND_ANSWER:
		notice.about = CPIS__V1__INBOX_SUBJECT__ANSWER;
		notice.enquiry_id = item->answer->enquiry_id;
		notice.audit_index = item->answer->audit_index;
		return tell(context, item->answer->organisation, &notice);
	default:
		return REASON_NONE;
	}
}

enum reason progress_deliver(struct op_context *context, struct store_inbox_item *row, const Cpis__V1__InboxItem *item,
			     bool *ret_changed)
{
	bool written_by_people = item->kind_case == CPIS__V1__INBOX_ITEM__KIND_ENQUIRY ||
				 item->kind_case == CPIS__V1__INBOX_ITEM__KIND_ANSWER;
	*ret_changed = written_by_people && row->delivered_ms == 0;
	if (!*ret_changed)
		return REASON_NONE;
	row->delivered_ms = context->now_ms;
	return progress_tell(context, row, item, CPIS__V1__PROGRESS_EVENT__DELIVERED, context->session->name);
}
