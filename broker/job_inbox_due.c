// Inbox items that nobody acknowledged in time: escalated once, into the second box, and in the end expired. Neither happens
// silently: the sender is told, a line is logged, and of an access notification that expired there is an audit record under the
// authority's name and the child's, where a reviewer finds it. When an item is next due stands in its row, as the register said
// when it was put; what the register says when it is due counts.
#include <string.h>

#include "broker/inbox.h"
#include "broker/job.h"
#include "broker/log.h"
#include "broker/progress.h"

#define ITEMS_PER_STEP 16u

static enum reason escalate(struct op_context *context, struct store_inbox_item *row, const Cpis__V1__InboxItem *item)
{
	if (context->store->ops->inbox_next_id(context->store, STORE_BOX_ESCALATIONS, &row->organisation, &row->escalation_id) !=
	    STORE_OK)
		return REASON_STORE;
	row->escalated_ms = context->now_ms;
	row->due_ms = inbox_expires_ms(context, row);
	wakes_add(context->wakes, inbox_wait_key(STORE_BOX_ESCALATIONS, &row->organisation));
	log_event(LOG_EVENT_INBOX_ESCALATED, "item %llu of %s was not acknowledged in time",
		  (unsigned long long)row->id, row->organisation.text);
	return progress_tell(context, row, item, CPIS__V1__PROGRESS_EVENT__ESCALATED, "");
}

// A digest has one record for all its looks, and names the first and the last.
static bool describe(struct op_context *context, const struct store_inbox_item *row, const Cpis__V1__InboxItem *item,
		     Cpis__V1__AuditDetail *detail)
{
	const Cpis__V1__AccessDigest *digest = item->kind_case == CPIS__V1__INBOX_ITEM__KIND_DIGEST ? item->digest : NULL;
	size_t looks = digest == NULL ? 1 : digest->n_accesses;
	const Cpis__V1__AccessNotification *first = digest == NULL ? item->access : digest->accesses[0];
	const Cpis__V1__AccessNotification *last = digest == NULL ? item->access : digest->accesses[looks - 1];
	detail->target = arena_printf(context->arena, "item %llu of %s, records %llu to %llu", (unsigned long long)row->id,
				      row->organisation.text, (unsigned long long)first->audit_index,
				      (unsigned long long)last->audit_index);
	detail->count = (uint32_t)looks;
	detail->nhs_number = digest == NULL ? first->nhs_number : op_text("");
	detail->reason = op_text("Nobody acknowledged this notification; it is not offered any more.");
	return detail->target != NULL;
}

static enum reason record_expiry(struct op_context *context, const struct store_inbox_item *row, const Cpis__V1__InboxItem *item)
{
	Cpis__V1__AuditDetail detail = CPIS__V1__AUDIT_DETAIL__INIT;
	struct store_tag subject;
	struct nhs_number number;
	uint64_t index;
	if (!describe(context, row, item, &detail))
		return REASON_STORE;
	bool about = nhs_number_parse(detail.nhs_number, strlen(detail.nhs_number), &number) == NHS_NUMBER_OK;
	if (about)
		vault_tag_subject(context->vault, &number, &subject);
	struct audit_event event = {
		.time_ms = context->now_ms,
		.operation = CPIS__V1__OPERATION__INBOX_EXPIRED,
		.reason = REASON_NONE,
		.organisation = row->organisation.text,
		.system_name = "",
		.subject = about ? &subject : NULL,
		.policy_version = policy_version(context->policy),
		.detail = &detail,
	};
	return audit_append(context->audit, context->arena, &event, &index) == STORE_OK ? REASON_NONE : REASON_STORE;
}

static bool is_about_looks(const struct store_inbox_item *row)
{
	return row->kind == CPIS__V1__INBOX_ITEM__KIND_ACCESS || row->kind == CPIS__V1__INBOX_ITEM__KIND_DIGEST;
}

static enum reason expire(struct op_context *context, struct store_inbox_item *row, const Cpis__V1__InboxItem *item)
{
	row->expired_ms = context->now_ms;
	row->due_ms = 0;
	log_event(LOG_EVENT_INBOX_EXPIRED, "item %llu of %s was never acknowledged and is not offered any more",
		  (unsigned long long)row->id, row->organisation.text);
	if (is_about_looks(row)) {
		enum reason reason = record_expiry(context, row, item);
		if (reason != REASON_NONE)
			return reason;
	}
	return progress_tell(context, row, item, CPIS__V1__PROGRESS_EVENT__EXPIRED, "");
}

// An item that does not open is tried again an hour later, and told of in the log each time; the others go on.
static enum reason put_off(struct op_context *context, struct store_inbox_item *row)
{
	row->due_ms = context->now_ms + 60ull * 60u * 1000u;
	return context->store->ops->inbox_update(context->store, row) == STORE_OK ? REASON_NONE : REASON_STORE;
}

static enum reason settle_due(struct op_context *context, struct store_inbox_item *row, struct job_tally *tally)
{
	uint64_t escalates_ms = inbox_escalates_ms(context, row), expires_ms = inbox_expires_ms(context, row);
	enum reason reason = REASON_NONE;
	const Cpis__V1__InboxItem *item = inbox_open(context, STORE_BOX_NOTIFICATIONS, row);
	if (item == NULL)
		return put_off(context, row);
	if (expires_ms <= context->now_ms) {
		reason = expire(context, row, item);
		tally->expired++;
	} else if (escalates_ms != 0 && escalates_ms <= context->now_ms) {
		reason = escalate(context, row, item);
		tally->escalated++;
	} else {
		row->due_ms = escalates_ms != 0 ? escalates_ms : expires_ms;
	}
	if (reason != REASON_NONE)
		return reason;
	return context->store->ops->inbox_update(context->store, row) == STORE_OK ? REASON_NONE : REASON_STORE;
}

enum job_result job_inbox_due(struct op_context *context, struct job_tally *tally)
{
	struct store_inbox_item *rows = NULL;
	size_t count = 0;
	if (context->store->ops->inbox_due(context->store, STORE_BOX_NOTIFICATIONS, context->now_ms, ITEMS_PER_STEP,
					   context->arena, &rows, &count) != STORE_OK)
		return JOB_FAILED;
	for (size_t i = 0; i < count; i++) {
		uint64_t expired = tally->expired;
		if (settle_due(context, &rows[i], tally) != REASON_NONE)
			return JOB_FAILED;
		// A batch may be as small as one record.
		if (tally->expired > expired && is_about_looks(&rows[i]))
			return JOB_MORE;
	}
	return count == 0 ? JOB_IDLE : count == ITEMS_PER_STEP ? JOB_MORE : JOB_DONE;
}
