// AUDIT_SHOW: one record, opened, with the proof that it is in the log.
#include "broker/audit_remit.h"
#include "broker/log.h"

#include <string.h>

// Outside of it the answer is the same as for a record that is not there: no hint of what others did.
static enum reason check_remit(struct op_context *context, const struct store_audit *row, const Cpis__V1__AuditEntry *entry)
{
	struct audit_remit remit;
	struct nhs_number number;
	// Reading about a child's access is a look at the child: the next search finds it.
	if (row->has_subject &&
	    nhs_number_parse(entry->detail->nhs_number, strlen(entry->detail->nhs_number), &number) == NHS_NUMBER_OK &&
	    !op_note_number(context, &number))
		return REASON_INTERNAL;
	enum reason reason = audit_remit_of(context, &remit);
	if (reason == REASON_NONE && !audit_remit_holds(&remit, entry))
		reason = REASON_NO_SUCH_RECORD;
	if (reason == REASON_NO_SUCH_RECORD) {
		context->detail->nhs_number = op_text("");
		context->has_subject = false;
	}
	return reason;
}

enum reason op_audit_show(struct op_context *context)
{
	uint64_t index = context->request->audit_show->index;
	struct store_audit row;
	context->detail->target = arena_printf(context->arena, "record %llu", (unsigned long long)index);
	if (context->detail->target == NULL)
		return REASON_INTERNAL;
	enum store_status status = context->store->ops->audit_get(context->store, index, context->arena, &row);
	if (status == STORE_NOT_FOUND)
		return REASON_NO_SUCH_RECORD;
	if (status != STORE_OK)
		return REASON_STORE;
	Cpis__V1__AuditEntry *entry = audit_entry(context->audit, context->arena, &row);
	if (entry == NULL) {
		log_damage(LOG_EVENT_AUDIT_UNREADABLE, "audit record %llu does not open",
			   (unsigned long long)index);
		return REASON_INTERNAL;
	}
	enum reason reason = check_remit(context, &row, entry);
	if (reason != REASON_NONE)
		return reason;
	Cpis__V1__AuditShowReply *reply = OP_NEW(context, Cpis__V1__AuditShowReply, cpis__v1__audit_show_reply__init);
	if (reply == NULL)
		return REASON_INTERNAL;
	reply->entry = entry;
	context->wants_proof = true;
	context->proof_index = index;
	context->detail->count = 1;
	context->reply->audit_show = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_AUDIT_SHOW;
	return REASON_NONE;
}
