// AUDIT_SHOW: one record, opened, with the proof that it is in the log.
#include <string.h>

#include "broker/log.h"
#include "broker/op.h"

enum reason op_audit_show(struct op_context *context)
{
	uint64_t index = context->request->audit_show->index;
	struct store_audit row;
	enum store_status status = context->store->ops->audit_get(context->store, index, context->arena, &row);
	if (status == STORE_NOT_FOUND)
		return REASON_NO_SUCH_RECORD;
	if (status != STORE_OK)
		return REASON_STORE;
	Cpis__V1__AuditEntry *entry = audit_entry(context->audit, context->arena, &row);
	if (entry == NULL) {
		log_event(LOG_LEVEL_ERROR, "audit_unreadable", "audit record %llu does not open",
			  (unsigned long long)index);
		return REASON_INTERNAL;
	}
	// The same answer as for a record that is not there: no hint of what others did.
	if (context->organisation->type != ORGANISATION_NATIONAL_BODY &&
	    strcmp(entry->organisation, context->organisation->ods.text) != 0)
		return REASON_NO_SUCH_RECORD;
	Cpis__V1__AuditShowReply *reply = OP_NEW(context, Cpis__V1__AuditShowReply, cpis__v1__audit_show_reply__init);
	if (reply == NULL)
		return REASON_INTERNAL;
	reply->entry = entry;
	context->wants_proof = true;
	context->proof_index = index;
	// Reading about a child's access is a look at the child: the next search finds it.
	context->detail->nhs_number = entry->detail->nhs_number;
	context->has_subject = row.has_subject;
	context->subject = row.subject;
	context->detail->count = 1;
	context->reply->audit_show = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_AUDIT_SHOW;
	return REASON_NONE;
}
