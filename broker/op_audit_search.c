// AUDIT_SEARCH: who looked, at whom, from where. Recorded like any other look.
#include <string.h>

#include "broker/log.h"
#include "broker/op.h"

// What this reviewer may see: everything for a national body, else the own organisation's records.
static enum reason restrict_scope(struct op_context *context, const Cpis__V1__AuditSearchRequest *request,
				  struct store_audit_filter *filter)
{
	if (request->organisation[0] != '\0') {
		if (!ods_code_parse(request->organisation, strlen(request->organisation), &filter->organisation))
			return REASON_VALUE;
		filter->has_organisation = true;
	}
	if (context->organisation->type == ORGANISATION_NATIONAL_BODY)
		return REASON_NONE;
	if (filter->has_organisation && !ods_code_equal(&filter->organisation, &context->organisation->ods))
		return REASON_AUDIT_SCOPE;
	filter->has_organisation = true;
	filter->organisation = context->organisation->ods;
	return REASON_NONE;
}

static enum reason make_filter(struct op_context *context, struct store_audit_filter *filter)
{
	const Cpis__V1__AuditSearchRequest *request = context->request->audit_search;
	if (request->nhs_number[0] != '\0') {
		// core.c has noted whom the search is about, so that the next search finds this one.
		if (!context->has_subject)
			return REASON_NHS_NUMBER;
		filter->subject = context->subject;
		filter->has_subject = true;
	}
	if (request->uid[0] != '\0') {
		vault_tag_person(context->vault, request->uid, &filter->person);
		filter->has_person = true;
		context->detail->filter_uid = request->uid;
	}
	filter->from_ms = request->from_ms;
	filter->until_ms = request->until_ms;
	filter->before_index = request->before_index;
	filter->limit = (request->limit == 0 ? PAGE_ITEMS_DEFAULT : request->limit) + 1; // one more tells of "more"
	return restrict_scope(context, request, filter);
}

// Children and people have an index. Anything else is looked for record by record, and nobody else is answered
// meanwhile: so only a stretch of the log at a time.
#define STRETCH_RECORDS 20000u

static bool bound_stretch(struct op_context *context, struct store_audit_filter *filter)
{
	uint64_t size = 0;
	if (filter->has_subject || filter->has_person)
		return true;
	if (context->store->ops->audit_size(context->store, &size) != STORE_OK)
		return false;
	uint64_t end = filter->before_index != 0 && filter->before_index < size ? filter->before_index : size;
	filter->from_index = end > STRETCH_RECORDS ? end - STRETCH_RECORDS : 0;
	return true;
}

enum reason op_audit_search(struct op_context *context)
{
	struct store_audit_filter filter = {0};
	enum reason reason = make_filter(context, &filter);
	if (reason != REASON_NONE)
		return reason;
	if (!bound_stretch(context, &filter))
		return REASON_STORE;
	struct store_audit *rows = NULL;
	size_t count = 0;
	if (context->store->ops->audit_search(context->store, &filter, context->arena, &rows, &count) != STORE_OK)
		return REASON_STORE;
	Cpis__V1__AuditSearchReply *reply = OP_NEW(context, Cpis__V1__AuditSearchReply, cpis__v1__audit_search_reply__init);
	if (reply == NULL)
		return REASON_INTERNAL;
	reply->entries = arena_alloc(context->arena, (count + 1) * sizeof *reply->entries);
	if (reply->entries == NULL)
		return REASON_INTERNAL;
	size_t body_bytes = 0;
	for (size_t i = 0; i < count; i++) {
		if (i + 1 == filter.limit) {
			reply->more = true;
			break;
		}
		Cpis__V1__AuditEntry *entry = audit_entry(context->audit, context->arena, &rows[i]);
		if (entry == NULL) {
			log_event(LOG_LEVEL_ERROR, "audit_unreadable", "audit record %llu does not open",
				  (unsigned long long)rows[i].index);
			return REASON_INTERNAL;
		}
		body_bytes += protobuf_c_message_get_packed_size(&entry->base) + 8;
		if (body_bytes > OP_BODY_BYTES_MAX) {
			reply->more = true;
			break;
		}
		reply->entries[reply->n_entries++] = entry;
	}
	if (reply->more) {
		reply->next_before_index = reply->entries[reply->n_entries - 1]->index;
	} else if (filter.from_index > 0) {
		reply->more = true;
		reply->next_before_index = filter.from_index;
	}
	context->detail->count = (uint32_t)reply->n_entries;
	context->reply->audit_search = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_AUDIT_SEARCH;
	return REASON_NONE;
}
